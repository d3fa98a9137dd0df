//! Fault injection: a proxy in front of a PostgreSQL, a CockroachDB or the local endpoint that
//! makes connections fail on purpose, and every time in the same way.
//!
//! - [`Plan`]: what is to go wrong, as text: `drop:0.01, delay:5ms:0.1, error:40001@commit:0.2`;
//! - [`dice`]: each decision is a hash of the seed, the connection's number, the direction, the
//!   message's number and the fault. Time, threads and the cutting of TCP have no part in it, so a
//!   client that does the same meets the same faults;
//! - [`Proxy`]: the listener; [`Background`] runs one on a thread of its own, for tests.
//!
//! Messages are recognized while the connection is plain. Behind TLS bytes only are seen: blocks
//! of 256 bytes take the place of messages there, and faults that name a statement, COMMIT or the
//! start of the session do not happen.
//!
//! A client may choose the seed of a connection itself, by the startup option
//! `-c kecoa.fault_seed=N`, which does not reach the server. Connections are counted a seed.
#![forbid(unsafe_code)]

mod connection;
mod decide;
pub mod dice;
mod event;
mod framing;
mod from_client;
mod from_server;
mod inject;
mod injector;
mod parse;
mod pipe;
mod plan;
mod proxy;
mod reply;
mod startup;
#[cfg(test)]
mod tests;

pub use event::{FaultEvent, Log, draw_seed};
pub use parse::PlanError;
pub use plan::{Direction, Fault, Kind, Location, Plan, Probability};
pub use proxy::{Background, Proxy, ProxyOptions, Upstream, run};
