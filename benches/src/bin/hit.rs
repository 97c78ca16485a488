//! `hit CONTENDER N`: N u64 → u64 hits of one contender, for counting instructions
//! (`benches/callgrind.sh`). The contender `loop` is the loop around the others.
//!
//! `hit CONTENDER N miss`: N misses over its capacity instead, of keys that never repeat.

use std::process::ExitCode;

use memo_benches::contender::Contender;
use memo_benches::entrants::Entrants;
use memo_benches::work::{Calls, fresh};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, n, misses) = match &arguments[..] {
        [name, n] => (name, n, false),
        [name, n, miss] if miss == "miss" => (name, n, true),
        _ => {
            eprintln!("usage: hit CONTENDER N [miss]");
            return ExitCode::FAILURE;
        }
    };
    let Ok(n) = n.parse::<usize>() else {
        eprintln!("N is a number of calls, not {n:?}");
        return ExitCode::FAILURE;
    };
    let entrants = Entrants::new();
    let mut contenders = if misses { entrants.misses } else { entrants.numbers };
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
