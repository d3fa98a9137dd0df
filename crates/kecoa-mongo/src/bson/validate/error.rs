//! Why a document is refused.

use thiserror::Error;

/// Why a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidDocument {
    /// It has too many bytes.
    #[error("expected a document of at most {most} bytes, found {found} bytes")]
    TooLarge {
        /// Its bytes.
        found: usize,
        /// The bytes it may have.
        most: usize,
    },
    /// It has too many levels.
    #[error("expected at most {most} levels of documents and arrays, found more at byte {at}")]
    TooDeep {
        /// Where the first level too many begins.
        at: usize,
        /// The levels it may have.
        most: usize,
    },
    /// A byte, a length or a text is not what it must be.
    #[error("invalid BSON at byte {at}: expected {expected}, found {found}")]
    Malformed {
        /// Where.
        at: usize,
        /// What must be there.
        expected: &'static str,
        /// The byte or the length that is there.
        found: i64,
    },
}

impl InvalidDocument {
    /// MongoDB's code: BSONObjectTooLarge, Overflow, InvalidBSON.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::TooLarge { .. } => 10334,
            Self::TooDeep { .. } => 15,
            Self::Malformed { .. } => 22,
        }
    }
}
