//! What a command says of a pipeline as a whole.

use std::sync::Arc;

use super::spill::Spill;

/// How a pipeline may be run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether a stage may go beyond its memory.
    pub allow_disk_use: bool,
    /// The bytes that a stage may hold.
    pub memory_limit: usize,
    /// Where goes what does not fit in memory.
    pub spill: Option<Arc<dyn Spill>>,
    /// The database that the command names; that of collections without one.
    pub database: Box<str>,
    /// Whether the command names a collection: not with `aggregate: 1`.
    pub has_collection: bool,
}

impl Options {
    /// What a stage may hold: 100 MB.
    pub const DEFAULT_MEMORY_LIMIT: usize = 100 * 1024 * 1024;

    /// The options of a command on a collection of a database.
    #[must_use]
    pub fn new(database: &str) -> Self {
        Self {
            allow_disk_use: true,
            memory_limit: Self::DEFAULT_MEMORY_LIMIT,
            spill: None,
            database: database.into(),
            has_collection: true,
        }
    }

    /// Where a stage may put what does not fit in memory.
    pub(super) fn spill(&self) -> Option<Arc<dyn Spill>> {
        self.spill.clone().filter(|_| self.allow_disk_use)
    }

    /// What a stage may hold that uses no files. Where it may use the disk, that is ten times as much.
    pub(super) fn stage_memory(&self) -> usize {
        const WITH_DISK_USE: usize = 10;
        let factor = if self.allow_disk_use { WITH_DISK_USE } else { 1 };
        self.memory_limit.saturating_mul(factor)
    }
}
