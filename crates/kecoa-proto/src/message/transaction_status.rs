//! What ReadyForQuery reports.

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
