//! How a call was answered, and what an assertion says of it.

use std::fmt;

use crate::scope::{Answer, RecordedCall};

/// Panics unless the last of `calls` was answered as `wanted`.
#[doc(hidden)]
#[track_caller]
pub fn __expect(text: &str, calls: &[RecordedCall], wanted: Answer) {
    let expected = match wanted {
        Answer::Hit => "a hit",
        _ => "computed",
    };
    let Some((last, inner)) = calls.split_last() else {
        panic!(
            "`{text}` should be {expected}, and calls no memoized function on this thread; \
             of an async function, `.await` the call in the assertion"
        );
    };
    if last.answer == wanted {
        return;
    }
    let mut message = format!("`{text}` should be {expected}: {}", InWords(last));
    if !inner.is_empty() {
        message += "\nbefore that:";
        inner.iter().for_each(|call| message += &format!("\n  {}", InWords(call)));
    }
    panic!("{message}");
}

/// A call in words.
struct InWords<'a>(&'a RecordedCall);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RecordedCall { function, answer, engine, stale, time } = self.0;
        match (answer, engine) {
            (Answer::Hit, Some(engine)) => write!(f, "{function} was a hit, from \"{engine}\"")?,
            (Answer::Hit, None) => write!(f, "{function} was a hit")?,
            (Answer::Computed, _) => write!(f, "{function} was computed")?,
            (Answer::Waited, _) => write!(f, "{function} waited for the computation of another call")?,
            (Answer::Unfinished, _) => write!(f, "{function} did not end")?,
        }
        match (stale, answer) {
            (false, _) => {}
            (true, Answer::Hit) => f.write_str(", with a result that is not fresh any more")?,
            (true, _) => f.write_str(", which failed, and the last good result answered")?,
        }
        write!(f, ", in {time:.1?}")
    }
}
