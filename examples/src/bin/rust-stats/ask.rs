//! The switch behind `--no-memo`: every question, with or without the caches.
//!
//! `uncached` runs a memoized function's body and touches no cache. The bodies ask their own questions
//! through this module too, so one switch turns off the whole chain.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    parse::{self, Digest, ParseError},
    queries::Place,
    summary::{Summary, Totals},
    walk::{DirId, Stamp, Tree},
};

static MEMO: AtomicBool = AtomicBool::new(true);
static DISK: AtomicBool = AtomicBool::new(false);

/// From now on what is parsed is kept on disk as well.
pub(crate) fn keep_on_disk() {
    DISK.store(true, Ordering::Relaxed);
}

/// Whether it is.
pub(crate) fn keeps_on_disk() -> bool {
    DISK.load(Ordering::Relaxed)
}

/// From now on every question is computed each time it is asked.
pub(crate) fn turn_off_memo() {
    MEMO.store(false, Ordering::Relaxed);
}

fn memo() -> bool {
    MEMO.load(Ordering::Relaxed)
}

/// See [`parse::parse()`].
pub(crate) fn parse(path: &Path, stamp: Stamp) -> Result<Arc<Summary>, ParseError> {
    if memo() { parse::parse(path, stamp) } else { parse::parse::uncached(path, stamp) }
}

/// See [`parse::summarise()`].
pub(crate) fn summarise(digest: Digest, source: &[u8]) -> Result<Arc<Summary>, ParseError> {
    if memo() { parse::summarise(digest, source) } else { parse::summarise::uncached(digest, source) }
}

/// See [`Tree::package_name`].
pub(crate) fn package_name(tree: &Tree, dir: DirId) -> Option<Arc<str>> {
    if memo() { tree.package_name(dir) } else { Tree::package_name_memo().uncached((tree, dir)) }
}

/// See [`Tree::own`].
pub(crate) fn own(tree: &Tree, dir: DirId) -> Arc<Totals> {
    if memo() { tree.own(dir) } else { Tree::own_memo().uncached((tree, dir)) }
}

/// See [`Tree::totals`].
pub(crate) fn totals(tree: &Tree, dir: DirId) -> Arc<Totals> {
    if memo() { tree.totals(dir) } else { Tree::totals_memo().uncached((tree, dir)) }
}

/// See [`Tree::package_totals`].
pub(crate) fn package_totals(tree: &Tree, dir: DirId) -> Arc<Totals> {
    if memo() { tree.package_totals(dir) } else { Tree::package_totals_memo().uncached((tree, dir)) }
}

/// See [`Tree::longest`].
pub(crate) fn longest(tree: &Tree, dir: DirId, count: usize) -> Arc<[Place]> {
    if memo() { tree.longest(dir, count) } else { Tree::longest_memo().uncached((tree, dir, count)) }
}
