//! The layers of a crate as its documentation draws them: blocks of lines, the topmost layer first.
//!
//! A line begins with a file, `disk/index.rs`, or with a directory, `disk/index/`, which stands for all files in it and
//! for `disk/index.rs`. What follows says what is there.

use std::collections::BTreeMap;

use crate::imports::Imports;
use crate::named;

/// What is wrong with a drawing: files that are not drawn, or not once; lines without a file; imports that do not go down.
pub(crate) fn problems(drawing: &str, imports: &Imports) -> Vec<String> {
    let blocks = blocks(drawing);
    let mut times: BTreeMap<String, usize> = imports.keys().map(|file| (named(file), 0)).collect();
    let mut problems = Vec::new();
    for name in blocks.iter().flatten() {
        if let Some(times) = times.get_mut(*name) {
            *times += 1;
        } else if !imports.keys().any(|file| covers(name, file)) {
            problems.push(format!("{name} is drawn and not there"));
        }
    }
    let not_once = times.iter().filter(|(_, times)| **times != 1);
    problems.extend(not_once.map(|(file, times)| format!("{file} is drawn {times} times")));
    for block in &blocks {
        let layer = |file: &str| block.iter().position(|name| covers(name, file));
        for (file, imported) in
            imports.iter().flat_map(|(file, all)| all.iter().map(move |other| (file, other)))
        {
            if let (Some(from), Some(to)) = (layer(file), layer(imported))
                && from > to
            {
                problems.push(format!(
                    "{} imports {}, which is drawn above it",
                    named(file),
                    named(imported)
                ));
            }
        }
    }
    problems
}

/// The first word of each line of each block.
fn blocks(drawing: &str) -> Vec<Vec<&str>> {
    let fenced = drawing.split("```").skip(1).step_by(2);
    // the first line says of what kind the block is
    fenced
        .map(|block| block.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect())
        .collect()
}

/// Whether a line of this name stands for a file.
fn covers(name: &str, file: &str) -> bool {
    match name.strip_suffix('/') {
        Some(directory) => {
            file.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        None => named(file) == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(drawing: &str, imports: &[(&str, &[&str])]) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        problems(drawing, &imports.iter().map(|(file, names)| (file.to_string(), owned(names))).collect())
    }

    const IMPORTS: [(&str, &[&str]); 4] = [("", &["a"]), ("a", &["a/x", "b"]), ("a/x", &["b"]), ("b", &[])];

    #[test]
    fn a_drawing_of_all_layers_is_right() {
        let drawing =
            "text\n```text\nlib.rs  the root\na/      with x\nb.rs\n```\n```text\na.rs\na/x.rs\n```";
        assert_eq!(of(drawing, &IMPORTS), [""; 0]);
    }

    #[test]
    fn what_is_missing_or_too_much_is_told() {
        let found = of("```text\nlib.rs\na/\nb.rs\nb.rs\nc.rs\n```", &IMPORTS);
        let expected = [
            "c.rs is drawn and not there",
            "a.rs is drawn 0 times",
            "a/x.rs is drawn 0 times",
            "b.rs is drawn 2 times",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_import_that_goes_up_is_told() {
        let found = of("```text\nlib.rs\nb.rs\na/\n```\n```text\na/x.rs\na.rs\n```", &IMPORTS);
        let up = |file, imported| format!("{file} imports {imported}, which is drawn above it");
        assert_eq!(found, [up("a.rs", "b.rs"), up("a/x.rs", "b.rs"), up("a.rs", "a/x.rs")]);
    }
}
