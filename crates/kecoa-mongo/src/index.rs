//! Definitions of indexes, and the entries that a document has in them.

mod conflict;
mod definition;
mod duplicate;
mod entries;
mod partial;
pub mod shell_text;
mod specification;
mod walk;

pub use conflict::same_index;
pub use definition::{Field, FieldKind, Index, MAX_FIELDS, MAX_INDEXES};
pub use duplicate::{duplicate_id, duplicate_key};
pub use entries::Entries;
