//! Where and how to connect.
//!
//! A [`Config`] is a list of libpq's connection options, read from a keyword/value string or a URL
//! ([`Config::parse`]), from pairs, or set one by one. [`Config::resolve`] fills in what was left
//! open from an [`Environment`]: a service file, PG* variables, the password file, defaults.
//!
//! Passwords are never printed: `Debug` and `Display` show `xxx` in their place.

pub mod conninfo;
mod environment;
mod listing;
mod option_values;
mod options;
mod passfile;
mod require_auth;
mod resolve;
mod secrets;
mod service;
mod session_attributes;
mod settings;
mod ssl_mode;
mod suggestion;
mod target;
mod url;

pub use environment::Environment;
pub(crate) use environment::account_of;
pub use listing::{OptionInfo, Support, Values, options};
pub use option_values::Config;
pub use session_attributes::SessionAttributes;
pub use ssl_mode::SslMode;
pub use target::Target;
