//! Extensions whose functions CockroachDB has built in, and the endpoint most of them.

use kecoa_sql::Statement;

use super::plan::{Analysis, Class, Piece};
use super::quote::{quote, quote_name};

/// Their usual functions are there in every database.
const BUILT_IN: [&str; 3] = ["fuzzystrmatch", "pgcrypto", "uuid-ossp"];

/// Every database has them where PostgreSQL's package does: `functions/extensions.sql`.
const INSTALLED: [&str; 4] = ["citext", "pg_trgm", "unaccent", "vector"];

/// `CREATE EXTENSION` and `DROP EXTENSION` of what is built in; `None` for other statements. PostgreSQL
/// does what the statement says where it has the extension: it brings the rest of the functions.
pub(super) fn analyse(statement: &Statement<'_>) -> Option<Analysis> {
    let (tag, known) = if statement.are(0, &["CREATE", "EXTENSION"]) {
        ("CREATE EXTENSION", "pg_available_extensions WHERE name")
    } else if statement.are(0, &["DROP", "EXTENSION"]) {
        ("DROP EXTENSION", "pg_extension WHERE extname")
    } else {
        return None;
    };
    let mut at = 2;
    while statement.is_any(at, &["IF", "NOT", "EXISTS"]) {
        at += 1;
    }
    let name = statement.name(at)?;
    if INSTALLED.contains(&name.as_str()) {
        return Some(installed(&name, tag));
    }
    if !BUILT_IN.contains(&name.as_str()) {
        return None;
    }
    let condition = if tag.starts_with("CREATE") { "IF NOT EXISTS" } else { "IF EXISTS" };
    let body = format!(
        "BEGIN IF EXISTS (SELECT FROM pg_catalog.{known} = {name}) THEN {tag} {condition} {quoted}; \
         END IF; RAISE NOTICE USING MESSAGE = {message}; END",
        name = quote(&name),
        quoted = quote_name(&name),
        message = quote(&format!("the functions of extension {name} are built in")),
    );
    Some(Analysis::piece(Class::Definition, Piece::tagged(format!("DO {}", quote(&body)), tag)))
}

/// The same of one that is installed, if it can be: PostgreSQL says so if not. One that a client installed
/// elsewhere before is the client's.
fn installed(name: &str, tag: &str) -> Analysis {
    let quoted = quote_name(name);
    let change = if tag.starts_with("CREATE") {
        format!(
            "IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = {}) \
             THEN CREATE EXTENSION {quoted}; END IF;",
            quote(name)
        )
    } else {
        format!(
            "IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = {} \
             AND extnamespace = 'pg_catalog'::pg_catalog.regnamespace) THEN DROP EXTENSION {quoted}; END IF;",
            quote(name)
        )
    };
    let message = quote(&format!("the types and functions of extension {name} are built in"));
    let body = format!("BEGIN {change} RAISE NOTICE USING MESSAGE = {message}; END");
    Analysis::piece(Class::Definition, Piece::tagged(format!("DO {}", quote(&body)), tag))
}
