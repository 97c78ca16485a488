//! Memoized functions whose results live in Redis: real servers, several processes.

#[path = "../../../memo-engines/tests/servers/mod.rs"]
mod servers;

mod coherence;
#[cfg(feature = "config")]
mod exit;
mod ill;
#[cfg(feature = "config")]
mod leases;
#[cfg(feature = "config")]
mod reload;
mod runtimes;
mod tiers;

use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// A test of this file, that is ignored otherwise, in a process of its own that does as it is told, a line at a time.
struct Other {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Other {
    fn start(test: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--ignored", "--nocapture"]).envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    fn tell(&mut self, line: impl Display) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// What it says next: what stands behind the first `@` of a line. (The test harness may have written before it.)
    #[track_caller]
    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "it is gone");
            if let Some((_, said)) = line.split_once('@') {
                return said.trim_end().to_owned();
            }
        }
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Says that it is over, also to those who wait for it in a panic.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
