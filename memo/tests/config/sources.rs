//! Which files and variables count: what somebody asks for, and nothing that the one who starts a program can slip in.

#![allow(unsafe_code)]

use memo::Config;

fn capacity() -> String {
    memo::config().get("defaults.capacity").unwrap().value().to_owned()
}

const TEXT: &str = "defaults.capacity = 5\n";

in_children! {
    fn the_working_directory_is_not_searched_unasked(|setting| setting.file("memo.toml", TEXT).variable("MEMO_CONFIG", "")) {
        assert_eq!(capacity(), "10000");
        memo::init(Config::new()).unwrap();
        memo::reload().unwrap();
        assert_eq!(capacity(), "10000");
    } then |said| {
        assert_eq!(said.lines(), [
            "memo: warning: `memo.toml` in the working directory is not read, since nobody asks for it: set \
             MEMO_CONFIG=memo.toml, or call `memo::init(memo::Config::new().search(\".\"))`",
        ]);
    }

    fn a_directory_is_searched_on_request(|setting| setting.variable("MEMO_CONFIG", "")) {
        std::fs::create_dir("conf").unwrap();
        memo::init(Config::new().search("conf")).unwrap();
        assert_eq!(capacity(), "10000");
        crate::child::write_to("conf/memo.toml".as_ref(), TEXT);
        memo::reload().unwrap();
        assert_eq!(capacity(), "5");
        std::fs::remove_file("conf/memo.toml").unwrap();
        memo::reload().unwrap();
        assert_eq!(capacity(), "10000");
    } then |said| {
        // `memo.toml` is there, as in any of these tests, and the program has said where to look
        assert!(said.lines().is_empty(), "{}", said.0);
    }

    fn a_named_file_goes_before_a_search(|setting| {
        setting.file("memo.toml", TEXT).file("named.toml", "defaults.capacity = 6").variable("MEMO_CONFIG", "named.toml")
    }) {
        memo::init(Config::new().search(".")).unwrap();
        assert_eq!(capacity(), "6");
        memo::init(Config::new().search(".").file("memo.toml")).unwrap();
        assert_eq!(capacity(), "5");
    }
}

/// In a copy of this program that belongs to root and is setuid, run by somebody else.
#[cfg(target_os = "linux")]
#[test]
fn a_setuid_program_goes_by_its_code_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    const CHILD: &str = "CONFIG_TEST_SETUID";
    const TEST: &str = "sources::a_setuid_program_goes_by_its_code_alone";
    // SAFETY: none of these has conditions, or can fail
    let (user, effective) = unsafe { (libc::getuid(), libc::geteuid()) };
    if std::env::var_os(CHILD).is_some() {
        println!("raised: {}", user != effective);
        println!("by nothing: {}", capacity());
        memo::init(Config::new().file("memo.toml")).unwrap();
        println!("by a relative path: {}", capacity());
        memo::init(Config::new().search(std::env::current_dir().unwrap())).unwrap();
        println!("by an absolute path: {}", capacity());
        memo::init(Config::new().defaults("capacity", 9)).unwrap();
        println!("by code: {}", capacity());
        return;
    }
    if effective != 0 {
        eprintln!("skipped: only root can make a program of root's that is setuid");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(place.path(), 0o755);
    crate::child::write_to(&place.path().join("memo.toml"), TEXT);
    let program = place.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    mode(&program, 0o4755);
    let mut command = Command::new(&program);
    command
        .args(["--exact", TEST, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .env("MEMO_CONFIG", place.path().join("memo.toml"))
        .env("MEMO_DEFAULTS__CAPACITY", "7")
        .current_dir(place.path())
        .uid(65_534)
        .gid(65_534);
    // a child of another test may hold the copy open for writing, until it has become another program
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => break output.unwrap(),
        }
    };
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}\n{said}");
    if printed.contains("raised: false") {
        eprintln!("skipped: programs do not become another user's here");
        return;
    }
    let expected = "by nothing: 10000\nby a relative path: 10000\nby an absolute path: 5\nby code: 9\n";
    assert!(printed.contains(expected), "{printed}\n{said}");
    assert_eq!(said.matches("whoever started it lacks").count(), 1, "{said}");
}
