//! From Python values to SQL literals, byte for byte psycopg2's.

pub(crate) mod datetime;
mod dumper;
mod list;
mod literal_options;
pub(crate) mod protocol;
pub(crate) mod registered;
pub(crate) mod scalar;
mod settings;
pub(crate) mod string;

pub(crate) use dumper::Dumper;
pub(crate) use literal_options::LiteralOptions;
pub(crate) use settings::{Settings, remember_standard_strings};
