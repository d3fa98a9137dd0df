//! CockroachDB's dialect: text in, a plan out.
//!
//! Nothing here does I/O. What a plan must know of the database (the primary key of a table, say)
//! it asks for, and the caller answers.

mod bootstrap;

pub use bootstrap::BOOTSTRAP_SQL;

/// The CockroachDB version whose dialect the endpoint speaks.
pub const COCKROACHDB_VERSION: &str = "v25.2.0";
