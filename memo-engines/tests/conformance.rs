//! Our own engines under the suite that all engines run.

use memo_engines::testing::Double;
use memo_engines::{Disk, DiskOptions, conformance};

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
