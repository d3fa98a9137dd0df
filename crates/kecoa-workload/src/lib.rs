//! Workloads: programs that put a database under load, and check all along that nothing was lost.
//!
//! [`init`] sets a workload up, [`prepare`] and [`Prepared::run`] run it, [`check`] checks its invariants. A run is
//! a sequence of [`Event`]s, which whoever shows or summarizes it takes. Transactions are retried by kecoa, which
//! is what is put to the test beside the database:
//!
//! - each workload has invariants of its own, checked in one snapshot: no money is lost, versions are as many as
//!   writes;
//! - each worker puts its commits down within its transactions, so that a commit without an answer is looked up,
//!   and none is lost or done twice.
//!
//! No time, no chance and no order of threads takes part in what a worker draws: the same seed, the same
//! transactions.
#![forbid(unsafe_code)]

mod attempts;
mod bank;
mod checker;
mod commit_log;
mod distribution;
mod error;
mod event;
mod faults;
mod invariant;
mod kv;
pub mod live;
mod movr;
mod options;
mod pace;
mod plain;
mod random;
mod record;
mod report;
mod run;
mod schema;
mod shared;
mod statements;
pub mod summary;
mod tpcc;
mod units;
mod versions;
mod worker;
mod workload;
mod ycsb;

pub use distribution::Distribution;
pub use error::Error;
pub use event::{About, Attempt, Event, Failure, Finished, Outcome, Resolution};
pub use invariant::Check;
pub use options::{Client, Faults, Mix, Name, Place, RunOptions};
pub use record::Recorder;
pub use run::{Ending, Hooks, Kill, Prepared, check, init, is_set_up, prepare, size};
pub use shared::Report;
pub use summary::{End, Summary};
