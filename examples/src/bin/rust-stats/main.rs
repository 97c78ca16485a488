//! Counts what is in a tree of Rust sources: lines, items, functions, unsafe blocks, crates used; by crate
//! and by directory. Each answer comes from memoized functions that call each other, and the program ends
//! with what memoization saved.
//!
//! Read [`parse`] first, where a file becomes a summary, then [`queries`], where summaries become sums, then
//! [`report`], where many threads ask for them.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use options::{Command, Options};
use report::tables;
use table::{Table, duration, number};
use walk::Tree;

mod ask;
#[cfg(test)]
mod fixture;
mod options;
mod parse;
mod queries;
mod report;
mod summary;
mod table;
mod walk;

/// Syntax trees are walked by recursion. The memory is taken from the system as it is used.
const STACK_SIZE: usize = 512 << 20;

fn main() -> ExitCode {
    let options = match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => return print(options::USAGE),
        Err(message) => {
            eprintln!("rust-stats: {message}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).stack_size(STACK_SIZE).build();
    let output = match pool {
        Ok(pool) => pool.install(|| run(&options)),
        Err(error) => Err(error.to_string()),
    };
    match output {
        Ok(output) => print(&output),
        Err(message) => {
            eprintln!("rust-stats: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints to the end, or until nobody reads any more (`rust-stats | head`).
fn print(text: &str) -> ExitCode {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn run(options: &Options) -> Result<String, String> {
    if !options.memo {
        ask::turn_off_memo();
    }
    if options.disk {
        ask::keep_on_disk();
    }
    let walk = || {
        let tree = Tree::walk(&options.dir).map_err(|error| format!("{}: {error}", options.dir.display()))?;
        if tree.sources().next().is_none() {
            return Err(format!("{}: no Rust sources", options.dir.display()));
        }
        Ok(tree)
    };

    let tree = walk()?;
    let (mut output, first) = timed(|| tables(&tree, options.top));
    let savings = if options.memo {
        let (_, again) = timed(|| tables(&tree, options.top));
        let new_tree = walk()?;
        let (_, walked) = timed(|| tables(&new_tree, options.top));
        savings([first, again, walked])
    } else {
        format!("memoization: off, all tables in {}\n", duration(first))
    };
    output.push_str(&savings);
    Ok(output)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

/// What memoization saved.
fn savings([first, again, walked]: [Duration; 3]) -> String {
    let mut times = Table::new("time for all tables", &["", "time", "<why"]);
    times.row(["first".into(), duration(first), "each file parsed once, each sum made once".into()]);
    times.row(["asked again".into(), duration(again), "every answer is there".into()]);
    times.row(["walked again".into(), duration(walked), "no file changed: sums only".into()]);

    let stats: Vec<_> = memo::functions().iter().map(|function| function.stats()).collect();
    let hits = number(stats.iter().map(|stats| stats.hits).sum());
    let misses = number(stats.iter().map(|stats| stats.misses).sum());
    let saved = duration(stats.iter().map(|stats| stats.saved_time).sum());
    let tiers = stats.iter().flat_map(|stats| &stats.tiers);
    let tiers = tiers.map(|tier| {
        let (found, missed) = (number(tier.hits), number(tier.misses));
        format!("{}: {found} found that an earlier run had kept, {missed} not\n", tier.engine)
    });
    let tiers: String = tiers.collect();
    format!(
        "{times}\n{}\nmemoization: {hits} hits, {misses} misses, about {saved} saved\n{tiers}",
        memo::report()
    )
}
