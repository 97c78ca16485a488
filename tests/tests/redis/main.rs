//! Memoized functions whose results live in Redis: real servers, several processes.

#[path = "../../../memo-engines/tests/servers/mod.rs"]
mod servers;

mod coherence;
mod ill;
mod runtimes;
mod tiers;

use std::process::{Command, Stdio};

use memo::engine::{Redis, RedisOptions};

/// Registers an engine of this name at this address.
fn register(name: &str, url: &str) {
    memo::engines().register(name, Redis::open(RedisOptions::at(url)).unwrap());
}

/// Waits until what was handed to the engines is there.
fn flush() {
    // an error is that of another test's engine, whose server is away
    let _ = memo::engines().flush();
}

/// Runs a test of this file, that is ignored otherwise, in a process of its own; gives what it printed on both outputs.
fn in_a_process(test: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).stdin(Stdio::null());
    command.env_remove("MEMO_ENGINES__REDIS__URL").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(output.status.success(), "{printed}");
    printed
}
