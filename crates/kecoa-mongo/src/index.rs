//! Definitions of indexes, and the entries that a document has in them.

mod definition;
mod entries;

pub use definition::{Field, FieldKind, Index, MAX_FIELDS, MAX_INDEXES};
pub use entries::Entries;
