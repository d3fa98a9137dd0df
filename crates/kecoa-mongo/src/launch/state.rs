//! What the state file records of a gateway.

use kecoa_server::secret::redacted;
use serde::{Deserialize, Serialize};

/// The state file of a gateway.
pub(crate) type State = kecoa_server::state::State<Details>;

/// What a gateway records beside what every service does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub(crate) struct Details {
    /// The port, once it is known.
    pub port: Option<u16>,
    /// The URL to connect to, once it is known; with the password.
    pub url: Option<String>,
    /// Nobody is asked for a password.
    pub open: bool,
    /// The database, without a password.
    pub database: String,
    /// What the database says it is.
    pub version: Option<String>,
    /// The replica set that it plays, as it was asked for.
    pub replica_set: Option<String>,
    /// Notes for the one who starts it.
    pub notes: Vec<String>,
}

impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Details")
            .field("url", &self.url.as_deref().map(redacted))
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
