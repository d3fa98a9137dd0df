//! What is reported of a fault when it happens, and the seed it came from.

use std::fmt;
use std::hash::{BuildHasher, Hasher as _, RandomState};
use std::sync::Arc;

use crate::plan::Direction;

/// A fault that happened. Its text is the line of the log: `fault seed=7 connection=2
/// position=client@310 message=12 what=error:40001@commit:0.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultEvent {
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

impl fmt::Display for FaultEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FaultEvent { seed, connection, direction, byte, message, what } = self;
        write!(
            f,
            "fault seed={seed} connection={connection} position={direction}@{byte} \
             message={message} what={what}"
        )
    }
}

/// Is called for each fault at the moment it happens.
pub type Log = Arc<dyn Fn(&FaultEvent) + Send + Sync>;

/// A seed for those who choose none; short, because it is typed again.
pub fn draw_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}
