//! A lease that an engine is being asked for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use memo_engines::{Engine, Error, Key, Lease};

use super::renewer::{TIME, end, give_back, hand_over};

type Asked = Pin<Box<dyn Future<Output = Result<Option<Lease>, Error>> + Send>>;

/// A lease that is being asked for. If nobody waits for the answer any more, it is given back when it comes.
pub(super) struct Asking {
    engine: Arc<dyn Engine>,
    key: Key,
    asked: Option<Asked>,
}

impl Asking {
    pub(super) fn new(engine: Arc<dyn Engine>, key: Key) -> Self {
        let asked = engine.clone();
        Asking { engine, key, asked: Some(Box::pin(async move { asked.lease(&key, TIME).await })) }
    }
}

impl Future for Asking {
    type Output = Result<Option<Lease>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(asked) = &mut self.asked else { return Poll::Ready(Ok(None)) };
        let answer = asked.as_mut().poll(context);
        if answer.is_ready() {
            self.asked = None;
        }
        answer
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let Some(asked) = self.asked.take() else { return };
        let (engine, key) = (self.engine.clone(), self.key);
        hand_over(async move {
            if let Ok(Some(lease)) = asked.await {
                give_back(engine, key, lease, end()).await;
            }
        });
    }
}
