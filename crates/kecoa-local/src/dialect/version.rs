//! The CockroachDB that the endpoint takes after.

/// The CockroachDB version whose dialect the endpoint speaks.
pub const COCKROACHDB_VERSION: &str = "v25.2.0";

/// The hint of every retry error, CockroachDB's page about them.
pub const RETRY_HINT: &str = "See: https://www.cockroachlabs.com/docs/v25.2/\
                              transaction-retry-error-reference.html";
