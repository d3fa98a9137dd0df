//! Extensions that CockroachDB does not have.

use kecoa_sql::Statement;

use crate::dialect::plan::Refusal;

/// What `CREATE EXTENSION` takes.
const KNOWN: [&str; 9] = [
    "citext",
    "fuzzystrmatch",
    "pg_trgm",
    "pgcrypto",
    "plpgsql",
    "postgis",
    "unaccent",
    "uuid-ossp",
    "vector",
];

/// PostgreSQL's own, which CockroachDB knows by name.
const KNOWN_BY_NAME: [&str; 33] = [
    "adminpack",
    "amcheck",
    "auto_explain",
    "autoinc",
    "bloom",
    "btree_gin",
    "btree_gist",
    "cube",
    "dblink",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "file_fdw",
    "hstore",
    "insert_username",
    "intagg",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "moddatetime",
    "pageinspect",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_visibility",
    "pgrowlocks",
    "pgstattuple",
    "postgres_fdw",
    "seg",
    "tablefunc",
    "xml2",
];

/// The error for a `CREATE EXTENSION`.
pub(super) fn refusal(statement: &Statement<'_>) -> Option<Refusal> {
    if !statement.are(0, &["CREATE", "EXTENSION"]) {
        return None;
    }
    let name = statement.name(if statement.are(2, &["IF", "NOT", "EXISTS"]) { 5 } else { 2 })?;
    if KNOWN.contains(&name.as_str()) {
        return None;
    }
    let hint = "SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster".to_owned();
    let refusal = if KNOWN_BY_NAME.contains(&name.as_str()) {
        let message = format!("unimplemented: extension \"{name}\" is not yet supported");
        Refusal::new("0A000", message)
    } else {
        Refusal::new("42704", format!("unknown extension: \"{name}\""))
    };
    Some(Refusal { hint, ..refusal })
}
