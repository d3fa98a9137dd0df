//! What a database needs inside before the dialect works in it.

/// Idempotent SQL that the launcher runs once, as a superuser, in `template1` and in every database
/// that exists after `initdb`. It adds the schema `crdb_internal` and CockroachDB's functions that
/// PostgreSQL lacks (`unique_rowid()`, `cluster_logical_timestamp()`, `crdb_internal.force_retry`),
/// its views, its division, and what definitions lean on.
pub const BOOTSTRAP_SQL: &str = concat!(
    include_str!("bootstrap.sql"),
    include_str!("operators.sql"),
    include_str!("crdb_internal.sql"),
    include_str!("definitions.sql"),
);
