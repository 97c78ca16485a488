//! Children whose system calls are watched, refused or held up, by the tool `strace`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Whether `strace` is there and may be used; says so where not.
pub fn available() -> bool {
    let traced = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    let there = traced.is_ok_and(|output| output.status.success());
    if !there {
        super::skipped::skipped("there is no strace, or this process may not trace others");
    }
    there
}

/// This test binary, to run only the test `test`, which finds `role` in the environment variable `variable`.
pub fn child(test: &str, variable: &str, role: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(variable, role);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    command
}

/// `command` under `strace` with `options`, which writes what it sees to `log`.
pub fn traced(command: &Command, options: &[&str], log: &Path) -> Command {
    let mut traced = Command::new("strace");
    traced.arg("-f").arg("-o").arg(log).args(options).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    traced.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    traced
}
