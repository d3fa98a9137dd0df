//! What a command says of a pipeline as a whole.

/// How a pipeline may be run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether a stage may go beyond its memory.
    pub allow_disk_use: bool,
    /// The bytes that a stage may hold.
    pub memory_limit: usize,
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
            database: database.into(),
            has_collection: true,
        }
    }

    /// What a stage may hold. Where it may use the disk, it may hold ten times as much; what is above is refused
    /// as long as there are no temporary files.
    pub(super) fn stage_memory(&self) -> usize {
        const WITH_DISK_USE: usize = 10;
        let factor = if self.allow_disk_use { WITH_DISK_USE } else { 1 };
        self.memory_limit.saturating_mul(factor)
    }
}
