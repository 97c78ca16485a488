//! Files that import each other, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::imports::Imports;

/// The circles among the files: for each group of files that all lead to each other, the shortest way round. It ends where
/// it begins.
pub(crate) fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let mut circles: Vec<Vec<String>> = Vec::new();
    for file in imports.keys() {
        let is_known = circles.iter().any(|circle| {
            way(imports, file, &circle[0]).is_some() && way(imports, &circle[0], file).is_some()
        });
        if !is_known && let Some(circle) = shortest(imports, file) {
            circles.push(circle);
        }
    }
    circles
}

/// The groups of files that all lead to each other.
pub(crate) fn groups(imports: &Imports) -> Vec<BTreeSet<String>> {
    circles(imports).iter().map(|circle| group(imports, &circle[0])).collect()
}

/// The group of this file, which is on a circle.
fn group(imports: &Imports, file: &str) -> BTreeSet<String> {
    let returns =
        |other: &&String| way(imports, file, other).is_some() && way(imports, other, file).is_some();
    imports.keys().filter(returns).cloned().collect()
}

/// The shortest circle in the group of this file.
fn shortest(imports: &Imports, file: &str) -> Option<Vec<String>> {
    way(imports, file, file)?;
    group(imports, file).iter().filter_map(|file| way(imports, file, file)).min_by_key(Vec::len)
}

/// The shortest way from one file to another, of at least one step.
fn way(imports: &Imports, from: &str, to: &str) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(file) = open.pop_front() {
        for next in imports.get(file).into_iter().flatten() {
            if before.contains_key(next.as_str()) {
                continue;
            }
            before.insert(next, file);
            if next == to {
                return Some(trace(&before, from, to));
            }
            open.push_back(next);
        }
    }
    None
}

fn trace(before: &BTreeMap<&str, &str>, from: &str, to: &str) -> Vec<String> {
    let mut way = vec![to.to_owned()];
    let mut at = before[to];
    while at != from {
        way.push(at.to_owned());
        at = before[at];
    }
    way.push(from.to_owned());
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(imports: &[(&str, &[&str])]) -> Vec<Vec<String>> {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        circles(&imports.iter().map(|(file, names)| (file.to_string(), owned(names))).collect())
    }

    #[test]
    fn layers_have_no_circle() {
        assert_eq!(of(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]), [[""; 0]; 0]);
    }

    #[test]
    fn a_circle_of_two_is_found() {
        assert_eq!(of(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]), [["b", "c", "b"]]);
    }

    #[test]
    fn a_circle_of_three_is_found() {
        let found = of(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]);
        assert_eq!(found, [["a", "b", "c", "a"]]);
    }

    #[test]
    fn each_group_is_told_once_and_by_its_shortest_circle() {
        let found = of(&[
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a", "d"]),
            ("d", &["c", "e"]),
            ("e", &["f"]),
            ("f", &["e"]),
        ]);
        assert_eq!(found, [["c", "d", "c"], ["e", "f", "e"]]);
    }
}
