//! What a caller chooses.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use kecoa_server::secret::redacted;
use kecoa_server::waiting::Waiting;

/// How a gateway is to run.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where its state is kept; by default `KECOA_HOME`, or the user's data directory.
    pub home: Option<PathBuf>,
    /// Which of several gateways in one home.
    pub name: String,
    /// The connection string of the database that keeps the documents: PostgreSQL 13 or newer, CockroachDB, or
    /// the local endpoint.
    pub database: String,
    /// The address to listen on.
    pub address: IpAddr,
    /// This port and no other, or any for 0; by default 27017, or a free one when that is taken.
    pub port: Option<u16>,
    /// Let in whoever reaches the port, without a password.
    pub no_password: bool,
    /// The first user, made when the database knows none of that name.
    pub user: String,
    /// The file with that user's password; by default one is made and kept in the home.
    pub password_file: Option<PathBuf>,
    /// Play a replica set of one with this name, and the address of that member where it is another than the one
    /// listened on: `NAME` or `NAME@HOST:PORT`. By default the gateway looks like `mongos`.
    pub replica_set: Option<String>,
    /// Clients use TLS.
    pub tls: Option<TlsOptions>,
    /// Take the commands that tests of drivers need: fail points.
    pub test_commands: bool,
    /// How many connections to the database it has at most. Three in four of them may hold a transaction.
    pub connections: usize,
    /// The program and first arguments by which this program starts itself again.
    pub self_command: Vec<OsString>,
    /// How long the gateway may take to be ready.
    pub timeout: Duration,
    /// Is told what is being done on the way to being ready, and may give the start up.
    pub waiting: Option<Waiting>,
}

/// The files of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// The certificates in PEM, the server's own first.
    pub certificate: PathBuf,
    /// The key in PEM.
    pub key: PathBuf,
    /// Take clients without TLS, too.
    pub allow_plain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            home: None,
            name: "default".to_owned(),
            database: String::new(),
            address: IpAddr::from([127, 0, 0, 1]),
            port: None,
            no_password: false,
            user: "root".to_owned(),
            password_file: None,
            replica_set: None,
            tls: None,
            test_commands: false,
            connections: 16,
            self_command: Vec::new(),
            timeout: Duration::from_secs(60),
            waiting: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("home", &self.home)
            .field("name", &self.name)
            .field("database", &shown_database(&self.database))
            .field("address", &self.address)
            .field("port", &self.port)
            .field("no_password", &self.no_password)
            .field("user", &self.user)
            .field("replica_set", &self.replica_set)
            .field("tls", &self.tls)
            .field("test_commands", &self.test_commands)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// A database's connection string as it may be shown: without a password.
pub(crate) fn shown_database(text: &str) -> String {
    kecoa::Config::parse(text).map_or_else(|_| redacted(text), |config| config.to_string())
}
