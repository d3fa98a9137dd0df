//! Pools of connections: [`tokio::Pool`] for tasks, [`blocking::Pool`] for threads.
//!
//! The rules are in [`core`], without I/O, and are the same for both.

pub mod blocking;
pub mod core;
mod errors;
pub(crate) mod options;
pub(crate) mod settings;
pub(crate) mod state;
mod stats;
#[cfg(test)]
mod tests;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use settings::Settings;
pub use stats::{Event, Stats};

fn discarding(is_cockroach: bool) -> &'static str {
    // CockroachDB has neither LISTEN nor advisory locks.
    if is_cockroach {
        "CLOSE ALL; RESET ALL"
    } else {
        "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
         SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
    }
}
