//! Reads the header of SQLite's WAL index, the memory that all connections to a database share.
//!
//! This is the only unsafe code of the engine. SQLite hands out the mapping that it already has, by its
//! documented interface for file systems (<https://sqlite.org/c3ref/io_methods.html>, `xShmMap`). The
//! header is read with atomic loads.

#![allow(unsafe_code)]

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::{Connection, Statement, ffi};
use self_cell::self_cell;

/// The size of a region of the WAL index. The file format fixes it.
const REGION: std::ffi::c_int = 32 * 1024;

/// The first copy of the header. It holds a counter of commits, the end of the log, its salts and more.
pub(super) type Header = [u32; 12];

self_cell!(
    /// A connection and a prepared statement of it. To find the statement by its text would cost a fifth of
    /// running it.
    struct Prepared {
        owner: Connection,
        #[not_covariant]
        dependent: Statement,
    }
);

/// A connection for reading, with its most used statement and the header of the WAL index.
pub(super) struct ReadConnection {
    prepared: Prepared,
    /// Valid while the connection is open, and so while `prepared` lives.
    header: Option<NonNull<[AtomicU32; 12]>>,
}

// SAFETY: a connection may be sent, and so may a statement of it as long as the two stay together, as they do in
// here: to SQLite they are one thing that one thread uses at a time, and it keeps nothing by thread. The memory
// behind the pointer is shared by all processes that use the database and is read with atomic loads only: which
// thread reads makes no difference.
unsafe impl Send for ReadConnection {}

impl ReadConnection {
    /// Prepares a statement of the connection.
    pub(super) fn new(connection: Connection, statement: &str) -> rusqlite::Result<Self> {
        let prepared = Prepared::try_new(connection, |connection| connection.prepare(statement))?;
        Ok(Self { prepared, header: None })
    }

    pub(super) fn connection(&self) -> &Connection {
        self.prepared.borrow_owner()
    }

    /// Calls `f` with the connection and its statement.
    pub(super) fn with_statement<T>(
        &mut self,
        f: impl for<'c> FnOnce(&'c Connection, &mut Statement<'c>) -> T,
    ) -> T {
        self.prepared.with_dependent_mut(f)
    }

    /// Finds the header. It exists once the connection has read something in WAL mode.
    pub(super) fn find_header(&mut self) {
        if self.header.is_none() {
            self.header = mapped_header(self.connection());
        }
    }

    /// The header as it is now, if it was found. A commit may be changing it just now. Then the result is
    /// half of one header and half of the next, and equals neither, since every commit changes the counter
    /// in it.
    pub(super) fn header(&self) -> Option<Header> {
        let header = self.header?;
        // SAFETY: the region is larger than this, aligned (checked), and stays mapped while the connection is open:
        // SQLite unmaps it only where a connection leaves WAL mode, which ours never do. Whoever else changes it copies a
        // whole header over it, aligned as it is; we read it as SQLite's own readers do, but by atomic loads.
        let words = unsafe { header.as_ref() };
        // Later reads happen after this one.
        Some(words.each_ref().map(|word| word.load(Ordering::Acquire)))
    }
}

/// The header in the region that SQLite has mapped. `None` if SQLite has no mapping to hand out.
fn mapped_header(connection: &Connection) -> Option<NonNull<[AtomicU32; 12]>> {
    // A connection that does not use the log, because the header of its file is damaged, would open the
    // shared memory now and not close it.
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).ok()?;
    if mode != "wal" {
        return None;
    }
    let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
    // SAFETY: the handle is that of an open connection; the operation writes a pointer to its file object,
    // which lives as long as the connection.
    let status = unsafe {
        ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_FILE_POINTER,
            ptr::from_mut(&mut file).cast(),
        )
    };
    if status != ffi::SQLITE_OK || file.is_null() {
        return None;
    }
    let mut region: *mut std::ffi::c_void = ptr::null_mut();
    // SAFETY: `file` is an open file object; its table of methods is null or valid. `xShmMap` exists from
    // version 2 of the table on, and may be called while the connection is not in use, which it is not: it is
    // borrowed here. In WAL mode, and with 0 for "extend", it changes nothing and gives the region that is mapped, or null.
    let status = unsafe {
        let methods = (*file).pMethods.as_ref()?;
        if methods.iVersion < 2 {
            return None;
        }
        methods.xShmMap?(file, 0, REGION, 0, ptr::from_mut(&mut region).cast())
    };
    let header = NonNull::new(region.cast::<[AtomicU32; 12]>())?;
    (status == ffi::SQLITE_OK && header.is_aligned()).then_some(header)
}
