//! What a pool reports while it runs.

use std::panic::Location;
use std::time::Duration;

use super::core::Reason;
use crate::error::Error;

/// What happens in a pool, for [`Builder::on_event`](super::Builder::on_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// No connection could be opened.
    OpenFailed(&'a Error),
    /// A connection failed the check before it was checked out.
    CheckFailed(&'a Error),
    /// A connection was closed.
    Closed(Reason),
    /// A connection is held for longer than [`leak_after`](super::Builder::leak_after).
    Leak {
        /// Where it was taken.
        taken: &'static Location<'static>,
        /// For how long it is held.
        held: Duration,
    },
}
