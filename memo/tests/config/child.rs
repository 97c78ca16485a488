//! Tests that run in a process and a directory of their own, since there is one configuration and one environment for
//! each process.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const CHILD: &str = "CONFIG_TEST_CHILD";

/// The file that a child reads, unless its variables say otherwise; empty where a test says nothing.
const FILE: &str = "memo.toml";

/// Where a child runs, and with what.
pub(crate) struct Setting {
    place: TempDir,
    variables: Vec<(String, String)>,
}

impl Setting {
    /// A file in the directory in which the child runs.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        write_to(&self.place.path().join(name), text);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What a child has said on its standard error.
pub(crate) struct Said(pub(crate) String);

impl Said {
    /// The lines that `memo` has written.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.0.lines().filter(|line| line.starts_with("memo: ")).collect()
    }
}

/// Runs `body` in a process of its own, and `after` with what that has said.
pub(crate) fn run(
    test: &str,
    setting: impl FnOnce(Setting) -> Setting,
    body: impl FnOnce(),
    after: impl FnOnce(Said),
) {
    if std::env::var(CHILD).is_ok_and(|child| child == test) {
        return body();
    }
    let setting = setting(Setting { place: tempfile::tempdir().unwrap(), variables: Vec::new() });
    if !setting.place.path().join(FILE).exists() {
        write_to(&setting.place.path().join(FILE), "");
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("MEMO_") && name != "MEMO_TEST_NIGHTLY") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .env("MEMO_CONFIG", FILE)
        .envs(setting.variables.iter().map(|(name, value)| (name, value)))
        .current_dir(setting.place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{said}");
    assert!(printed.contains("1 passed"), "{test} is no test: {printed}");
    after(Said(said));
}

/// The file that a child runs beside.
pub(crate) fn write(text: &str) {
    write_to(FILE.as_ref(), text);
}

/// A file that is trusted whatever the mask of the one who runs the tests.
pub(crate) fn write_to(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
}

/// Tests whose bodies run in processes of their own: `name(setting) { body }`, and perhaps `then |said| { .. }`.
macro_rules! in_children {
    ($($(#[$meta:meta])* fn $name:ident($setting:expr) $body:block $(then |$said:ident| $after:block)?)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            let path = concat!(module_path!(), "::", stringify!($name));
            let (_, test) = path.split_once("::").unwrap();
            let after = |_said: $crate::child::Said| {
                $(let $said = _said; $after)?
            };
            $crate::child::run(test, $setting, || $body, after);
        }
    )*};
}
