//! What a request answered, as the server sent it.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use kecoa_proto::{CommandTag, RowDescription, Rows};

/// The result of one statement.
///
/// Rows are slices of the buffer they were read into; nothing is decoded yet.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ResultSet {
    /// The columns; `None` when the statement returns no rows.
    pub description: Option<Arc<RowDescription>>,
    /// The rows, in the runs in which they were read.
    pub rows: Vec<Rows>,
    /// What the server says it did: `SELECT 3`, `INSERT 0 1`; `None` for an empty query, for a
    /// suspended portal, and for a statement that was described only.
    pub tag: Option<CommandTag>,
    /// The query was empty.
    pub empty: bool,
    /// Execute stopped at its row limit; the portal has more rows.
    pub suspended: bool,
    /// The types of a prepared statement's parameters, when it was described.
    pub parameters: Option<Vec<u32>>,
    /// What a function call returned; the inner `None` is NULL.
    pub function_result: Option<Option<Bytes>>,
    /// A replication stream has begun; see [`Client::read_stream`](crate::blocking::Client::read_stream).
    pub copy_both: bool,
    /// The client encoding in which its texts came, by the server's name for it; `None` where the
    /// server does not say.
    pub encoding: Option<Arc<str>>,
    /// What the caller's hook has made of the rows while more were awaited; see
    /// [`Interrupt::awaiting`](crate::Interrupt::awaiting).
    pub made: Option<Arc<dyn Any + Send + Sync>>,
}

impl ResultSet {
    /// How many rows arrived.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.iter().map(Rows::len).sum()
    }

    /// Whether there is nothing to report yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.description.is_none()
            && self.rows.is_empty()
            && self.parameters.is_none()
            && self.function_result.is_none()
    }
}
