//! The content files of the directory.

use std::io::{self, Write as _};

use super::names::{content_name, content_number};
use super::{Directory, platform};

impl Directory {
    /// Writes a new content file. If it cannot be written whole, it is removed.
    pub(in crate::disk) fn write_content(&self, number: i64, bytes: &[u8], sync: bool) -> io::Result<()> {
        let name = content_name(number);
        let mut file = self.content.create(&name)?;
        let written = file.write_all(bytes).and_then(|()| if sync { file.sync_all() } else { Ok(()) });
        if written.is_err() {
            let _ = self.content.remove(&name);
        }
        written
    }

    /// Waits until the names of new content files are on the disk itself.
    pub(in crate::disk) fn sync_content(&self) -> io::Result<()> {
        self.content.sync()
    }

    /// The bytes of a content file, if it has exactly `size` of them.
    pub(in crate::disk) fn read_content(&self, number: i64, size: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.content.open_file(&content_name(number)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // The size of the file is checked before memory of that size is allocated.
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() != size {
            return Ok(None);
        }
        let bytes = platform::read(file, size as usize)?;
        Ok((bytes.len() as u64 == size).then_some(bytes))
    }

    pub(in crate::disk) fn remove_content(&self, number: i64) -> io::Result<()> {
        match self.content.remove(&content_name(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// The numbers of all content files. Files with other names are left alone.
    pub(in crate::disk) fn contents(&self) -> io::Result<impl Iterator<Item = i64>> {
        Ok(self.content.list()?.into_iter().filter_map(|name| content_number(&name)))
    }
}
