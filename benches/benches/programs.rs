//! `cargo bench -p memo-benches --bench programs -- [--quick] [program filter]`
//!
//! What whole programs take, each contender in a process of its own, in turns. With the feature `disk`, also a command line
//! that is run twice.

use std::process::{Command, ExitCode};

use memo_benches::report::{Row, Table, machine};
use memo_benches::turns::in_turns;
use memo_benches::{goals, programs};

fn main() -> ExitCode {
    let mut rounds = 21;
    let mut filters = Vec::new();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [run, program, contender, rest @ ..] = &arguments[..]
        && run == RUN
    {
        child(program, contender, rest);
        return ExitCode::SUCCESS;
    }
    for argument in arguments {
        match argument.as_str() {
            "--quick" => rounds = 5,
            // what `cargo bench` says to every harness
            "--bench" => {}
            option if option.starts_with('-') => {
                eprintln!("unknown option {option}; there are --quick and program filters");
                return ExitCode::FAILURE;
            }
            filter => filters.push(filter.to_owned()),
        }
    }
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));

    println!("{rounds} rounds, on {}", machine());
    let mut tables = Vec::new();
    let mut done = |table: Table| {
        print!("{table}");
        tables.push(table);
    };
    for program in programs::all().iter().filter(|program| wanted(program.name)) {
        done(measured(program, rounds));
    }
    #[cfg(feature = "disk")]
    if wanted(command_line::NAME) {
        done(command_line::measured(rounds));
    }
    if tables.is_empty() {
        let names: Vec<_> = programs::all().iter().map(|program| program.name).collect();
        eprintln!("no program matches; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    }

    println!("\ngoals: whole programs");
    for goal in &goals::PROGRAMS {
        println!("{}", goal.judge(&tables));
    }
    ExitCode::SUCCESS
}

/// What the bench says to itself: run one program once, and print its figure.
const RUN: &str = "--run";

fn itself(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path to this program"));
    command.arg(RUN).args(arguments);
    command
}

fn child(program: &str, contender: &str, _rest: &[String]) {
    #[cfg(feature = "disk")]
    if program == command_line::NAME {
        return command_line::child(contender, &_rest[0]);
    }
    let program = programs::all().into_iter().find(|it| it.name == program).expect("a program");
    let contender = program.contenders.iter().find(|it| it.name == contender).expect("a contender");
    println!("{}", (contender.run)());
}

fn measured(program: &programs::Program, rounds: usize) -> Table {
    let samples = in_turns(&program.contenders, rounds, |contender| {
        let output = itself(&[program.name, contender.name]).output().expect("a process");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{} by {}: {}",
            program.name,
            contender.name,
            String::from_utf8_lossy(&output.stderr)
        );
        Some(said.trim().parse().expect("a figure"))
    });
    let against = |name: &str| (name != "cached").then_some("cached");
    let row = |(it, samples): (&programs::Contender, _)| Row::new(it.name, against(it.name), samples);
    let rows = program.contenders.iter().zip(samples).map(row).collect();
    Table { case: program.name, about: program.about, unit: program.unit, rows }
}

#[cfg(feature = "disk")]
mod command_line {
    use std::path::Path;
    use std::time::Instant;

    use memo_benches::programs::command_line::{CONTENDERS, Contender};
    use memo_benches::report::{Row, Table};
    use memo_benches::turns::in_turns;

    pub(crate) const NAME: &str = "command-line";

    pub(crate) fn child(contender: &str, directory: &str) {
        let contender = CONTENDERS.iter().find(|it| it.name == contender).expect("a contender");
        (contender.run)(Path::new(directory));
    }

    /// Each contender twice with one directory: whole processes, from their start to their end.
    pub(crate) fn measured(rounds: usize) -> Table {
        let samples = in_turns(&CONTENDERS, rounds, |contender| {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().to_str().expect("a path in UTF-8");
            Some([(); 2].map(|()| run(contender, path)))
        });
        let rows = CONTENDERS.iter().zip(samples).flat_map(|(contender, samples)| {
            let of = |run: usize| samples.iter().map(|sample| sample[run]).collect();
            let (first, second, against) = match contender.name {
                "without" => ("without", "without, again", None),
                "memo" => ("memo, first", "memo, again", Some("cached redb, again")),
                _ => ("cached redb, first", "cached redb, again", None),
            };
            [
                Row::new(first, Some("without").filter(|it| *it != first), of(0)),
                Row::new(second, against, of(1)),
            ]
        });
        let rows = rows.collect();
        Table {
            case: NAME,
            about: "200 summaries of 0.3 ms, stored on disk, then read",
            unit: "ms a process",
            rows,
        }
    }

    fn run(contender: &Contender, directory: &str) -> f64 {
        let start = Instant::now();
        let output = super::itself(&[NAME, contender.name, directory]).output().expect("a process");
        let took = start.elapsed().as_secs_f64() * 1e3;
        assert!(output.status.success(), "{}: {}", contender.name, String::from_utf8_lossy(&output.stderr));
        took
    }
}
