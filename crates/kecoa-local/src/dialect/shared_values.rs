//! Values that PostgreSQL takes for its own variables and CockroachDB does not.

use kecoa_sql::{Statement, TokenKind};

use super::plan::Refusal;
use super::variables::{self, boolean};

/// The error for a statement other than `SET` that gives a variable such a value: `set_config()`,
/// `ALTER ROLE … SET`, `UPDATE pg_settings`.
pub(super) fn in_statement(statement: &Statement<'_>) -> Option<Refusal> {
    if statement.is(0, "ALTER") && statement.is_any(1, &["ROLE", "USER", "DATABASE"]) {
        let set = statement.find(2, statement.len(), |at| statement.is(at, "SET"))?;
        let value = statement.value(set + 3).filter(|_| set + 4 == statement.len());
        let given = value.unwrap_or_else(|| {
            statement.slice((set + 3).min(statement.len()), statement.len()).replace('\'', "")
        });
        return refusal(&statement.name(set + 1)?.to_ascii_lowercase(), &given);
    }
    if statement.is(0, "UPDATE") {
        let at = if statement.is_mark(2, ".") { 3 } else { 1 };
        if statement.name(at).as_deref() == Some("pg_settings") {
            let message = "user does not have UPDATE privilege on relation pg_settings";
            let hint = "SET changes a variable, ALTER ROLE … SET its default";
            return Some(Refusal { hint: hint.to_owned(), ..Refusal::new("42501", message) });
        }
    }
    (0..statement.len()).find_map(|at| in_call(statement, at))
}

/// `set_config('name', 'value', …)` at `at`.
fn in_call(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    let is_call = statement.is_mark(at + 1, "(")
        && statement.kind(at + 2) == Some(TokenKind::String)
        && statement.is_mark(at + 3, ",")
        && statement.name(at).as_deref() == Some("set_config");
    let name = statement.value(at + 2).filter(|_| is_call)?.to_ascii_lowercase();
    if !variables::is_known(&name) {
        return Some(unknown(&name));
    }
    let literal = statement.kind(at + 4) == Some(TokenKind::String);
    refusal(&name, &statement.value(at + 4).filter(|_| literal)?)
}

/// The error for a variable that only PostgreSQL has.
pub(super) fn unknown(variable: &str) -> Refusal {
    let message = format!("unrecognized configuration parameter \"{variable}\"");
    let hint = "CockroachDB does not have it; SET kecoa_strict = off passes it on to PostgreSQL";
    Refusal { hint: hint.to_owned(), ..Refusal::new("42704", message) }
}

/// The error for a value that a cluster refuses.
pub(crate) fn refusal(variable: &str, value: &str) -> Option<Refusal> {
    let value = value.trim();
    let is = |known: &str| value.eq_ignore_ascii_case(known);
    let available = match variable {
        _ if is("default") => return None,
        "standard_conforming_strings" if boolean(value) == Some(false) => "on",
        "backslash_quote" if !is("safe_encoding") => "safe_encoding",
        "default_tablespace" if !value.is_empty() => "''",
        "default_table_access_method" if !is("heap") => "heap",
        "intervalstyle" if is("postgres_verbose") => "postgres,iso_8601,sql_standard",
        "xmloption" if !is("content") => "content",
        "datestyle" if !is_iso(value) => {
            let message = format!("unimplemented: only ISO style is supported, found {value:?}");
            return Some(Refusal { hint: hint("ISO"), ..Refusal::new("0A000", message) });
        }
        _ => return None,
    };
    let message = format!("invalid value for parameter \"{variable}\": {value:?}");
    Some(Refusal { hint: hint(available), ..Refusal::new("22023", message) })
}

fn hint(available: &str) -> String {
    format!("Available values: {available}; SET kecoa_strict = off passes it on to PostgreSQL")
}

/// `ISO`, `MDY`, `ISO, DMY`: the style of dates, and the order of their parts.
fn is_iso(value: &str) -> bool {
    const PARTS: [&str; 9] =
        ["", "iso", "mdy", "dmy", "ymd", "us", "euro", "european", "noneuropean"];
    let known = |part: &str| PARTS.iter().any(|known| part.eq_ignore_ascii_case(known));
    value.split([',', ' ']).all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wherever_it_is_given() {
        for (sql, code) in [
            ("SELECT set_config('standard_conforming_strings', 'off', false)", Some("22023")),
            ("SELECT 1, pg_catalog.set_config('DateStyle', 'German', true)", Some("0A000")),
            ("SELECT \"set_config\"('enable_hashjoin', 'off', false)", Some("42704")),
            ("SELECT set_config('standard_conforming_strings', 'on', false)", None),
            ("SELECT set_config('my.own', 'off', false)", None),
            ("SELECT set_config($1, 'off', false)", None),
            ("ALTER ROLE maya SET datestyle = SQL, MDY", Some("0A000")),
            ("ALTER ROLE maya IN DATABASE d SET datestyle TO 'ISO, DMY'", None),
            ("ALTER DATABASE d SET \"standard_conforming_strings\" TO off", Some("22023")),
            ("ALTER ROLE maya SET search_path = shop", None),
            ("ALTER ROLE maya CREATEDB", None),
            ("ALTER DATABASE d SET", None),
            ("UPDATE pg_catalog.pg_settings SET setting = 'off'", Some("42501")),
            ("UPDATE pg_settings SET setting = 'off'", Some("42501")),
            ("UPDATE settings SET setting = 'off'", None),
        ] {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            assert_eq!(in_statement(&statement).map(|refusal| refusal.code), code, "{sql}");
        }
    }

    #[test]
    fn what_a_cluster_takes() {
        for (variable, value, refused) in [
            ("standard_conforming_strings", "off", true),
            ("standard_conforming_strings", "false", true),
            ("standard_conforming_strings", "on", false),
            ("datestyle", "ISO, DMY", false),
            ("datestyle", "German", true),
            ("datestyle", "SQL, MDY", true),
            ("intervalstyle", "iso_8601", false),
            ("intervalstyle", "postgres_verbose", true),
            ("backslash_quote", "DEFAULT", false),
            ("backslash_quote", "on", true),
            ("search_path", "off", false),
        ] {
            assert_eq!(refusal(variable, value).is_some(), refused, "{variable} = {value}");
        }
    }
}
