//! The messages of the protocol. Each enum decodes from and encodes to bytes.

pub mod authentication;
pub mod backend;
pub mod command_tag;
pub mod frontend;
pub(crate) mod read;
pub mod replication;
pub mod startup;
pub(crate) mod write;

/// The form of a value: PostgreSQL's format codes 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Format code 0: the type's text form.
    #[default]
    Text,
    /// Format code 1: the type's binary form.
    Binary,
}

impl Format {
    /// The format code, as it is sent.
    #[must_use]
    pub fn code(self) -> i16 {
        match self {
            Format::Text => 0,
            Format::Binary => 1,
        }
    }
}

/// The state of the session's transaction, as ReadyForQuery reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransactionStatus {
    /// `I`: no transaction.
    #[default]
    Idle,
    /// `T`: in a transaction.
    InTransaction,
    /// `E`: in a transaction that has failed; only a rollback helps.
    Failed,
}

impl TransactionStatus {
    /// The character in ReadyForQuery.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            TransactionStatus::Idle => b'I',
            TransactionStatus::InTransaction => b'T',
            TransactionStatus::Failed => b'E',
        }
    }

    /// Reads the character in ReadyForQuery.
    #[must_use]
    pub fn from_code(code: u8) -> Option<TransactionStatus> {
        match code {
            b'I' => Some(TransactionStatus::Idle),
            b'T' => Some(TransactionStatus::InTransaction),
            b'E' => Some(TransactionStatus::Failed),
            _ => None,
        }
    }
}
