//! Where goes what does not fit in memory. The caller provides it, as a pipeline does no I/O.

use std::fmt::Debug;

use crate::error::Error;

/// Makes runs.
pub trait Spill: Debug + Send + Sync {
    /// A new run, without records.
    ///
    /// # Errors
    ///
    /// Where none can be made.
    fn begin(&self) -> Result<Box<dyn Run>, Error>;
}

/// Records outside memory: all are written, then they are read in the same order.
pub trait Run: Debug + Send {
    /// Write a record, behind the others.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    fn write(&mut self, record: &[u8]) -> Result<(), Error>;

    /// No further records are written: go to the first.
    ///
    /// # Errors
    ///
    /// Where something cannot be written.
    fn rewind(&mut self) -> Result<(), Error>;

    /// The next record; none behind the last.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    fn read(&mut self) -> Result<Option<Vec<u8>>, Error>;
}
