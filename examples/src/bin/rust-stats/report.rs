//! The tables: what there is to say about a tree, asked of the memoized functions.

use std::cmp::Reverse;

use rayon::prelude::*;

use crate::{
    ask,
    summary::Totals,
    table::{Table, number},
    walk::{DirId, Tree},
};

/// Everything this program has to say about a tree. Each table asks the same few memoized functions.
pub(crate) fn tables(tree: &Tree, top: usize) -> String {
    // All the expensive work, on all threads. What follows asks for what is now known.
    tree.sources().collect::<Vec<_>>().par_iter().for_each(|file| {
        // An error is counted where the file's directory is summed up.
        let _ = ask::parse(&file.path, file.stamp);
    });
    tree.dir_ids().collect::<Vec<_>>().par_iter().for_each(|&dir| {
        ask::totals(tree, dir);
    });

    let tables = [
        Some(totals_table(tree)),
        Some(items_table(tree)),
        Some(package_table(tree, top)),
        dir_table(tree, top),
        Some(used_crates_table(tree, top)),
        Some(longest_table(tree, top)),
        failures_table(tree, top),
    ];
    tables.iter().flatten().fold(String::new(), |text, table| text + &table.to_string() + "\n")
}

const SUMS: [&str; 10] =
    ["", "files", "lines", "code", "comment", "blank", "fns", "generic", "unsafe", "longest"];

fn sums_row(name: String, sum: &Totals) -> [String; 10] {
    [
        name,
        number(sum.files),
        number(sum.lines.total()),
        number(sum.lines.code),
        number(sum.lines.comment),
        number(sum.lines.blank),
        number(sum.functions),
        number(sum.generics),
        number(sum.unsafe_blocks),
        number(sum.longest as u64),
    ]
}

fn totals_table(tree: &Tree) -> Table {
    let sum = ask::totals(tree, tree.root());
    let mut table = Table::new(format!("totals of {}", tree.dir(tree.root()).path.display()), &SUMS);
    table.row(sums_row("all".to_owned(), &sum));
    table
}

fn items_table(tree: &Tree) -> Table {
    let mut table = Table::new("items", &["kind", "count"]);
    for (kind, count) in &ask::totals(tree, tree.root()).items {
        table.row([kind.name().to_owned(), number(*count)]);
    }
    table
}

fn package_table(tree: &Tree, top: usize) -> Table {
    let mut packages: Vec<_> = tree
        .dir_ids()
        .filter_map(|dir| Some((ask::package_name(tree, dir)?.to_string(), ask::package_totals(tree, dir))))
        .collect();
    if ask::package_name(tree, tree.root()).is_none() {
        packages.push(("(in no crate)".to_owned(), ask::package_totals(tree, tree.root())));
    }
    packages.retain(|(_, sum)| sum.files > 0);
    packages.sort_by_key(|(_, sum)| Reverse(sum.lines.code));

    let mut table = Table::new(title("by crate", top, packages.len()), &SUMS);
    for (name, sum) in packages.into_iter().take(top) {
        table.row(sums_row(name, &sum));
    }
    table
}

fn dir_table(tree: &Tree, top: usize) -> Option<Table> {
    let mut dirs: Vec<_> = tree
        .dir_ids()
        .filter(|&dir| dir != tree.root() && !only_leads_on(tree, dir))
        .map(|dir| (dir, ask::totals(tree, dir)))
        .filter(|(_, sum)| sum.files > 0)
        .collect();
    dirs.sort_by_key(|(_, sum)| Reverse(sum.lines.code));

    let mut table = Table::new(title("by directory, all below included", top, dirs.len()), &SUMS);
    for (dir, sum) in dirs.iter().take(top) {
        table.row(sums_row(relative(tree, *dir), sum));
    }
    (!dirs.is_empty()).then_some(table)
}

/// Whether there is but one thing in this directory, and that is another directory.
fn only_leads_on(tree: &Tree, dir: DirId) -> bool {
    let dir = tree.dir(dir);
    dir.sources.is_empty() && dir.children.len() == 1
}

fn used_crates_table(tree: &Tree, top: usize) -> Table {
    let sum = ask::totals(tree, tree.root());
    let mut crates: Vec<_> = sum.crates.iter().collect();
    crates.sort_by_key(|(_, files)| Reverse(**files));

    let mut table = Table::new(title("crates used", top, crates.len()), &["crate", "files"]);
    for (name, files) in crates.into_iter().take(top) {
        table.row([name.clone(), number(*files)]);
    }
    table
}

fn longest_table(tree: &Tree, top: usize) -> Table {
    let mut table = Table::new("longest functions", &["function", "lines", "<where"]);
    for place in ask::longest(tree, tree.root(), top).iter() {
        let path = tree.relative(&place.path).display();
        table.row([place.function.clone(), number(place.lines as u64), format!("{path}:{}", place.line)]);
    }
    table
}

fn failures_table(tree: &Tree, top: usize) -> Option<Table> {
    let sum = ask::totals(tree, tree.root());
    let unreadable = tree.unreadable().iter().map(|(path, error)| (path, error.clone()));
    let failures: Vec<_> =
        sum.failures.iter().map(|f| (&f.path, f.error.to_string())).chain(unreadable).collect();

    let mut table = Table::new(title("left out", top, failures.len()), &["file", "<why"]);
    for (path, error) in failures.iter().take(top) {
        table.row([tree.relative(path).display().to_string(), error.clone()]);
    }
    (!failures.is_empty()).then_some(table)
}

/// A title that says how many rows there would be.
fn title(title: &str, top: usize, rows: usize) -> String {
    if rows > top { format!("{title} (first {top} of {})", number(rows as u64)) } else { title.to_owned() }
}

fn relative(tree: &Tree, dir: DirId) -> String {
    tree.relative(&tree.dir(dir).path).display().to_string()
}
