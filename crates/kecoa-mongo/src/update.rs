//! Updates: a document before, a document after.
