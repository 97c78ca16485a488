//! The future of an `async fn` is `Send` if and only if it was without the attribute.
use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

use memo::memoize;

trait Key: std::hash::Hash + Eq + Clone + Send + Sync + Debug + 'static {}
impl<T: std::hash::Hash + Eq + Clone + Send + Sync + Debug + 'static> Key for T {}

fn send<F: Send>(future: F) -> F {
    future
}

#[memoize]
async fn free(a: &str, b: String, c: Option<&u64>) -> String {
    tokio::task::yield_now().await;
    format!("{a}{b}{c:?}")
}

#[memoize]
async fn generic<T: Key>(a: T, b: &[T]) -> Vec<T> {
    tokio::task::yield_now().await;
    [&[a], b].concat()
}

/// An error that is neither `Send` nor `Clone`.
struct Local(#[allow(dead_code)] Rc<()>);

#[memoize]
async fn local_error(a: u64) -> Result<u64, Local> {
    tokio::task::yield_now().await;
    if a == 0 { Err(Local(Rc::new(()))) } else { Ok(a) }
}

#[memoize]
async fn local_body(a: u64) -> u64 {
    let local = Rc::new(Cell::new(a));
    tokio::task::yield_now().await;
    local.get()
}

#[memoize(skip(local))]
async fn local_argument(a: u64, local: Rc<u64>) -> u64 {
    tokio::task::yield_now().await;
    a + *local
}

#[memoize(key = text.as_ref())]
async fn keyed(text: impl AsRef<str> + Send) -> usize {
    tokio::task::yield_now().await;
    text.as_ref().len()
}

#[memoize(key = Cell::new(a).get())]
async fn not_sync_in_the_key(a: u64) -> u64 {
    tokio::task::yield_now().await;
    a
}

#[memoize(skip(cell))]
async fn not_sync_argument(a: u64, cell: Cell<u64>) -> u64 {
    tokio::task::yield_now().await;
    a + cell.get()
}

#[memoize]
fn recursive(a: u64) -> u64 {
    if a == 0 { 0 } else { recursive(a - 1) + 1 }
}

#[memoize]
async fn boxed(a: u64) -> u64 {
    if a == 0 { 0 } else { Box::pin(boxed(a - 1)).await + 1 }
}

#[derive(memo::Instance)]
struct Type<T> {
    #[instance]
    id: T,
}

impl<T: Key> Type<T> {
    #[memoize]
    async fn method(&self, a: &str) -> (T, String) {
        tokio::task::yield_now().await;
        (self.id.clone(), a.into())
    }

    #[memoize]
    async fn owned(self, a: u64) -> T {
        tokio::task::yield_now().await;
        let _ = a;
        self.id
    }
}

#[allow(async_fn_in_trait)]
trait Waits {
    async fn required(&self, a: &str) -> String;

    #[memoize(receiver = "skip")]
    async fn provided(&self, a: &str) -> String {
        a.to_owned()
    }
}

impl<T: Key> Waits for Type<T> {
    #[memoize]
    async fn required(&self, a: &str) -> String {
        tokio::task::yield_now().await;
        format!("{:?}{a}", self.id)
    }
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let one = Type { id: 1 };
        send(free("a", "b".into(), None)).await;
        send(free::peek("a", "b".into(), None)).await;
        send(free::insert("a", "b".into(), None, "c".into())).await.unwrap();
        send(free::invalidate("a", "b".into(), None)).await.unwrap();
        send(free::refresh("a", "b".into(), None)).await;
        send(free::uncached("a", "b".into(), None)).await;
        send(free::warm([("a", "b".to_owned(), None)])).await;
        send(free::clear()).await.unwrap();
        send(generic(1, &[2])).await;
        let _ = send(local_error(1));
        assert!(local_error(0).await.is_err());
        assert_eq!(local_body(1).await + local_argument(1, Rc::new(2)).await, 4);
        send(keyed("a")).await;
        send(not_sync_in_the_key(1)).await;
        send(not_sync_argument(1, Cell::new(1))).await;
        send(boxed(3)).await;
        assert_eq!(recursive(3), 3);
        send(one.method("a")).await;
        send(Type::method_memo().peek((&one, "a"))).await;
        send(Type::method_memo().refresh((&one, "a"))).await;
        send(Type::method_memo().warm([(&one, "a")])).await;
        send(one.required("a")).await;
        one.provided("a").await;
        send(one.owned(1)).await;
        tokio::spawn(async {
            let two = Type { id: String::from("two") };
            free("a", "b".into(), Some(&1)).await;
            generic('a', &['b']).await;
            two.method("a").await;
            two.required("a").await;
            Type::<String>::method_memo().peek((&two, "a")).await;
        })
        .await
        .unwrap();
    });
}
