//! Why a connection is of no use any more.

use thiserror::Error;

use crate::bson::limits::MAX_MESSAGE_BYTES;

/// The bytes that a message may have, its header and the fields around its documents included.
pub const MAX_MESSAGE_LENGTH: usize = MAX_MESSAGE_BYTES + 16 * 1024;

/// Why a connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FramingError {
    /// The length of a message.
    #[error("expected a message of 16 to {MAX_MESSAGE_LENGTH} bytes, found one of {found}")]
    Length {
        /// The length found.
        found: i32,
    },
    /// The kind of a message.
    #[error("expected OP_MSG, OP_COMPRESSED or OP_QUERY, found opcode {found}")]
    Opcode {
        /// The kind found.
        found: i32,
    },
    /// A message ends too early.
    #[error("expected {expected}, found the end of the message")]
    Truncated {
        /// What must be there.
        expected: &'static str,
    },
    /// Flags that must be known, and are not.
    #[error(
        "expected no flags of OP_MSG but checksumPresent and moreToCome below bit 16, found {found:#x}"
    )]
    Flags {
        /// The flags found.
        found: u32,
    },
    /// The checksum at the end of a message.
    #[error("expected the checksum {expected:#010x}, found {found:#010x}")]
    Checksum {
        /// The checksum of the bytes.
        expected: u32,
        /// The one that was sent.
        found: u32,
    },
    /// There are more lists of documents than any command has.
    #[error("expected at most {most} document sequences, found more")]
    Sequences {
        /// How many there may be.
        most: usize,
    },
    /// The length that a compressed message declares.
    #[error(
        "expected a message of at most {MAX_MESSAGE_LENGTH} bytes after decompression, found one of {found}"
    )]
    PlainLength {
        /// The length declared.
        found: i32,
    },
    /// The way in which a message is compressed.
    #[error("expected one of the compressors 0 to 3, found {found}")]
    Compressor {
        /// The number found.
        found: u8,
    },
    /// Compressed bytes.
    #[error("expected {length} bytes compressed with {compressor}, found something else")]
    Compression {
        /// The compressor's name.
        compressor: &'static str,
        /// The length declared.
        length: usize,
    },
}
