//! `SHOW variable`, `SHOW ALL`: the session's variables.

use kecoa_sql::Statement;

use super::shown::{Found, rows, uncounted};
use crate::dialect::quote::{quote, quote_name};
use crate::dialect::variables::{self, SHARED};

/// The query for a `SHOW` of one variable or of all.
pub(super) fn query(statement: &Statement<'_>, at: usize, end: usize) -> Found {
    let scoped = statement.is_any(at + 1, &["SESSION", "LOCAL"]) && at + 2 < end;
    let name = at + 1 + usize::from(scoped);
    let is = |words: &[&str]| statement.are(name, words) && name + words.len() == end;
    if is(&["ALL"]) {
        return rows(all(), "SHOW");
    }
    let name = if is(&["TIME", "ZONE"]) {
        "timezone".to_owned()
    } else if is(&["TRANSACTION", "ISOLATION", "LEVEL"]) {
        "transaction_isolation".to_owned()
    } else if is(&["TRANSACTION", "PRIORITY"]) {
        "transaction_priority".to_owned()
    } else if is(&["TRANSACTION", "STATUS"]) {
        "transaction_status".to_owned()
    } else if is(&["NAMES"]) {
        "client_encoding".to_owned()
    } else {
        match statement.qualified_name(name) {
            Some(last) if last == end => match statement.name(name) {
                Some(only) if name + 1 == end => only.to_ascii_lowercase(),
                _ => statement.slice(name, last).to_ascii_lowercase(),
            },
            _ => return Ok(None),
        }
    };
    let Some(value) = own(&name) else {
        // PostgreSQL's own SHOW reads no data, so SET TRANSACTION may still follow it.
        if at == 0 && !scoped {
            return Ok(None);
        }
        return uncounted(format!("SELECT {} AS {}", setting(&name), quote_name(&name)), "SHOW");
    };
    uncounted(format!("SELECT {value} AS {}", quote_name(&name)), "SHOW")
}

/// Variables that say where the session is.
const PLACE: &[&str] = &["database", "is_superuser", "session_id", "session_user"];

/// The value of a variable that is not simply PostgreSQL's of the same name, as an expression.
fn own(name: &str) -> Option<String> {
    if let Some(value) = variables::value(name) {
        return Some(value);
    }
    Some(match name {
        "database" => "pg_catalog.current_database()::text".to_owned(),
        "session_id" => "pg_catalog.pg_backend_pid()::text".to_owned(),
        "session_user" => "session_user::text".to_owned(),
        "is_superuser" => "CASE WHEN crdb_internal.is_admin() THEN 'on' ELSE 'off' END".to_owned(),
        // PostgreSQL 16 has these two no more as variables.
        "lc_collate" => database_column("datcollate"),
        "lc_ctype" => database_column("datctype"),
        // PostgreSQL's SHOW names these columns TimeZone, DateStyle and IntervalStyle.
        "timezone" | "datestyle" | "intervalstyle" => setting(name),
        _ => return None,
    })
}

/// The value of PostgreSQL's variable of this name; one that is not known is its to refuse.
fn setting(name: &str) -> String {
    format!("pg_catalog.current_setting({})", quote(name))
}

fn database_column(column: &str) -> String {
    format!(
        "(SELECT d.{column}::text FROM pg_catalog.pg_database d \
         WHERE d.datname = pg_catalog.current_database())"
    )
}

/// Every variable that CockroachDB has, and its value: a query.
pub(in crate::dialect) fn all() -> String {
    let names = variables::VARIABLES
        .iter()
        .map(|(name, ..)| *name)
        .chain(SHARED.iter().copied())
        .chain(PLACE.iter().copied());
    let rows: Vec<String> = names
        .map(|name| format!("({}, {})", quote(name), own(name).unwrap_or_else(|| setting(name))))
        .collect();
    format!(
        "SELECT v.variable, v.value FROM (VALUES {}) AS v(variable, value) \
         ORDER BY v.variable COLLATE \"C\"",
        rows.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_is_named_twice() {
        let mut names: Vec<&str> = variables::VARIABLES.iter().map(|(name, ..)| *name).collect();
        names.extend(SHARED);
        names.extend(PLACE);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
