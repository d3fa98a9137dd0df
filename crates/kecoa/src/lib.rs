//! A client for CockroachDB and PostgreSQL with transaction retry that is right by default.
//!
//! See ARCHITECTURE.md for how the parts hang together.

pub mod config;
pub mod error;
pub mod session;
mod transport;

pub use config::Config;
pub use error::{Error, ErrorKind};
pub use session::{Interrupt, Never};
