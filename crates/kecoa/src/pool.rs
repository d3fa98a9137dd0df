//! Pools of connections: [`tokio::Pool`] for tasks, [`blocking::Pool`] for threads.
//!
//! The rules are in [`core`], without I/O, and are the same for both.

pub mod blocking;
mod connection;
pub mod core;
mod discard;
mod errors;
mod event;
mod options;
mod pooled;
mod settings;
mod shared;
mod state;
mod stats;
#[cfg(test)]
mod tests;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use event::Event;
pub use options::Builder;
pub use pooled::Pooled;
pub use settings::Settings;
pub use stats::Stats;
