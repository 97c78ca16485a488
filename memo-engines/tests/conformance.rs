//! Our own engines under the suite that all engines run.

use memo_engines::testing::Double;
use std::sync::Arc;

use memo_engines::{Capability, Chain, Disk, DiskOptions, Engine as _, GuardOptions, Guarded, conformance};

#[test]
fn the_double_conforms() {
    conformance::all(|| Double::new("double"));
}

#[test]
fn the_disk_conforms() {
    let directory = tempfile::tempdir().unwrap();
    conformance::all(|| Disk::open(DiskOptions::at(directory.path())).unwrap());
}

#[test]
fn the_disk_conforms_when_durable() {
    let directory = tempfile::tempdir().unwrap();
    let options = DiskOptions { durable: true, ..DiskOptions::at(directory.path()) };
    conformance::all(|| Disk::open(options.clone()).unwrap());
}

#[test]
fn a_guard_and_a_chain_add_nothing_to_what_they_hold() {
    conformance::all(|| Guarded::new(Double::new("double"), GuardOptions::default()));
    let hangs = Capability { hangs: true, ..Double::new("double").capability() };
    conformance::all(|| Guarded::new(Double::new("double").claiming(hangs), GuardOptions::default()));
    conformance::all(|| Chain::new(vec![Arc::new(Double::new("a")), Arc::new(Double::new("b"))]));
    let directory = tempfile::tempdir().unwrap();
    let options = GuardOptions { budget: std::time::Duration::from_secs(10), ..GuardOptions::default() };
    conformance::all(|| {
        Guarded::new(Disk::open(DiskOptions::at(directory.path())).unwrap(), options.clone())
    });
}
