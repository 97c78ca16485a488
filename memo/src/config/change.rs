//! What a reload has changed.

use std::fmt;

use super::problem::Origin;

/// One thing that has changed by [`reload`](crate::reload), or will at the next start. It prints as
/// `app::rate: ttl: 1h -> 30s (memo.toml:4)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub(super) subject: String,
    pub(super) option: &'static str,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) origin: Origin,
    pub(super) applied: bool,
}

impl Change {
    /// The function, by its name, or the engine, as `engines.disk`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The option.
    pub fn option(&self) -> &'static str {
        self.option
    }

    /// What it was, as it would be written.
    pub fn before(&self) -> &str {
        &self.old
    }

    /// What it is to be.
    pub fn after(&self) -> &str {
        &self.new
    }

    /// Where the new value comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it holds now. Some things cannot change while they are used, and hold from the next start.
    pub fn is_applied(&self) -> bool {
        self.applied
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { subject, option, old, new, origin, applied } = self;
        write!(f, "{subject}: {option}: {old} -> {new}")?;
        // of an engine nobody may know more than that it has its default
        if (origin, new.as_str()) != (&Origin::Default, "default") {
            write!(f, " ({origin})")?;
        }
        if *applied { Ok(()) } else { f.write_str(", from the next start") }
    }
}

/// What [`reload`](crate::reload) has changed. It prints one change a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub(super) changes: Vec<Change>,
}

impl Changes {
    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.changes.iter()
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}
