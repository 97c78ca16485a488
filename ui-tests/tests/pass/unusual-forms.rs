//! Forms that are rarer, together.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn)]
use memo::memoize;
use std::{pin::Pin, rc::Rc, sync::Arc};

#[memoize]
async unsafe fn raw(a: &u64) -> u64 {
    unsafe { *(&raw const *a) }
}

#[derive(memo::Instance)]
struct Type {
    #[instance]
    id: u64,
}
impl Type {
    #[memoize]
    pub unsafe fn raw(&self, a: u64) -> u64 {
        self.id + a
    }
    #[memoize]
    pub async unsafe fn raw_waiting(&self, a: u64) -> u64 {
        self.id + a
    }
    #[memoize]
    fn boxed(mut self: Box<Self>, mut a: u64) -> u64 {
        self.id += 1;
        a += 1;
        self.id + a
    }
    #[memoize]
    async fn mut_arc(mut self: Arc<Self>, mut a: String) -> u64 {
        a.push('a');
        if let Some(this) = Arc::get_mut(&mut self) {
            this.id += 1
        };
        self.id + a.len() as u64
    }
    #[memoize]
    fn rcs(self: &Rc<Self>, Self { id }: &Self) -> u64 {
        self.id + id
    }
    #[memoize]
    fn pin_box(self: Pin<Box<Self>>) -> u64 {
        self.id
    }
    #[memoize]
    fn only() -> Self
    where
        Self: Clone,
    {
        Type { id: 1 }
    }
    #[memoize(skip(f))]
    fn with<F>(&self, f: F) -> u64
    where
        F: Fn() -> u64 + 'static,
    {
        f()
    }
    #[memoize(skip(f))]
    async fn with_waiting<F, Fut>(&self, f: F) -> u64
    where
        F: FnOnce() -> Fut + 'static,
        Fut: Future<Output = u64> + 'static,
    {
        f().await
    }
    #[memoize(key = other.id)]
    fn against<'a>(&'a self, other: &'a Self) -> u64 {
        self.id + other.id
    }
}
impl Clone for Type {
    fn clone(&self) -> Self {
        Type { id: self.id }
    }
}

#[memoize(skip(f))]
async fn retry<F: AsyncFn() -> u64 + 'static>(a: u64, f: F) -> u64 {
    f().await + a
}

#[memoize]
fn closure_borrows(a: &str, n: usize) -> Vec<String> {
    let up = || a.to_uppercase();
    (0..n).map(|_| up()).collect()
}

#[memoize]
fn statics(a: u64) -> u64 {
    static B: u64 = 1;
    thread_local! { static C: u64 = const { 2 }; }
    a + B + C.with(|c| *c)
}

#[memoize]
fn lets(a: Option<u64>) -> Option<u64> {
    let Some(a) = a else { return None };
    Some(a)
}

#[memoize]
async fn select(a: u64) -> u64 {
    let x = async { a }.await;
    let y = std::pin::pin!(async { x });
    y.await
}

type R<T> = std::result::Result<T, Box<dyn std::error::Error>>;
#[memoize]
fn boxed_error(a: &str) -> R<u64> {
    let n: u64 = a.parse()?;
    if n == 0 {
        Err("zero")?
    }
    Ok(n)
}
#[memoize]
async fn boxed_error_waiting(a: &str) -> R<u64> {
    let n: u64 = a.parse()?;
    if n == 0 {
        Err("zero")?
    }
    std::future::ready(()).await;
    Ok(n)
}
#[memoize]
async fn dynamic(a: u64) -> Arc<dyn Fn(u64) -> u64 + Send + Sync> {
    Arc::new(move |b| a + b)
}

fn main() {
    let t = Type { id: 1 };
    unsafe {
        let _ = raw(&1);
        t.raw(1);
        let _ = t.raw_waiting(1);
    }
    let _ = unsafe { raw::uncached(&1) };
    let _ = raw::peek(&1);
    let _ = unsafe { Type::raw_memo() }.peek((&t, 1));
    let _ = unsafe { Type::raw_waiting_memo() };
    assert_eq!(Box::new(t.clone()).boxed(1), 4);
    let _ = Arc::new(t.clone()).mut_arc("a".into());
    let _ = Rc::new(t.clone()).rcs(&t);
    let _ = Box::pin(t.clone()).pin_box();
    let _ = Type::only();
    let _ = t.with(|| 1);
    let _ = t.with_waiting(|| async { 1 });
    t.against(&t);
    let _ = retry(1, async || 1);
    closure_borrows("a", 2);
    statics(1);
    lets(None);
    let _ = select(1);
    let _ = boxed_error("0");
    let _ = boxed_error_waiting("0");
    let _ = dynamic(1);
}
