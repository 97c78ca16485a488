//! Which files may say how a program caches. Whoever can write such a file can have a program open a directory or a server
//! of his choice and take results from it, so a file counts only if nobody else could have written it.

#![allow(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Refused {
    /// There is no such file.
    Missing,
    /// What is wrong with it, and what to do.
    Wrong(String),
}

/// The text of a file that is trusted. Links are followed, and what they lead to is judged: Kubernetes hands out
/// configuration as links to files of root's.
///
/// # Errors
///
/// If it is missing, cannot be read, or is not trusted.
pub(super) fn read(path: &Path) -> Result<String, Refused> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Refused::Missing,
        _ => Refused::Wrong(format!("the file cannot be read: {error}")),
    };
    // judged by what is open, since the name may lead elsewhere a moment later
    let file = open(path).map_err(unreadable)?;
    judge(path, &file.metadata().map_err(unreadable)?).map_err(Refused::Wrong)?;
    let mut bytes = Vec::new();
    // it may grow while it is read
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Refused::Wrong(too_large()));
    }
    String::from_utf8(bytes).map_err(|_| Refused::Wrong("the file is not UTF-8 text".to_owned()))
}

/// Without waiting for whoever is to write into a pipe, and without taking over a terminal.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC,
    );
    options.open(path)
}

fn judge(path: &Path, found: &Metadata) -> Result<(), String> {
    if !found.is_file() {
        let kind = if found.is_dir() { "a directory" } else { "a pipe or device" };
        return Err(format!("the file is not read: it is {kind}, and has to be a regular file"));
    }
    if found.len() > LARGEST {
        return Err(too_large());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // SAFETY: it has no conditions, and cannot fail
        let user = unsafe { libc::geteuid() };
        is_trusted(path, found.uid(), found.mode(), user)?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Whether a file of `owner` with this mode is trusted by a process that runs as `user`.
#[cfg(unix)]
fn is_trusted(path: &Path, owner: u32, mode: u32, user: u32) -> Result<(), String> {
    let path = path.display();
    if owner != user && owner != 0 {
        let users = if user == 0 { "root".to_owned() } else { format!("user {user} or root") };
        return Err(format!(
            "the file is not read: it belongs to user {owner} (mode {:04o}), and has to belong to {users}, \
             as whom the program runs: run `chown {user} {path}`",
            mode & 0o7777
        ));
    }
    if mode & 0o022 != 0 {
        return Err(format!(
            "the file is not read: others than its owner, user {owner}, may write it (mode {:04o}): \
             run `chmod go-w {path}`",
            mode & 0o7777
        ));
    }
    Ok(())
}

fn too_large() -> String {
    format!("the file is not read: it has more than {} MiB", LARGEST >> 20)
}

#[cfg(all(test, unix, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_trusted_by_its_owner_and_mode() {
        let judged = |owner, mode, user| is_trusted(Path::new("memo.toml"), owner, mode, user).err();
        for (owner, mode, user) in [
            (1000, 0o100644, 1000),
            (1000, 0o100600, 1000),
            (0, 0o100644, 1000),
            (0, 0o100444, 0),
            (1000, 0o100755, 1000),
        ] {
            assert_eq!(judged(owner, mode, user), None, "{owner} {mode:o} {user}");
        }
        for (owner, mode, user, cure) in [
            (1000, 0o100644, 0, "chown 0 memo.toml"),
            (1001, 0o100644, 1000, "chown 1000 memo.toml"),
            (1000, 0o100664, 1000, "chmod go-w memo.toml"),
            (0, 0o100646, 1000, "chmod go-w memo.toml"),
            (1000, 0o100666, 1000, "chmod go-w memo.toml"),
        ] {
            let wrong = judged(owner, mode, user).expect("it is refused");
            assert!(wrong.contains(cure) && wrong.contains(&format!("user {owner}")), "{wrong}");
        }
    }
}
