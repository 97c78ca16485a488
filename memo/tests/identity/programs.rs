//! Programs of one name, and programs of several: where their results are by default.

use std::path::{Path, PathBuf};

use memo::memoize;

use super::{role, run, warnings};

#[memoize(engine = "disk", code = "manual")]
fn of_the_program(n: u32) -> String {
    format!("{n} of {}", role().unwrap_or_default())
}

/// Programs that differ in nothing but their names and places.
struct Programs(tempfile::TempDir);

impl Programs {
    fn new() -> Self {
        Programs(tempfile::tempdir().unwrap())
    }

    /// One at this place.
    fn install(&self, place: &str) -> PathBuf {
        let program = self.0.path().join(place);
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        let this = std::env::current_exe().unwrap();
        if std::fs::hard_link(&this, &program).is_err() {
            std::fs::copy(&this, &program).unwrap();
        }
        program
    }

    /// What is found for the program at `place`, which calls itself `role`.
    fn found(&self, place: &str, role: &str, shared: &str) {
        let program = self.0.path().join(place);
        let cache = self.0.path().join("cache");
        let variables = [("XDG_CACHE_HOME", &*cache), ("MEMO_ENGINES__DISK__SHARED", Path::new(shared))];
        let said = run(&program, "programs::as_a_program", role, &variables);
        assert!(warnings(&said).is_empty(), "{said}");
    }

    /// What is below `memo` in the cache directory.
    fn places(&self) -> Vec<String> {
        let list = std::fs::read_dir(self.0.path().join("cache/memo")).unwrap();
        let mut places: Vec<_> =
            list.map(|place| place.unwrap().file_name().into_string().unwrap()).collect();
        places.sort();
        places
    }
}

/// What a program does: it expects the results of the program in its role, before the `:` if that is another one.
#[test]
fn as_a_program() {
    let Some(role) = role() else { return };
    let (expected, finds) = match role.split_once(':') {
        Some((other, _)) => (other, 1),
        None => (&*role, 0),
    };
    assert_eq!(of_the_program(1), format!("1 of {expected}"));
    assert_eq!(of_the_program::stats().tiers[0].hits, finds, "as {role}");
    memo::engines().flush().unwrap();
}

#[test]
fn promise_25_programs_have_places_of_their_own() {
    let programs = Programs::new();
    for place in ["one/cli", "other/cli", "one/xtask"] {
        programs.install(place);
        // each computes, and finds its own when it is run again
        programs.found(place, place, "false");
        programs.found(place, &format!("{place}:again"), "false");
    }
    let places = programs.places();
    assert_eq!(places.iter().filter(|place| place.starts_with("cli-")).count(), 2, "{places:?}");
    assert_eq!(places.iter().filter(|place| place.starts_with("xtask-")).count(), 1, "{places:?}");
}

#[test]
fn programs_share_where_they_say_so() {
    let programs = Programs::new();
    programs.install("one/cli");
    programs.install("other/xtask");
    programs.found("one/cli", "cli", "true");
    programs.found("other/xtask", "cli:xtask", "true");
    assert_eq!(programs.places(), ["v1"]);
}

#[test]
fn all_builds_of_a_program_have_one_place() {
    let programs = Programs::new();
    let target = programs.0.path().join("target");
    for place in ["target/debug/cli", "target/release/cli", "target/debug/deps/cli-0123456789abcdef"] {
        programs.install(place);
    }
    std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
    programs.found("target/debug/cli", "cli", "false");
    programs.found("target/release/cli", "cli:release", "false");
    programs.found("target/debug/deps/cli-0123456789abcdef", "cli:test", "false");
    assert_eq!(programs.places().len(), 1);
}
