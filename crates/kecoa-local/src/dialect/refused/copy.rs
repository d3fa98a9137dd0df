//! Options of `COPY` that CockroachDB does not have.

use kecoa_sql::Statement;

use super::table::{Found, SYNTAX, UNIMPLEMENTED};

const OPTIONS: [&str; 8] =
    ["DESTINATION", "FORMAT", "DELIMITER", "NULL", "HEADER", "QUOTE", "ESCAPE", "ENCODING"];

/// In its grammar, only to say that they are not there.
const KNOWN: [(&str, &str); 5] = [
    ("FREEZE", "FREEZE in COPY"),
    ("FORCE_QUOTE", "FORCE_QUOTE in COPY"),
    ("FORCE_NOT_NULL", "FORCE_NOT_NULL in COPY"),
    ("FORCE_NULL", "FORCE_NULL in COPY"),
    ("OIDS", "OIDS in COPY"),
];

/// What a `COPY` has.
pub(super) fn options(statement: &Statement<'_>) -> Found {
    let length = statement.len();
    if statement.is(1, "BINARY") && statement.is_name(2) && !statement.is_any(2, &["FROM", "TO"]) {
        return Some((1, SYNTAX, "COPY BINARY (say WITH BINARY)"));
    }
    let way = statement.find(1, length, |at| {
        statement.are(at, &["FROM", "STDIN"]) || statement.are(at, &["TO", "STDOUT"])
    })?;
    let condition = statement.find(way + 2, length, |at| statement.is(at, "WHERE"));
    if let Some(at) = condition {
        return Some((at, UNIMPLEMENTED, "WHERE in COPY"));
    }
    let from = way + 2 + usize::from(statement.is(way + 2, "WITH"));
    if statement.is_mark(from, "(") {
        let closing = statement.partner(from)?;
        let elements = statement.elements(from + 1, closing);
        return elements.into_iter().find_map(|(start, end)| option(statement, start, end));
    }
    let mut words = (from..length).filter(|at| statement.is_name(*at));
    words.find_map(|at| {
        if statement.is_any(at, &["USING", "DELIMITERS"]) {
            return Some((at, SYNTAX, "DELIMITERS in COPY (say DELIMITER)"));
        }
        if statement.is(at, "FORCE") {
            return Some((at, UNIMPLEMENTED, "FORCE in COPY"));
        }
        known(statement, at)
    })
}

fn known(statement: &Statement<'_>, at: usize) -> Found {
    let found = KNOWN.iter().find(|(word, _)| statement.is(at, word));
    found.map(|(_, what)| (at, UNIMPLEMENTED, *what))
}

/// One of those in brackets.
fn option(statement: &Statement<'_>, start: usize, end: usize) -> Found {
    if let Some(found) = known(statement, start) {
        return Some(found);
    }
    if !statement.is_any(start, &OPTIONS) {
        return Some((start, SYNTAX, "this option of COPY"));
    }
    if statement.is(start, "HEADER") && end > start + 1 {
        let plain = statement.is_any(start + 1, &["TRUE", "FALSE"]);
        return (!plain).then_some((
            start + 1,
            SYNTAX,
            "HEADER in COPY with another word than TRUE or FALSE",
        ));
    }
    None
}
