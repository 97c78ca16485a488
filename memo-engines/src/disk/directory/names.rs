//! The names of the files in the directory.

/// The name of the layout inside the directory. Another layout gets another name and lies beside it.
pub(super) const LAYOUT: &str = "v1";

/// The largest number of an index. Each damaged index uses one up.
pub(in crate::disk) const LAST_INDEX: u64 = u32::MAX as u64 - 1;

pub(super) fn index_name(number: u64) -> String {
    format!("index.{number}.sqlite")
}

/// The number of an index by its name. `None` if the number is too large or is not written as we write it:
/// then the file is not ours.
pub(super) fn index_number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("index.")?.strip_suffix(".sqlite")?.parse().ok()?;
    (number <= LAST_INDEX && name == index_name(number)).then_some(number)
}

pub(super) fn content_name(number: i64) -> String {
    format!("{number:016x}")
}

pub(super) fn content_number(name: &str) -> Option<i64> {
    let number = u64::from_str_radix(name, 16).ok()?.cast_signed();
    (name == content_name(number)).then_some(number)
}
