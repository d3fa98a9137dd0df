//! Definitions of indexes, and the entries that a document has in them.
