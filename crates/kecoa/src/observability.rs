//! The client seen from outside: what it has done, counted.
//!
//! [`counters`] is a snapshot of the process's counters, [`Client::counters`] that of one
//! connection. Counting costs a few relaxed additions a statement and cannot be turned off.
//!
//! ```
//! let before = kecoa::observability::counters();
//! // … work …
//! let after = kecoa::observability::counters();
//! assert!(after.statements >= before.statements);
//! for (name, value) in after.iter() {
//!     println!("{name} {value}");
//! }
//! ```
//!
//! [`Client::counters`]: crate::blocking::Client::counters

mod counters;
#[cfg(feature = "tracing")]
mod server;
mod session_metrics;
#[cfg(feature = "tracing")]
pub(crate) mod spans;
#[cfg(not(feature = "tracing"))]
pub(crate) mod spans_noop;
mod text;

pub use counters::{Counters, REASONS, counters, note_decision, note_transaction};
pub(crate) use counters::{note_cancel, note_connect_failed};
#[cfg(feature = "tracing")]
pub(crate) use server::Server;
pub(crate) use session_metrics::SessionMetrics;
#[cfg(feature = "tracing")]
pub use spans::set_query_text;
#[cfg(not(feature = "tracing"))]
pub(crate) use spans_noop as spans;
pub use text::without_values;
