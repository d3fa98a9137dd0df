//! What a command of a workload fails with.

use thiserror::Error;

/// What a command of a workload fails with. Its text says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The database, or the way to it.
    #[error(transparent)]
    Database(#[from] kecoa::Error),
    /// Something was chosen that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The workload's tables are not there, or not as they should be.
    #[error("{0}")]
    Setup(String),
    /// A thread, a socket or a child process failed.
    #[error("{0}: {1}")]
    Io(String, #[source] std::io::Error),
}

/// What ends the body of a transaction before its COMMIT.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The database.
    Database(kecoa::Error),
    /// The program's own rule, which is part of the workload.
    Refused(String),
}

impl From<kecoa::Error> for BodyError {
    fn from(error: kecoa::Error) -> BodyError {
        BodyError::Database(error)
    }
}

impl kecoa::TransactionError for BodyError {
    fn into_database_error(self) -> Result<kecoa::Error, BodyError> {
        match self {
            BodyError::Database(error) => Ok(error),
            refused @ BodyError::Refused(_) => Err(refused),
        }
    }
}
