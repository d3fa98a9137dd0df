//! Rows as they lie in the socket buffer, checked once and not copied.

mod indexed;
mod row;
mod run;
pub(crate) mod scan;

pub use indexed::IndexedRows;
pub use row::{Fields, Row};
pub use run::{COPY_BELOW, Iter, Rows};
