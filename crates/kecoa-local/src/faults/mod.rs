//! The fault harness: a proxy in front of a PostgreSQL, a CockroachDB or the local endpoint that
//! makes connections fail on purpose, and every time in the same way.
//!
//! - [`Plan`]: what is to go wrong, as text: `drop:0.01, delay:5ms:0.1, error:40001@commit:0.2`;
//! - [`dice`]: each decision is a hash of the seed, the connection's number, the direction, the
//!   message's number and the fault. Time, threads and the cutting of TCP have no part in it, so a
//!   client that does the same meets the same faults;
//! - [`Proxy`]: the listener; [`Background`] runs one on a thread of its own, for tests.
//!
//! Messages are told apart while the connection is plain. Behind TLS bytes only are seen: blocks
//! of 256 bytes take the place of messages there, and faults that name a statement, COMMIT or the
//! start of the session do not happen.
//!
//! A client may choose the seed of a connection itself, by the startup option
//! `-c kecoa.fault_seed=N`, which does not reach the server. Connections are counted a seed.

mod connection;
mod decide;
pub mod dice;
mod framing;
mod inject;
mod parse;
mod pipe;
mod plan;
mod proxy;
mod reply;
mod startup;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{BuildHasher, Hasher as _, RandomState};
use std::sync::Arc;

pub use parse::PlanError;
pub use plan::{Direction, Fault, Kind, Plan, Probability, Spot};
pub use proxy::{Background, Proxy, ProxyOptions, Upstream, run};

/// A fault that happened. Its text is the line of the log: `fault seed=7 connection=2
/// position=client@310 message=12 what=error:40001@commit:0.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// The seed of the connection.
    pub seed: u64,
    /// Which connection of that seed, from 1.
    pub connection: u64,
    /// Which way the message went.
    pub direction: Direction,
    /// The byte of that direction in front of which it happened, from 0.
    pub byte: u64,
    /// The number of the message in that direction, from 1.
    pub message: u64,
    /// The fault, as in the plan.
    pub what: String,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Happened { seed, connection, direction, byte, message, what } = self;
        write!(
            f,
            "fault seed={seed} connection={connection} position={direction}@{byte} \
             message={message} what={what}"
        )
    }
}

/// Who is told of each fault at the moment it happens.
pub type Log = Arc<dyn Fn(&Happened) + Send + Sync>;

/// A seed for those who choose none; short, because it is typed again.
pub fn draw_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}
