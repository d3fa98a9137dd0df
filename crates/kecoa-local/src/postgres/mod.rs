//! Finds PostgreSQL's programs, keeps a data directory, starts and stops the server.
//!
//! - [`binaries`]: where the programs are; a copy of them where their user cannot reach them.
//! - [`privileges`]: which user they run as; `program`: one that is run to its end.
//! - [`cluster`]: the data directory, made in one step, and its settings.
//! - [`server`]: the running server, found again after its owner was killed, and stopped.

pub mod binaries;
pub mod bootstrap;
pub mod cluster;
mod copy;
mod extensions;
pub mod privileges;
mod program;
pub mod server;
pub(crate) mod socket;
pub(crate) mod wire;

pub use binaries::{Binaries, Search};
pub use cluster::Cluster;
pub use privileges::RunAs;
pub use server::Server;

/// The superuser of every cluster we make, with the name of CockroachDB's own internal user. Only we
/// become it, over PostgreSQL's private socket; no client's text ever runs as it.
pub const SUPERUSER: &str = "node";

/// The role that every client becomes: CockroachDB's default user. It owns the databases and may make
/// others, and roles; it is no superuser.
pub const CLIENT_ROLE: &str = "root";

/// The database that CockroachDB offers a new user.
pub const DEFAULT_DATABASE: &str = "defaultdb";

/// Part of the name of PostgreSQL's socket, which is alone in its directory.
pub const SOCKET_PORT: u16 = 5432;
