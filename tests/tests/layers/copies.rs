//! Files that two crates have, since neither can have them from the other.

use std::fs;

use crate::root;

/// Those of which each crate has its own.
const COPIES: [[&str; 2]; 1] = [["memo/src/per_process.rs", "memo-engines/src/per_process.rs"]];

#[test]
fn copies_are_the_same() {
    for [one, other] in COPIES {
        let read = |path| fs::read_to_string(root().join(path)).expect("a source file can be read");
        assert!(read(one) == read(other), "`{one}` and `{other}` differ: change both");
    }
}

#[test]
fn no_source_file_is_a_link() {
    // a checkout on Windows has a text file in the place of each
    for [one, other] in COPIES {
        for path in [one, other] {
            let file = fs::symlink_metadata(root().join(path)).expect("it is there");
            assert!(file.is_file(), "`{path}` is a link");
        }
    }
}
