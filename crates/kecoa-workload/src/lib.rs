//! Workloads: programs that put a database under load, and check all along that nothing was lost.
//!
//! A run is a sequence of [`Event`]s, which whoever shows or summarizes it takes.
#![forbid(unsafe_code)]

mod event;
mod plain;
mod record;
pub mod summary;
mod units;

pub use event::{About, Attempt, Event, Failure, Finished, Outcome, Resolution};
pub use record::Recorder;
pub use summary::{End, Summary};
