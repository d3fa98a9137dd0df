//! What a database needs inside before the dialect works in it.

/// Idempotent SQL that the launcher runs once, as a superuser, in `template1` and in every database
/// that exists after `initdb`. It adds the schema `crdb_internal`, CockroachDB's functions, casts and
/// operators that PostgreSQL lacks or has with other types, CockroachDB's views, and what definitions
/// lean on.
pub const BOOTSTRAP_SQL: &str = concat!(
    include_str!("schema.sql"),
    include_str!("functions/replace.sql"),
    include_str!("functions/install.sql"),
    include_str!("functions/decimal.sql"),
    include_str!("functions/numeric.sql"),
    include_str!("functions/aggregate.sql"),
    include_str!("functions/text.sql"),
    include_str!("functions/hash.sql"),
    include_str!("functions/json.sql"),
    include_str!("bootstrap.sql"),
    include_str!("functions/uuid.sql"),
    include_str!("crdb_internal.sql"),
    include_str!("definitions.sql"),
    include_str!("index_names.sql"),
    include_str!("on_update.sql"),
    include_str!("enum_values.sql"),
    include_str!("catalog.sql"),
    include_str!("functions/time.sql"),
    include_str!("functions/system.sql"),
    include_str!("functions/conversion.sql"),
    include_str!("casts.sql"),
    include_str!("operators.sql"),
    include_str!("functions/pin.sql"),
    include_str!("show/literals.sql"),
    include_str!("show/expression.sql"),
    include_str!("show/operand.sql"),
    include_str!("show/indexes.sql"),
    include_str!("show/create.sql"),
    include_str!("show/constraints.sql"),
    include_str!("show/routines.sql"),
    include_str!("show/grants.sql"),
    include_str!("show/catalog.sql"),
    include_str!("show/columns.sql"),
);
