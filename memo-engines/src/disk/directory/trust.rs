//! Whose files may be used.

use rustix::fs::Stat;

use super::refusal::Refusal;

/// Whether what belongs to a user may be used: this user's own, and root's, who can do anything in any case.
pub(super) fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

/// Whose something is and what others may do with it, in words.
pub(super) fn rights(stat: &Stat) -> String {
    format!("user {}, mode {:04o}", stat.st_uid, stat.st_mode & 0o7777)
}

/// Refuses what is another user's, or what others may write to. `name` is what people know it by, `cure` what helps where it is
/// another user's.
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
