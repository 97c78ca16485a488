//! An index that is in use: how it is opened, and how a damaged one is replaced.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::directory::{Access, Directory, FileId, LAST_INDEX};
use super::failure::{self, failure};
use super::index::{self, Hints, Mode};
use super::options::DiskOptions;
use super::readers::Readers;
use crate::error::{Error, ErrorKind};

/// An index, its directory and its readers.
pub(super) struct Store {
    pub(super) directory: Arc<Directory>,
    pub(super) number: u64,
    pub(super) file: FileId,
    pub(super) readers: Readers,
    pub(super) hints: Hints,
}

/// The error of a write to a read-only directory.
pub(super) fn cannot_write(directory: &Directory) -> Error {
    let problem = directory.access.problem().unwrap_or_default();
    let context = format!("write to {}: {problem}", directory.path().display());
    failure(ErrorKind::Unavailable, context)
}

/// Fails if the path by which SQLite opened the index may have led elsewhere meanwhile.
fn check_in_place(directory: &Directory, number: u64, file: FileId) -> Result<(), Error> {
    if directory.is_in_place() && directory.is_same_index(number, file) {
        return Ok(());
    }
    let context =
        format!("open {}: another file took its place meanwhile", directory.index(number).display());
    Err(failure(ErrorKind::Unavailable, context))
}

/// Opens the newest index for reading. There must be one.
fn to_read(directory: &Arc<Directory>, options: &DiskOptions) -> Result<(Store, Connection), Error> {
    let number = directory.newest_index()?;
    if number == 0 {
        return Err(cannot_write(directory));
    }
    let file = directory.find_index(number)?;
    // Without locks, SQLite ignores a log. If there is one, it is opened the usual way, which takes the
    // log's own index.
    let frozen = directory.access == Access::Frozen && directory.log_size(number) == 0;
    let mode = if frozen { Mode::Frozen } else { Mode::Read };
    let path = directory.index(number);
    let connection = index::open(&path, options.busy_timeout, mode)?;
    index::check(&connection)?;
    check_in_place(directory, number, file)?;
    let readers = Readers::new(&path, options.busy_timeout, mode);
    let directory = Arc::clone(directory);
    Ok((Store { directory, number, file, readers, hints: Hints::default() }, connection))
}

/// Opens the newest index of a directory. Makes one if there is none, and sets a damaged one aside.
pub(super) fn newest(
    directory: &Arc<Directory>,
    options: &DiskOptions,
) -> Result<(Store, Connection), Error> {
    if directory.access != Access::Write {
        return to_read(directory, options);
    }
    let _lock = directory.lock(options.wait)?;
    let mut number = directory.newest_index()?.max(1);
    // Each turn but the last sets a damaged index aside. A new index is not damaged.
    let mut tries = 0;
    let begun = Instant::now();
    loop {
        let path = directory.index(number);
        let opened = directory.prepare_index(number).and_then(|file| {
            let open = || {
                let connection = index::open(&path, options.busy_timeout, Mode::Write)?;
                index::set_up(&connection)?;
                let read_only = connection.is_readonly(rusqlite::MAIN_DB).unwrap_or(false);
                Ok::<_, Error>((connection, read_only && directory.may_write_index(number)))
            };
            // SQLite opens a file for reading only if it could not open it for writing, which may have been
            // chance, or if its header says that it has a later format. Ours never has.
            let (mut connection, mut refuses) = open()?;
            if refuses {
                (connection, refuses) = open()?;
            }
            if refuses {
                let context = "write to the index: its header is of a format that cannot be written";
                return Err(failure(ErrorKind::Corrupt, context));
            }
            check_in_place(directory, number, file)?;
            let readers = Readers::new(&path, options.busy_timeout, Mode::Write);
            let directory = Arc::clone(directory);
            Ok((Store { directory, number, file, readers, hints: Hints::default() }, connection))
        });
        match opened {
            Err(error) if error.kind() == ErrorKind::Corrupt && tries < 3 => {
                set_aside(directory, options, number, &error)?;
                number += 1;
                tries += 1;
            }
            // Another process is writing, or repairs what a killed one left.
            Err(error) if error.retry_helps() && begun.elapsed() < options.wait => {
                std::thread::sleep(Duration::from_millis(2));
            }
            opened => return opened,
        }
    }
}

/// Sets a damaged index aside, and warns.
pub(super) fn set_aside(
    directory: &Directory,
    options: &DiskOptions,
    number: u64,
    why: &Error,
) -> Result<(), Error> {
    let index = directory.index(number);
    if number >= LAST_INDEX {
        let context =
            format!("go on after the damaged index {}: its number is the last; remove it", index.display());
        return Err(failure(ErrorKind::Unavailable, context));
    }
    let kept: Option<PathBuf> = directory
        .set_aside(number, options.largest())
        .map_err(|error| failure::io("set a damaged index aside", error))?;
    // The number is not used again: a process that has the old index open must not find a new one under its
    // name.
    directory.prepare_index(number + 1)?;
    let cause = std::error::Error::source(why).map(ToString::to_string).unwrap_or_default();
    options.warn(&format!(
        "the cache index {} was damaged ({cause}) and was {}; it begins anew, and nothing else is lost. If this \
         happens again, suspect the disk or the file system.",
        index.display(),
        match kept {
            Some(path) => format!("set aside as {}", path.display()),
            None => "removed, being too large to keep".to_owned(),
        },
    ));
    Ok(())
}
