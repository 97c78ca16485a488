//! The owner of a lease: a name for a process, by which other processes of this machine see whether it is
//! alive.

use std::process;
use std::sync::OnceLock;

/// The name of this process: its number, when it started, and the namespace in which the number holds.
/// (Containers may share a directory, and each of them counts from 1.) Parts that are not known are empty.
pub(super) fn this_process() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let pid = process::id();
        format!("{} {} {}", namespace(), pid, started(pid).unwrap_or_default())
    })
}

/// Whether this owner may be alive. If that is not known, it may, and its lease ends by its time.
pub(super) fn may_live(owner: &str) -> bool {
    let mut parts = owner.split(' ');
    let (Some(its_namespace), Some(pid), Some(its_start)) = (parts.next(), parts.next(), parts.next()) else {
        return true;
    };
    let Ok(pid) = pid.parse::<u32>() else { return true };
    if its_start.is_empty() || its_namespace.is_empty() || its_namespace != namespace() {
        return true;
    }
    // If the number belongs to another process now, that one started at another time.
    started(pid).as_deref() == Some(its_start)
}

/// When a process started, in ticks since the machine started.
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name, in parentheses, and may contain anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    // A zombie holds no lease.
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

/// The namespace of process numbers, with the boot of the machine. Empty if that is not known.
fn namespace() -> &'static str {
    static NAMESPACE: OnceLock<String> = OnceLock::new();
    NAMESPACE.get_or_init(|| {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let namespace = std::fs::read_link("/proc/self/ns/pid");
        match (boot, namespace) {
            (Ok(boot), Ok(namespace)) => format!("{}/{}", boot.trim(), namespace.display()),
            _ => String::new(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_has_ended_does_not() {
        assert!(may_live(this_process()));
        if namespace().is_empty() {
            return;
        }
        let mut child = process::Command::new("true").spawn().expect("`true` can be run");
        let start = started(child.id()).unwrap_or_else(|| "1".into());
        let owner = format!("{} {} {start}", namespace(), child.id());
        child.wait().expect("it ends");
        assert!(!may_live(&owner));
        let another_start = format!("{} {} 1", namespace(), process::id());
        assert!(!may_live(&another_start), "the number of this process, but not its start");
        assert!(may_live("elsewhere 1 1"), "another machine's or container's: nobody knows");
    }
}
