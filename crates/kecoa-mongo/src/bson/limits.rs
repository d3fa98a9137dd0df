//! How much of a document is accepted.

/// How deep values are looked into when they are compared or made into keys. Documents and arrays that lie
/// deeper are compared by their bytes: the order stays total, and the stack bounded.
pub const MAX_DEPTH: usize = 200;

/// The bytes of a document that a client may store.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// The levels of a document that a client may store; the document itself is the first.
pub const MAX_DOCUMENT_DEPTH: usize = 100;

/// The bytes of a message.
pub const MAX_MESSAGE_BYTES: usize = 48_000_000;
