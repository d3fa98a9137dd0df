//! Workloads: programs that put a database under load, and check all along that nothing was lost.
//!
//! A run is a sequence of [`Event`]s, which whoever shows or summarizes it takes.
#![forbid(unsafe_code)]

mod event;

pub use event::{About, Attempt, Event, Failure, Finished, Outcome, Resolution};
