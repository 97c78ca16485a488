//! A contender: a name and a way to call it many times without dynamic dispatch in between.

use std::hint::black_box;

/// One way to memoize one function.
pub struct Contender<K: 'static, V: 'static> {
    /// What the tables call it.
    pub name: &'static str,
    /// The contender that its cost is told against, where that is not a column of the table.
    pub against: Option<&'static str>,
    call: Box<dyn Fn(K) -> V + Sync>,
    pass: Pass<K>,
}

type Pass<K> = Box<dyn Fn(&[K]) + Sync>;

impl<K: Copy, V> Contender<K, V> {
    /// One that is called with one key after the other.
    ///
    /// Neither the key nor the function is known to the optimiser, so that nothing is kept from one
    /// call to the next.
    pub fn new(name: &'static str, function: impl Fn(K) -> V + Sync + 'static) -> Self {
        Self::shared(name, Box::leak(Box::new(function)))
    }

    fn shared(name: &'static str, function: &'static (impl Fn(K) -> V + Sync)) -> Self {
        Self::made(name, function, move |keys| {
            for &key in keys {
                black_box(black_box(function)(black_box(key)));
            }
        })
    }

    /// One whose calls are awaited, all in one task on tokio's current-thread runtime.
    pub fn on_tokio<F: Future<Output = V>>(
        name: &'static str,
        function: impl Fn(K) -> F + Sync + 'static,
    ) -> Self {
        let function: &'static _ = Box::leak(Box::new(function));
        let runtime: &'static _ = Box::leak(Box::new(
            tokio::runtime::Builder::new_current_thread().build().expect("failed to build a runtime"),
        ));
        let call = move |key| runtime.block_on(function(key));
        Self::made(name, call, move |keys| {
            runtime.block_on(async {
                for &key in keys {
                    black_box(black_box(function)(black_box(key)).await);
                }
            });
        })
    }

    fn made(
        name: &'static str,
        call: impl Fn(K) -> V + Sync + 'static,
        pass: impl Fn(&[K]) + Sync + 'static,
    ) -> Self {
        Self { name, against: None, call: Box::new(call), pass: Box::new(pass) }
    }

    /// Tells its cost against another contender of the same case.
    pub fn against(mut self, name: &'static str) -> Self {
        self.against = Some(name);
        self
    }

    /// The same, each pass and each single call within `around`.
    pub fn within(self, around: impl Fn(&mut dyn FnMut()) + Clone + Sync + 'static) -> Self
    where
        V: 'static,
    {
        let Self { name, against, call, pass } = self;
        let around_pass = around.clone();
        let call = move |key| {
            let mut result = None;
            around(&mut || result = Some(call(key)));
            result.expect("it has been called")
        };
        Self {
            name,
            against,
            call: Box::new(call),
            pass: Box::new(move |keys| around_pass(&mut || pass(keys))),
        }
    }

    /// One call.
    pub fn call(&self, key: K) -> V {
        (self.call)(key)
    }

    /// One call for each key.
    pub fn pass(&self, keys: &[K]) {
        (self.pass)(keys);
    }
}

impl Contender<u64, u64> {
    /// The same function called twice over: with one key after the other, and with each result as
    /// the next key, as often as there are keys.
    pub fn both(name: &'static str, function: impl Fn(u64) -> u64 + Sync + 'static) -> [Self; 2] {
        let function: &'static _ = Box::leak(Box::new(function));
        let chase = move |keys: &[u64]| {
            let mut key = keys[0];
            for _ in keys {
                key = black_box(function)(key);
            }
            black_box(key);
        };
        [Self::shared(name, function), Self::made(name, function, chase)]
    }
}

/// A recursive contender, and how its cache is emptied.
pub struct Recursive {
    /// What the tables call it.
    pub name: &'static str,
    /// Empties the cache.
    pub clear: Box<dyn Fn()>,
    /// The Fibonacci numbers, by recursion through the cache.
    pub fib: Box<dyn Fn(u64) -> u64>,
}

impl Recursive {
    /// Puts it together.
    pub fn new(name: &'static str, clear: impl Fn() + 'static, fib: impl Fn(u64) -> u64 + 'static) -> Self {
        Self { name, clear: Box::new(clear), fib: Box::new(fib) }
    }
}
