//! The rules of a pool: who gets which connection, and when connections are opened, looked at and
//! closed.
//!
//! No I/O, clock, thread or chance in here: times (since any fixed moment) and random numbers are
//! passed in, connections and waiters are numbers. Each call changes the state and queues what the
//! pool around it has to do: [`Core::take_actions`]. The pools of the Python package have the same
//! rules; both are held to `scenarios.txt`, in virtual time.

mod action;
mod connections;
mod counters;
mod growth;
mod lifecycle;
mod machine;
mod matching;
mod tick;
mod waiters;

pub use action::{Action, ConnId, Failure, Reason, Refusal, WaiterId};
pub use counters::Counters;
pub use machine::Core;
