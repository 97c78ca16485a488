//! Every kind of receiver, and every way for it to enter the key.
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use memo::{InstanceId, memoize};

#[derive(Clone, memo::Instance)]
struct Type {
    #[instance]
    id: u64,
}

impl Type {
    #[memoize]
    fn by_reference(&self, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    fn by_value(self, a: u64) -> u64 {
        let Self { id } = self;
        id + a
    }

    #[memoize]
    fn by_mut_value(mut self, a: u64) -> u64 {
        self.id += a;
        self.id
    }

    #[memoize]
    fn by_arc(self: Arc<Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    fn by_arc_reference(self: &Arc<Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    fn by_rc(self: Rc<Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    fn by_box(self: Box<Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    fn by_pin(self: Pin<&Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    fn by_pinned_arc(self: Pin<Arc<Self>>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    fn by_typed_reference<'a>(self: &'a Self, a: &'a u64) -> u64 {
        self.id + a
    }

    #[memoize(receiver = "skip")]
    fn by_mut_reference(&mut self, a: u64) -> u64 {
        self.id += 1;
        a
    }

    #[memoize(receiver = (self.id, self.id + 1))]
    fn by_expression(&self, a: u64) -> u64 {
        self.id + a
    }

    #[memoize(key = (self.id, a % 2))]
    fn by_key(&self, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    async fn waiting(&self, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    async fn waiting_by_value(self, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    async fn waiting_by_arc(self: Arc<Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    async fn waiting_by_pin(self: Pin<&Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    async fn waiting_by_box(self: Box<Self>, a: u64) -> u64 {
        self.id + a
    }

    #[memoize]
    async fn waiting_associated(a: u64) -> Self {
        Self { id: a }
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Value(u64);

impl Value {
    #[memoize(receiver = "value")]
    fn by_reference(&self, a: u64) -> u64 {
        self.0 + a
    }

    #[memoize(receiver = "value")]
    fn by_arc(self: Arc<Self>, a: u64) -> u64 {
        self.0 + a
    }

    #[memoize(receiver = "value")]
    fn by_value(self, a: u64) -> u64 {
        self.0 + a
    }
}

#[derive(Default, memo::Instance)]
struct Session {
    instance: InstanceId,
    user: u64,
}

impl Session {
    #[memoize]
    fn user(&self) -> u64 {
        self.user
    }
}

fn main() {
    let one = Type { id: 1 };
    let arc = Arc::new(one.clone());
    assert_eq!(one.by_reference(1), 2);
    assert_eq!(one.clone().by_value(1) + one.clone().by_mut_value(1), 4);
    assert_eq!(arc.clone().by_arc(1) + arc.by_arc_reference(1), 4);
    assert_eq!(Rc::new(one.clone()).by_rc(1) + Box::new(one.clone()).by_box(1), 4);
    assert_eq!(Pin::new(&one).by_pin(1) + Pin::new(arc.clone()).by_pinned_arc(1), 4);
    assert_eq!(one.by_typed_reference(&1), 2);
    assert_eq!(one.clone().by_mut_reference(1), 1);
    assert_eq!(one.by_expression(1) + one.by_key(1), 4);

    assert_eq!(Type::by_reference_memo().peek((&one, 1)), Some(2));
    assert_eq!(Type::by_value_memo().peek((one.clone(), 1)), Some(2));
    assert_eq!(Type::by_mut_value_memo().refresh((one.clone(), 1)), 2);
    assert_eq!(Type::by_arc_memo().peek((arc.clone(), 1)), Some(2));
    assert_eq!(Type::by_arc_reference_memo().uncached((&arc, 1)), 2);
    assert_eq!(Type::by_pin_memo().peek((Pin::new(&one), 1)), Some(2));
    assert_eq!(Type::by_typed_reference_memo().peek((&one, &1)), Some(2));
    assert_eq!(Type::by_mut_reference_memo().peek(1), Some(1));
    assert_eq!(Type::by_expression_memo().peek((&one, 1)), Some(2));
    assert_eq!(Type::by_key_memo().peek((&one, 3)), Some(2));

    let value = Value(1);
    assert_eq!(value.by_reference(1) + Arc::new(value.clone()).by_arc(1) + value.by_value(1), 6);
    let session = Session { user: 1, ..Session::default() };
    assert_eq!(session.user(), 1);
    assert_eq!(Session::user_memo().peek(&session), Some(1));

    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert_eq!(one.waiting(1).await + one.clone().waiting_by_value(1).await, 4);
        assert_eq!(arc.clone().waiting_by_arc(1).await + Pin::new(&one).waiting_by_pin(1).await, 4);
        assert_eq!(Box::new(one.clone()).waiting_by_box(1).await, 2);
        assert_eq!(Type::waiting_associated(1).await.id, 1);
        assert_eq!(Type::waiting_memo().peek((&one, 1)).await, Some(2));
        assert_eq!(Type::waiting_memo().refresh((&one, 1)).await, 2);
        assert_eq!(Type::waiting_by_arc_memo().peek((arc, 1)).await, Some(2));
        assert_eq!(Type::waiting_by_pin_memo().uncached((Pin::new(&one), 1)).await, 2);
    });
}
