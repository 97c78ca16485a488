//! `cargo bench -p memo-benches --bench hits -- [--quick] [case filter]`

use std::process::ExitCode;

use memo_benches::report::machine;
use memo_benches::work::Calls;
use memo_benches::{cases, entrants::Entrants, goals};

fn main() -> ExitCode {
    let mut rounds = 300;
    let mut filters = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => rounds = 40,
            // what `cargo bench` says to every harness
            "--bench" => {}
            option if option.starts_with('-') => {
                eprintln!("unknown option {option}; there are --quick and case filters");
                return ExitCode::FAILURE;
            }
            filter => filters.push(filter.to_owned()),
        }
    }
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let cases: Vec<_> = cases::ALL.iter().filter(|case| wanted(case.name)).collect();
    if cases.is_empty() {
        let names: Vec<_> = cases::ALL.iter().map(|case| case.name).collect();
        eprintln!("no case matches; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    }

    println!("{rounds} rounds, on {}", machine());
    let entrants = Entrants::new();
    let calls = Calls::new();
    let tables: Vec<_> = cases
        .into_iter()
        .map(|case| case.run(&entrants, &calls, rounds))
        .inspect(|table| print!("{table}"))
        .collect();

    for (title, goals) in [("memoize", &goals::SPINE[..]), ("an engine of our own", &goals::ENGINE[..])] {
        println!("\ngoals: {title}");
        for goal in goals {
            println!("{}", goal.judge(&tables));
        }
    }
    ExitCode::SUCCESS
}
