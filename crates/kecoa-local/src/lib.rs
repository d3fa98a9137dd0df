//! The local endpoint: an embedded PostgreSQL that speaks CockroachDB's dialect.
//!
//! For development and tests: [`start`] brings up a database that came with the package,
//! on CockroachDB's port, and leaves it running for whoever comes next. A real cluster is reached
//! with the same programs by its URL.
//!
//! - [`start`], [`stop`], [`status`], [`url`]: the life of an endpoint, from any process;
//! - [`instances`](instances()), [`Logs`], [`reset`], [`destroy`]: one of several, and all of them;
//! - [`project`]: which one a folder means; [`systemd_unit`]: one that the system starts;
//! - [`serve()`]: the process behind it;
//! - [`postgres`]: the programs, the data directory, the server;
//! - [`dialect`], [`endpoint`]: CockroachDB's statements, and the wire.
//!
//! The endpoint listens on 127.0.0.1, where every user of the machine can reach it, and asks for a
//! password of the instance's own (SCRAM-SHA-256); a unix socket in a directory closed to others
//! asks for none. Every client becomes the PostgreSQL role `root`, which is no superuser.
//! PostgreSQL itself listens on a socket of its own and keeps `fsync` on: what was committed stays.
#![forbid(unsafe_code)]

mod arguments;
mod cockroach;
mod data;
pub mod dialect;
pub mod endpoint;
mod error;
mod instances;
mod launch;
mod layout;
mod listener;
mod logs;
mod options;
mod orphans;
mod ports;
pub mod postgres;
mod record;
mod remove;
mod running;
mod serve;
mod service;
pub mod state;
mod systemd;

pub use error::Error;
pub use instances::{Instance, exists, instance, instances};
pub use kecoa_server::home::Home;
pub use kecoa_server::process;
pub use kecoa_server::project::{self, Project};
pub use kecoa_server::secret::redacted;
pub use kecoa_server::serving::Mode;
pub use kecoa_server::waiting::Waiting;
pub use launch::{start, status, stop, url, usable};
pub use logs::{LogLine, Logs};
pub use options::{DEFAULT_PORT, Engine, FaultOptions, Options};
pub use remove::{Deletion, Destroyed, deletion, destroy, reset};
pub use running::{Running, Status, Stopped};
pub use serve::serve;
pub use service::SERVICE;
pub use systemd::{Unit, systemd_unit};
