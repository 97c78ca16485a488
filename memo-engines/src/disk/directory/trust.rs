//! Whose files may be used.

use rustix::fs::Stat;

use super::refusal::Refusal;

/// Whether a user's files may be used. Those of this user may, and those of root, who can do anything in
/// any case.
pub(super) fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

/// The owner and mode of a file, in words.
pub(super) fn rights(stat: &Stat) -> String {
    format!("user {}, mode {:04o}", stat.st_uid, stat.st_mode & 0o7777)
}

/// Refuses a file that belongs to another user, or that other users may write to. `name` is what people
/// know it by. `cure` says what to do if it belongs to another user.
pub(super) fn check(name: &str, stat: &Stat, cure: &str) -> Result<(), Refusal> {
    let rights = rights(stat);
    if !is_trusted(stat.st_uid) {
        Err(Refusal::Because(format!("{name} belongs to another user ({rights}); {cure}")))
    } else if stat.st_mode & 0o022 != 0 {
        Err(Refusal::Because(format!("other users may write to {name} ({rights}); chmod go-w it")))
    } else {
        Ok(())
    }
}
