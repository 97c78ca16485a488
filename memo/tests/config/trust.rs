//! Which files are read, and which are refused since somebody else could have written them.
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use memo::Config;
use tempfile::TempDir;

const TEXT: &str = "defaults.capacity = 5\n";

fn place() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("memo.toml");
    std::fs::write(&path, TEXT).unwrap();
    mode(&path, 0o644);
    (place, path)
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What is wrong with a file, as [`memo::init`] says it.
fn refused(path: &Path) -> String {
    let error = memo::init(Config::new().file(path)).expect_err("it is refused");
    assert_eq!(error.problems().len(), 1, "{error}");
    assert_eq!(error.problems()[0].key(), "");
    error.to_string()
}

in_children! {
    fn a_file_that_others_may_write_is_refused(|setting| setting) {
        let (_place, path) = place();
        for unsafe_mode in [0o664, 0o646, 0o666] {
            mode(&path, unsafe_mode);
            let said = refused(&path);
            let cure = format!("(mode {unsafe_mode:04o}): run `chmod go-w {}`", path.display());
            assert!(said.contains(&cure), "{said}");
        }
        mode(&path, 0o640);
        memo::init(Config::new().file(&path)).unwrap();
        assert_eq!(memo::config().get("defaults.capacity").unwrap().value(), "5");
    }

    /// The one that the environment names is judged as well, and its values are left out.
    fn a_named_file_that_others_may_write_is_left_out(|setting| setting.file("named.toml", TEXT).variable("MEMO_CONFIG", "named.toml")) {
        mode("named.toml".as_ref(), 0o666);
        assert_eq!(memo::config().get("defaults.capacity").unwrap().value(), "10000");
    } then |said| {
        assert_eq!(said.lines().len(), 1, "{}", said.0);
        assert!(said.0.contains("named.toml: the file is not read: others than its owner"), "{}", said.0);
    }

    /// Only root can give a file away.
    fn a_file_of_another_user_is_refused(|setting| setting) {
        let (_place, path) = place();
        if chown(&path, Some(65_534), None).is_err() {
            eprintln!("skipped: only root can give a file to another user");
            return;
        }
        let said = refused(&path);
        assert!(said.contains("it belongs to user 65534 (mode 0644)"), "{said}");
        assert!(said.contains(&format!("run `chown 0 {}`", path.display())), "{said}");
    }

    fn what_a_link_leads_to_is_judged(|setting| setting) {
        let (place, path) = place();
        let link = place.path().join("link.toml");
        symlink(&path, &link).unwrap();
        memo::init(Config::new().file(&link)).unwrap();
        mode(&path, 0o666);
        assert!(refused(&link).contains("chmod go-w"));
    }

    /// Nobody ever writes into it: whoever waited for that would hang.
    fn a_pipe_is_refused_at_once(|setting| setting) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("pipe.toml");
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
        assert!(refused(&path).contains("it is a pipe or device, and has to be a regular file"));
    }

    fn devices_and_directories_are_refused(|setting| setting) {
        assert!(refused("/dev/zero".as_ref()).contains("it is a pipe or device"));
        let place = tempfile::tempdir().unwrap();
        assert!(refused(place.path()).contains("it is a directory"));
    }

    fn a_file_is_read_up_to_its_limit(|setting| setting) {
        let (_place, path) = place();
        let text = |length: usize| format!("{TEXT}#{}", "x".repeat(length - TEXT.len() - 1));
        std::fs::write(&path, text(1 << 20)).unwrap();
        memo::init(Config::new().file(&path)).unwrap();
        std::fs::write(&path, text((1 << 20) + 1)).unwrap();
        assert!(refused(&path).contains("it has more than 1 MiB"));
    }
}
