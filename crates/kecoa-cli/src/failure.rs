//! Why a command failed.

use std::io;

/// One failure of a command; its text is what the user sees after `kecoa: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The local endpoint.
    #[error(transparent)]
    Local(#[from] kecoa_local::Error),

    /// The database, or the way to it.
    #[error(transparent)]
    Database(#[from] kecoa::Error),

    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),

    /// Anything the command itself found.
    #[error("{0}")]
    Other(String),
}
