//! Retry: the policy, the decision, and nothing else.
//!
//! Everything here is pure. Time, sleep and randomness are passed in ([`Runtime`]), so that every
//! entry point (the Rust client, the Python driver) shares the rules and tests run in virtual time.
//!
//! A transaction is run again when the server says so (SQLSTATE 40001, at any statement and at
//! COMMIT), and when the connection was lost *before* COMMIT was sent: then nothing of it can have
//! been committed. It is never run again when COMMIT may have succeeded.
//!
//! ```
//! use kecoa::retry::{Attempts, Decision, Failure, Policy};
//! use std::time::Duration;
//!
//! let mut attempts = Attempts::new(Policy::default(), Duration::ZERO)?;
//! // … the first attempt fails with 40001 after 30 ms; 0.5 is a random number …
//! let failure = Failure::from_sqlstate(Some("40001"), false, false);
//! let decision = attempts.on_failure(failure, Duration::from_millis(30), 0.5);
//! assert_eq!(decision, Decision::RetryAfter(Duration::from_millis(50)));
//! assert_eq!(attempts.attempt(), 2);
//! # Ok::<(), kecoa::Error>(())
//! ```

mod decision;
mod effect;
mod failure;
mod policy;
mod runtime;
#[cfg(test)]
mod tests;

pub use decision::{Attempts, Decision};
pub(crate) use effect::{Beginning, Reading, Sets, read_request};
pub use effect::{Block, Effect, effect_of, is_commit};
pub(crate) use failure::leaves_open;
pub use failure::{Failure, classify};
pub use policy::{Jitter, Policy};
pub use runtime::{Runtime, SystemRuntime};
