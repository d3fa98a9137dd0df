//! What an endpoint is configured with.

use std::net::SocketAddr;
use std::path::PathBuf;

use kecoa_server::scram::Password;

use crate::options::CLIENTS;

/// The PostgreSQL server behind the endpoint, reached by its unix socket without a password.
#[derive(Clone, Debug)]
pub struct BackendAddress {
    /// The directory that holds the socket `.s.PGSQL.<port>`.
    pub socket_dir: PathBuf,
    /// The number in the socket's name.
    pub port: u16,
    /// The role of clients that name no role of their own. It should be able to do no more than a client
    /// may.
    pub user: String,
}

/// A session with the server behind that may read what roles' passwords are checked by.
#[derive(Clone, Debug)]
pub struct PasswordReader {
    /// A superuser. No client becomes it.
    pub user: String,
    /// A database that no client can change.
    pub database: String,
    /// Settings of the session, as in a startup message.
    pub options: String,
}

/// What an [`Endpoint`](super::Endpoint) needs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The password of clients, whatever user they name; without it everybody is let in.
    pub password: Option<Password>,
    /// Where the passwords of roles are read. Without it a role has no password of its own.
    pub passwords: Option<PasswordReader>,
    /// The server behind.
    pub backend: BackendAddress,
    /// The database of a client that names none.
    pub database: String,
    /// So many clients are served at a time; others are told so.
    pub clients: usize,
}

impl EndpointOptions {
    /// Options with CockroachDB's default database, `defaultdb`, without a password.
    pub fn new(listen: SocketAddr, backend: BackendAddress) -> Self {
        let database = "defaultdb".to_owned();
        let clients = CLIENTS;
        Self { listen, backend, database, clients, password: None, passwords: None }
    }
}
