//! Why a command failed.

/// One failure of a command; its text is what the user sees after `kecoa: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The local endpoint.
    #[cfg(feature = "local")]
    #[error(transparent)]
    Local(#[from] kecoa_local::Error),

    /// The MongoDB gateway.
    #[cfg(feature = "mongo")]
    #[error(transparent)]
    Mongo(#[from] kecoa_mongo::launch::Error),

    /// The database, or the way to it.
    #[cfg(feature = "client")]
    #[error(transparent)]
    Database(#[from] kecoa::Error),

    /// A workload.
    #[cfg(feature = "workload")]
    #[error(transparent)]
    Workload(#[from] kecoa_workload::Error),

    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] std::io::Error),

    /// An argument has a value that nothing can be done with.
    #[cfg(any(feature = "client", feature = "local"))]
    #[error("{0}")]
    Usage(String),

    /// A signal ended the command; the exit status says which.
    #[cfg(feature = "local")]
    #[error("interrupted")]
    Interrupted(i32),

    /// Anything the command itself found.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// The exit status.
    pub(crate) fn status(&self) -> i32 {
        match self {
            #[cfg(any(feature = "client", feature = "local"))]
            Failure::Usage(_) => 2,
            #[cfg(feature = "workload")]
            Failure::Workload(kecoa_workload::Error::Usage(_)) => 2,
            #[cfg(feature = "local")]
            Failure::Interrupted(status) => *status,
            #[cfg(feature = "local")]
            Failure::Local(error) if error.is_usage() => 2,
            #[cfg(feature = "mongo")]
            Failure::Mongo(error) if error.is_usage() => 2,
            _ => 1,
        }
    }

    /// What the database calls it, where it was the database.
    pub(crate) fn sqlstate(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "client")]
            Failure::Database(error) => error.sqlstate(),
            #[cfg(feature = "workload")]
            Failure::Workload(kecoa_workload::Error::Database(error)) => error.sqlstate(),
            _ => None,
        }
    }
}
