//! One computation per key among processes that share a directory: this test binary, called again.
#![cfg(feature = "disk")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use memo::memoize;

/// How many threads, and how many tasks, of each process ask at once.
const ASKING: u64 = 64;

/// In each process: says that it computes, and computes as long as it was told to.
fn compute(kind: &str, n: u64) -> u64 {
    let log = std::env::var_os("MEMO_LEASE_TEST_LOG").expect("where to say that it computes");
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open(log).expect("a log");
    writeln!(log, "{kind} {n}").expect("there is room");
    if std::env::var_os("MEMO_LEASE_TEST_HANGS").is_some() {
        println!("@computing");
        loop {
            thread::park();
        }
    }
    n * 1000 + u64::from(std::process::id() % 1000)
}

/// The next line that this process is told.
fn told() -> Option<String> {
    std::io::stdin().lines().next()?.ok()
}

#[memoize(engine = "disk", single_flight = "machine", code = "manual")]
fn slow(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(5));
    compute("threads", n)
}

#[memoize(engine = ["memory", "disk"], single_flight = "machine", code = "manual")]
async fn slow_async(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(5)).await;
    compute("tasks", n)
}

#[memoize(engine = "disk", single_flight = "machine", code = "manual", skip(deep))]
fn cycle(n: u64, deep: bool) -> u64 {
    if deep {
        println!("@in");
        told();
        cycle(3 - n, false);
    }
    n
}

/// What a process does: as it is told, a line at a time.
#[test]
fn in_another_process() {
    if std::env::var_os("MEMO_LEASE_TEST_LOG").is_none() {
        return;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    // a store that is still being opened, by three at once, may take longer than a call waits for it
    let _ = slow::peek(u64::MAX);
    while memo::engines().flush().is_err() {
        thread::sleep(Duration::from_millis(10));
    }
    while let Some(line) = told() {
        let (what, n) = line.split_once(' ').expect("two words");
        let n: u64 = n.parse().expect("a number");
        let results: Vec<u64> = match what {
            "threads" => thread::scope(|scope| {
                let calls: Vec<_> = (0..ASKING).map(|_| scope.spawn(|| slow(n))).collect();
                calls.into_iter().map(|call| call.join().unwrap()).collect()
            }),
            "tasks" => runtime.block_on(async {
                let mut calls = Vec::new();
                for call in (0..ASKING).map(|_| tokio::spawn(slow_async(n))).collect::<Vec<_>>() {
                    calls.push(call.await.unwrap());
                }
                calls
            }),
            "cycle" => vec![cycle(n, true)],
            other => panic!("what is {other}?"),
        };
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        println!("@done {}", results[0]);
    }
}

/// A process that does as it is told.
struct Process {
    child: Child,
    input: ChildStdin,
    said: Receiver<String>,
}

impl Process {
    fn start(place: &Path, hangs: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "in_another_process", "--nocapture"])
            .env("MEMO_ENGINES__DISK__PATH", place.join("store"))
            // a call that gives up waiting for the disk computes, as it should; here the machine may be that busy
            .env("MEMO_ENGINES__DISK__BUDGET", "30s")
            .env("MEMO_LEASE_TEST_LOG", log(place))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if hangs {
            command.env("MEMO_LEASE_TEST_HANGS", "1");
        }
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (say, said) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // what the test harness says may stand before it on the line
                if let Some((_, own)) = line.split_once('@') {
                    let _ = say.send(own.to_owned());
                }
            }
        });
        Process { child, input, said }
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    #[track_caller]
    fn hear(&self) -> String {
        self.said.recv_timeout(Duration::from_secs(60)).expect("it goes on")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(place: &Path) -> PathBuf {
    place.join("log")
}

/// How often it was said that `what` is computed.
fn computed(place: &Path, what: &str) -> usize {
    let log = std::fs::read_to_string(log(place)).unwrap_or_default();
    log.lines().filter(|line| *line == what).count()
}

fn nightly() -> bool {
    std::env::var_os("MEMO_TEST_NIGHTLY").is_some()
}

#[test]
fn three_processes_of_many_threads_and_tasks_compute_once() {
    let place = tempfile::tempdir().unwrap();
    let mut processes: Vec<_> = (0..3).map(|_| Process::start(place.path(), false)).collect();
    for round in 0..if nightly() { 500 } else { 25 } {
        for kind in ["threads", "tasks"] {
            let what = format!("{kind} {round}");
            processes.iter_mut().for_each(|process| process.tell(&what));
            let results: Vec<_> = processes.iter().map(Process::hear).collect();
            assert!(results.iter().all(|result| *result == results[0]), "{what}: {results:?}");
            assert_eq!(computed(place.path(), &what), 1, "{what}");
        }
    }
}

#[test]
fn a_killed_process_is_taken_over_from_once() {
    for round in 0..if nightly() { 100 } else { 3 } {
        let place = tempfile::tempdir().unwrap();
        let mut owner = Process::start(place.path(), true);
        let mut others: Vec<_> = (0..2).map(|_| Process::start(place.path(), false)).collect();
        let what = format!("{} 1", ["threads", "tasks"][round % 2]);
        owner.tell(&what);
        assert_eq!(owner.hear(), "computing");
        others.iter_mut().for_each(|process| process.tell(&what));
        // they wait by now, or soon; what is tested holds in either case
        thread::sleep(Duration::from_millis(100));
        assert_eq!(computed(place.path(), &what), 1, "while the owner lives nobody else computes");
        owner.child.kill().unwrap();
        owner.child.wait().unwrap();
        let results: Vec<_> = others.iter().map(Process::hear).collect();
        assert_eq!(results[0], results[1]);
        assert_eq!(computed(place.path(), &what), 2, "the one that was killed, and one of the others");
    }
}

#[test]
fn two_processes_that_hold_what_the_other_wants_do_not_hang() {
    let place = tempfile::tempdir().unwrap();
    let mut processes: Vec<_> = (0..2).map(|_| Process::start(place.path(), false)).collect();
    for (process, n) in processes.iter_mut().zip(1..) {
        process.tell(&format!("cycle {n}"));
        assert_eq!(process.hear(), "in");
    }
    processes.iter_mut().for_each(|process| process.tell("go on"));
    let results: Vec<_> = processes.iter().map(Process::hear).collect();
    assert_eq!(results, ["done 1", "done 2"]);
}
