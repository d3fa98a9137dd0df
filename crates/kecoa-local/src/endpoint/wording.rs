//! PostgreSQL's messages in CockroachDB's words, for the errors that programs look into.
//!
//! Only what is known of CockroachDB's text is replaced; any other message stays PostgreSQL's. The
//! fields that name a table, a column or a constraint stay, too.

use kecoa_sql::Statement;

use super::operator_words::{operator, undecided};
use super::origin::Origin;
use super::replies::Fields;
use crate::dialect::syntax;

/// The verbs of the client's statement that write rows.
fn verbs(origin: &Origin<'_>) -> Vec<&'static str> {
    let found = origin.written(|statement| {
        let mut verbs = Vec::new();
        for at in 0..statement.len() {
            if let Some(verb) = verb(statement, at).filter(|verb| !verbs.contains(verb)) {
                verbs.push(verb);
            }
        }
        verbs
    });
    found.unwrap_or_default()
}

/// The verb at `at`, if a statement that writes rows begins there.
fn verb(statement: &Statement<'_>, at: usize) -> Option<&'static str> {
    let begins = || {
        at.checked_sub(1).is_none_or(|before| {
            ["(", ")", "["].iter().any(|mark| statement.is_mark(before, mark))
                || statement.is_any(before, &["AS", "EXPLAIN", "ANALYZE"])
        })
    };
    if statement.are(at, &["INSERT", "INTO"]) || at == 0 && statement.is(0, "COPY") {
        Some("insert")
    } else if statement.are(at, &["UPSERT", "INTO"]) {
        Some("upsert")
    } else if statement.are(at, &["DELETE", "FROM"]) {
        Some("delete")
    } else if statement.is(at, "UPDATE") && begins() {
        Some("update")
    } else {
        None
    }
}

/// Puts an error into CockroachDB's words. `position` is where it lies in the client's text, in bytes.
pub(super) fn reword(error: &mut Fields, origin: Option<&Origin<'_>>, position: Option<usize>) {
    let message = String::from_utf8_lossy(error.get(b'M').unwrap_or_default()).into_owned();
    let said = match error.code() {
        "42601" => {
            let place = origin.zip(position);
            if let Some((said, detail)) = place.and_then(|(o, at)| syntax_error(&message, o, at)) {
                error.set(b'M', &said);
                if let Some(detail) = detail {
                    error.set(b'D', &detail);
                }
            }
            return;
        }
        "23502" => without(&message, " of relation \"", " violates not-null constraint"),
        "23503" => foreign_key(&message, origin),
        "22001" | "22026" => typed(&message),
        "22003" => return out_of_range(error, &message),
        "22P02" | "22007" => unreadable(&message).map(|said| of_argument(error, said)),
        "42703" => column(&message),
        "3F000" => origin.and_then(|origin| schema(&message, origin)),
        "42883" => return unknown_function(error, &message),
        "42P01" => quoted_in(&message, "missing FROM-clause entry for table \"", "\"")
            .or_else(|| {
                quoted_in(&message, "invalid reference to FROM-clause entry for table \"", "\"")
            })
            .map(|table| format!("no data source matches prefix: {table} in this context"))
            .or_else(|| relation(&message))
            .or_else(|| whole_name(&message, origin.zip(position)?)),
        "42803" => quoted_in(&message, "column \"", "\" must appear in the GROUP BY clause")
            .and_then(|name| name.rsplit_once('.'))
            .map(|(table, _)| message.replacen(&format!("\"{table}."), "\"", 1)),
        "22023" => match undecided(&message, origin.zip(position)) {
            Some(said) => {
                error.set(b'C', "42P18");
                error.remove(b"H");
                Some(said)
            }
            None => operator(&message, origin.zip(position)),
        },
        _ => None,
    };
    if let Some(said) = said {
        if error.code() == "23502" {
            error.remove(b"D"); // the whole row
        }
        error.set(b'M', &said);
    }
}

/// `table "t" does not exist`: CockroachDB has one word for tables, views and sequences.
fn relation(message: &str) -> Option<String> {
    let kinds = ["table", "view", "materialized view", "sequence"];
    let rest = kinds.iter().find_map(|kind| message.strip_prefix(kind)?.strip_prefix(" \""))?;
    let name = rest.strip_suffix("\" does not exist")?;
    Some(format!("relation \"{name}\" does not exist"))
}

/// A schema that is not there, by what was to be done with it.
fn schema(message: &str, origin: &Origin<'_>) -> Option<String> {
    let name = quoted_in(message, "schema \"", "\" does not exist")?;
    origin.written(|statement| {
        if statement.is_any(0, &["DROP", "ALTER"]) && statement.is(1, "SCHEMA") {
            return Some(format!("unknown schema \"{name}\""));
        }
        let starts = |at: &usize| {
            statement.is_mark(at + 1, ".") && statement.name(*at).as_deref() == Some(name)
        };
        let at = (1..statement.len()).filter(|_| statement.is(0, "CREATE")).find(starts)?;
        let written = statement.slice(at, statement.qualified_name(at)?);
        Some(format!(
            "cannot create \"{written}\" because the target database or schema does not exist"
        ))
    })?
}

/// `relation "s.t" does not exist`, where the client wrote the database in front.
fn whole_name(message: &str, (origin, position): (&Origin<'_>, usize)) -> Option<String> {
    let found = quoted_in(message, "relation \"", "\" does not exist")?;
    origin.statement(position, |statement, at| {
        let first = (0..statement.len()).find(|token| statement.start(*token) == at)?;
        let end = statement.qualified_name(first).filter(|end| *end == first + 5)?;
        let names: Option<Vec<String>> =
            (first..end).step_by(2).map(|i| statement.name(i)).collect();
        let name = names?.join(".");
        name.ends_with(&format!(".{found}")).then(|| format!("relation \"{name}\" does not exist"))
    })?
}

/// The functions that only PostgreSQL has, a line each, in order.
const FOREIGN: &str = include_str!("../dialect/functions/foreign.txt");

/// A function that only PostgreSQL has, which is not there: what PostgreSQL says of casts does not help.
fn unknown_function(error: &mut Fields, message: &str) {
    let Some(name) = quoted_in(message, "function ", "(") else { return };
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    if FOREIGN.lines().any(|line| line == name) {
        error.set(b'M', &format!("unknown function: {name}()"));
        error.set(b'H', "CockroachDB does not have it; make a function of your own with that name");
    }
}

/// What stands between two parts of a text that begins with the first.
fn quoted_in<'t>(text: &'t str, before: &str, behind: &str) -> Option<&'t str> {
    text.strip_prefix(before)?.split_once(behind).map(|(found, _)| found)
}

/// The text without what stands from one of its parts up to another.
fn without(text: &str, from: &str, to: &str) -> Option<String> {
    let (before, rest) = text.split_once(from)?;
    let (_, behind) = rest.split_once(to)?;
    Some(format!("{before}{to}{behind}"))
}

fn syntax_error(
    message: &str,
    origin: &Origin<'_>,
    position: usize,
) -> Option<(String, Option<String>)> {
    let what = match message.strip_suffix(" at end of input") {
        Some(what) => what,
        None if message.starts_with("unrecognized role option ") => "syntax error",
        None => message.split_once(" at or near \"")?.0,
    };
    let lexical = match what {
        "unterminated quoted string" | "unterminated quoted identifier" => {
            Some("lexical error: unterminated string")
        }
        "unterminated /* comment" => Some("lexical error: unterminated comment"),
        _ => None,
    };
    origin.statement(position, |statement, at| {
        let said = match (lexical, what) {
            (Some(lexical), _) => lexical.to_owned(),
            (None, "syntax error") => format!("{}: syntax error", syntax::near(statement, at)),
            _ => format!("{}: syntax error: {what}", syntax::near(statement, at)),
        };
        (said, syntax::detail(statement, at))
    })
}

/// PostgreSQL's words for what the row of a foreign key is for do not say which statement it was.
fn foreign_key(message: &str, origin: Option<&Origin<'_>>) -> Option<String> {
    let (may, rest) = if let Some(rest) = message.strip_prefix("insert or update on table ") {
        (&["insert", "upsert", "update"][..], rest)
    } else {
        let rest = message.strip_prefix("update or delete on table ")?;
        (&["update", "delete", "upsert"][..], rest)
    };
    let verbs = verbs(origin?);
    let mut verbs = verbs.into_iter().filter(|verb| may.contains(verb));
    match (verbs.next(), verbs.next()) {
        (Some(verb), None) => Some(format!("{verb} on table {rest}")),
        _ => None,
    }
}

/// Names of types as CockroachDB prints them in these messages.
fn typed(message: &str) -> Option<String> {
    const TYPES: [(&str, &str); 4] = [
        ("type character varying(", "type VARCHAR("),
        ("type character(", "type CHAR("),
        ("type bit varying(", "type VARBIT("),
        ("type bit(", "type BIT("),
    ];
    let (theirs, ours) = TYPES.into_iter().find(|(theirs, _)| message.contains(theirs))?;
    let said = message.replacen(theirs, ours, 1);
    // These two are of length 1 when they say nothing else.
    let one = ["type CHAR(1)", "type BIT(1)"].into_iter().find(|name| said.ends_with(name));
    Some(match one {
        Some(_) => said.trim_end_matches("(1)").to_owned(),
        None => said,
    })
}

fn out_of_range(error: &mut Fields, message: &str) {
    let said = match message {
        "bigint out of range" => "integer out of range",
        "integer out of range" => "integer out of range for type int4",
        "smallint out of range" => "integer out of range for type int2",
        "numeric field overflow" => {
            let detail = String::from_utf8_lossy(error.get(b'D').unwrap_or_default()).into_owned();
            if let Some(rest) = detail.strip_prefix("A field with ") {
                let rest = rest.trim_end_matches('.');
                let rest = match rest.strip_suffix("less than 1") {
                    Some(start) => format!("{start}less than 10^0"),
                    None => rest.to_owned(),
                };
                error.remove(b"D");
                error.set(b'M', &format!("value with {rest}"));
            }
            return;
        }
        _ => return,
    };
    error.set(b'M', said);
}

/// Text that is no value of its type.
fn unreadable(message: &str) -> Option<String> {
    let rest = message.strip_prefix("invalid input syntax for type ")?;
    let (name, value) = rest.split_once(": \"")?;
    let value = value.strip_suffix('"')?;
    let parse =
        |function: &str| format!(": strconv.{function}: parsing \"{value}\": invalid syntax");
    let (name, why) = match name {
        "bigint" | "integer" | "smallint" => ("int", parse("ParseInt")),
        "double precision" | "real" => ("float", parse("ParseFloat")),
        "boolean" => ("bool", ": invalid bool value".to_owned()),
        "numeric" => ("decimal", String::new()),
        "uuid" => ("uuid", String::new()),
        "interval" => ("interval", String::new()),
        "date" | "time" => {
            return Some(format!("parsing as type {name}: could not parse \"{value}\""));
        }
        "timestamp" | "timestamp with time zone" => {
            return Some(format!("parsing as type timestamp: could not parse \"{value}\""));
        }
        _ => return None,
    };
    Some(format!("could not parse \"{value}\" as type {name}{why}"))
}

/// The same of a statement's argument, which PostgreSQL says in the context.
fn of_argument(error: &Fields, said: String) -> String {
    let context = String::from_utf8_lossy(error.get(b'W').unwrap_or_default()).into_owned();
    let number = context
        .split_once(" parameter $")
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    match number.filter(|_| context.contains("portal")) {
        Some(number) => format!("error in argument for ${number}: {said}"),
        None => said,
    }
}

/// `column "a" of relation "t"`, `column t.a`: CockroachDB quotes the name alone.
fn column(message: &str) -> Option<String> {
    let rest = message.strip_prefix("column ")?;
    let name = rest.strip_suffix(" does not exist")?;
    match name.split_once("\" of relation \"") {
        Some((name, _)) => Some(format!("column {name}\" does not exist")),
        None if !name.starts_with('"') => Some(format!("column \"{name}\" does not exist")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::edit::Sql;

    fn reworded(code: &str, message: &str, sql: &str) -> String {
        let copied = Sql::copied(sql.as_bytes(), 0);
        let origin = Origin {
            sql: &copied,
            part: 0..sql.len(),
            client: sql.as_bytes(),
            backslash_escapes: false,
        };
        let mut error = Fields::own("ERROR", code, message);
        reword(&mut error, Some(&origin), None);
        String::from_utf8_lossy(error.get(b'M').unwrap()).into_owned()
    }

    #[test]
    fn the_verb_is_the_statements() {
        let child = "insert or update on table \"c\" violates foreign key constraint \"k\"";
        let said = |sql| reworded("23503", child, sql);
        assert!(said("INSERT INTO c VALUES (1)").starts_with("insert on table \"c\""));
        assert!(said("UPSERT INTO c VALUES (1)").starts_with("upsert on table"));
        assert!(
            said("UPDATE c SET p = 1 WHERE a IN (SELECT 1 FOR UPDATE)").starts_with("update on")
        );
        assert!(
            said("INSERT INTO c VALUES (1) ON CONFLICT DO UPDATE SET a = 1")
                .starts_with("insert on")
        );
        assert_eq!(said("WITH x AS (INSERT INTO c VALUES (1)) UPDATE c SET p = 1"), child);
        assert_eq!(said("SELECT f()"), child);
        let parent =
            "update or delete on table \"p\" violates foreign key constraint \"k\" on table \"c\"";
        assert!(reworded("23503", parent, "DELETE FROM p").starts_with("delete on table \"p\""));
    }

    #[test]
    fn words() {
        for (code, theirs, ours) in [
            (
                "23502",
                "null value in column \"a\" of relation \"t\" violates not-null constraint",
                "null value in column \"a\" violates not-null constraint",
            ),
            (
                "22001",
                "value too long for type character varying(2)",
                "value too long for type VARCHAR(2)",
            ),
            ("22001", "value too long for type character(1)", "value too long for type CHAR"),
            (
                "22026",
                "bit string length 3 does not match type bit(1)",
                "bit string length 3 does not match type BIT",
            ),
            (
                "22026",
                "bit string length 3 does not match type bit(11)",
                "bit string length 3 does not match type BIT(11)",
            ),
            ("22003", "bigint out of range", "integer out of range"),
            (
                "22P02",
                "invalid input syntax for type bigint: \"a\"",
                "could not parse \"a\" as type int: strconv.ParseInt: parsing \"a\": invalid syntax",
            ),
            (
                "22007",
                "invalid input syntax for type date: \"x\"",
                "parsing as type date: could not parse \"x\"",
            ),
            (
                "42703",
                "column \"a\" of relation \"t\" does not exist",
                "column \"a\" does not exist",
            ),
            ("42703", "column t.a does not exist", "column \"t.a\" does not exist"),
            ("42703", "column \"a\" does not exist", "column \"a\" does not exist"),
            (
                "42P01",
                "missing FROM-clause entry for table \"x\"",
                "no data source matches prefix: x in this context",
            ),
            (
                "42803",
                "column \"t.a\" must appear in the GROUP BY clause or be used in an aggregate function",
                "column \"a\" must appear in the GROUP BY clause or be used in an aggregate function",
            ),
            (
                "22023",
                "operator does not exist: text + double precision",
                "unsupported binary operator: <string> + <float>",
            ),
            ("22023", "operator does not exist: - boolean", "unsupported unary operator: -<bool>"),
            ("42P01", "table \"t\" does not exist", "relation \"t\" does not exist"),
            ("42P01", "materialized view \"t\" does not exist", "relation \"t\" does not exist"),
            ("XX000", "bigint out of range", "bigint out of range"),
        ] {
            assert_eq!(reworded(code, theirs, "SELECT 1"), ours);
        }
    }
}
