//! `hit CONTENDER N`: N u64 → u64 hits of one contender, for counting instructions
//! (`benches/callgrind.sh`). The contender `loop` is the loop around the others.
//!
//! `hit CONTENDER N miss`: N misses over its capacity instead, of keys that never repeat.
//!
//! `hit CONTENDER N info`: N hits while a subscriber of `tracing` wants events of that level and above (feature
//! `tracing`); so with each of its levels.

use std::process::ExitCode;

use memo_benches::contender::Contender;
use memo_benches::entrants::Entrants;
use memo_benches::work::{Calls, fresh};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, n, misses) = match &arguments[..] {
        [name, n] => (name, n, false),
        [name, n, miss] if miss == "miss" => (name, n, true),
        [name, n, level] if subscribe(level) => (name, n, false),
        _ => {
            eprintln!("usage: hit CONTENDER N [miss | LEVEL]");
            return ExitCode::FAILURE;
        }
    };
    let Ok(n) = n.parse::<usize>() else {
        eprintln!("N is a number of calls, not {n:?}");
        return ExitCode::FAILURE;
    };
    let entrants = Entrants::new();
    let mut contenders = if misses { entrants.misses } else { entrants.numbers };
    if !misses {
        contenders.extend(entrants.ttl);
    }
    contenders.push(Contender::new("loop", |x| x));
    let Some(contender) = contenders.iter().find(|it| it.name == name) else {
        let names: Vec<_> = contenders.iter().map(|it| it.name).collect();
        eprintln!("no contender {name:?}; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    let calls = Calls::new().numbers;
    let keys = || if misses { fresh(calls.len()) } else { calls.clone() };
    contender.pass(&keys());
    for _ in 0..n / calls.len() {
        contender.pass(&keys());
    }
    ExitCode::SUCCESS
}

/// Sets a subscriber for events of `level` and above, where there can be one.
#[cfg(feature = "tracing")]
fn subscribe(level: &str) -> bool {
    use tracing::level_filters::LevelFilter;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    /// Takes what it wants and does nothing with it: what that costs is the subscriber's affair.
    struct UpTo(LevelFilter);

    impl Subscriber for UpTo {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() <= self.0
        }
        fn max_level_hint(&self) -> Option<LevelFilter> {
            Some(self.0)
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    let subscribed = level.parse().map(|level| tracing::subscriber::set_global_default(UpTo(level)));
    matches!(subscribed, Ok(Ok(())))
}

/// Without the feature there can be none.
#[cfg(not(feature = "tracing"))]
fn subscribe(_: &str) -> bool {
    false
}
