//! The body of a synchronous call, as the path sees it: something to run, of whatever type.

/// A body, to be run once.
///
/// It is behind a reference to a trait, so that what runs it is compiled once for all functions of the same types.
pub trait Body<R> {
    /// Runs it.
    ///
    /// # Panics
    ///
    /// The second time.
    fn run(&mut self) -> R;
}

impl<R, F: FnOnce() -> R> Body<R> for Option<F> {
    fn run(&mut self) -> R {
        match self.take() {
            Some(body) => body(),
            None => has_run(),
        }
    }
}

#[cold]
#[inline(never)]
fn has_run() -> ! {
    unreachable!("a body runs once")
}
