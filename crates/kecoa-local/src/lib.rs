//! The local endpoint: an embedded PostgreSQL that speaks CockroachDB's dialect.
//!
//! For the first hour and for tests: [`start`] brings up a database that came with the package,
//! on CockroachDB's port, and leaves it running for whoever comes next. A real cluster is reached
//! with the same programs by its URL.
//!
//! - [`start`], [`stop`], [`status`], [`url`]: the life of an endpoint, from any process;
//! - [`serve()`]: the process behind it;
//! - [`postgres`]: the programs, the data directory, the server;
//! - [`dialect`], [`endpoint`]: CockroachDB's statements, and the wire.
//! - [`faults`]: a proxy that makes connections fail on purpose, the same way every time.
//!
//! The endpoint listens on 127.0.0.1 and has no password: every user of this machine can reach
//! it, as with CockroachDB's `--insecure`. PostgreSQL itself listens on a unix socket in a
//! directory closed to others, and keeps `fsync` on: what was committed stays.
#![forbid(unsafe_code)]

mod cockroach;
pub mod dialect;
pub mod endpoint;
mod error;
pub mod faults;
mod front;
mod home;
mod launch;
mod options;
pub mod postgres;
pub mod process;
mod serve;
mod signals;
pub mod state;

pub use error::Error;
pub use home::Home;
pub use launch::{Running, Status, Stopped, start, status, stop, url};
pub use options::{DEFAULT_PORT, Engine, FaultOptions, Options};
pub use serve::{Mode, serve};
