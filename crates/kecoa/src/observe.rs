//! The client seen from outside: what it has done, counted, and what a server shows to anybody.
//!
//! [`counters`] is a snapshot of the process's counters, [`Client::counters`] that of one
//! connection. Counting costs a few relaxed additions a statement and cannot be turned off.
//!
//! ```
//! let before = kecoa::observe::counters();
//! // … work …
//! let after = kecoa::observe::counters();
//! assert!(after.statements >= before.statements);
//! for (name, value) in after.iter() {
//!     println!("{name} {value}");
//! }
//! ```
//!
//! [`tls_greeting`] and [`authentication`] look at a server without logging in, for
//! `kecoa doctor`; they send no secret.
//!
//! [`Client::counters`]: crate::blocking::Client::counters

mod counters;

#[cfg(not(feature = "tracing"))]
pub(crate) mod silent;
#[cfg(feature = "tracing")]
pub(crate) mod spans;
mod text;

pub use crate::net::server_probe::{
    Authentication, Certificate, TlsGreeting, authentication, tls_greeting,
};
pub use counters::{Counters, REASONS, counters, note_decision, note_transaction};
pub(crate) use counters::{Presence, note_cancel, note_connect_failed};
#[cfg(not(feature = "tracing"))]
pub(crate) use silent as spans;
#[cfg(feature = "tracing")]
pub use spans::set_query_text;

pub use text::without_values;

use crate::config::Config;

/// Whether there is a password for the place with this index in [`Config::targets`], given or from
/// the password file.
#[must_use]
pub fn has_password(config: &Config, target: usize) -> bool {
    config.password_for(target).is_some()
}
