//! Command tags that are not PostgreSQL's.

use kecoa_sql::{Statement, TokenKind};

use super::plan::{CopyForm, Reply};

/// How the reply to a statement looks that PostgreSQL gets much as it is, if not as PostgreSQL's own.
pub(super) fn reply(statement: &Statement<'_>) -> Option<Reply> {
    let tag = |tag: &str| Some(Reply::Tag(tag.to_owned(), false));
    if statement.is(0, "COPY") {
        return copy_in(statement).map(Reply::CopyIn);
    }
    if statement.are(0, &["COMMENT", "ON"]) {
        const OBJECTS: [&str; 7] =
            ["TABLE", "COLUMN", "INDEX", "CONSTRAINT", "DATABASE", "SCHEMA", "TYPE"];
        let object = OBJECTS.into_iter().find(|object| statement.is(2, object))?;
        return tag(&format!("COMMENT ON {object}"));
    }
    if statement.is(0, "ALTER") {
        return altered(statement).and_then(tag);
    }
    const WORDS: [(&[&str], &str); 12] = [
        (&["TRUNCATE"], "TRUNCATE"),
        (&["DISCARD", "SEQUENCES"], "DISCARD"),
        (&["DISCARD", "TEMP"], "DISCARD"),
        (&["DISCARD", "TEMPORARY"], "DISCARD"),
        (&["SET", "TRANSACTION"], "SET TRANSACTION"),
        (&["GRANT"], "GRANT"),
        (&["REVOKE"], "REVOKE"),
        (&["DROP", "OWNED"], "DROP OWNED BY"),
        (&["REASSIGN", "OWNED"], "REASSIGN OWNED BY"),
        (&["DECLARE"], "DECLARE"),
        (&["CLOSE"], "CLOSE"),
        (&["CREATE", "MATERIALIZED", "VIEW"], "CREATE VIEW"),
    ];
    if statement.are(0, &["DROP", "MATERIALIZED", "VIEW"]) {
        return tag("DROP VIEW");
    }
    let found = WORDS.into_iter().find(|(words, _)| statement.are(0, words));
    found.and_then(|(_, text)| tag(text))
}

/// `ALTER …`, where CockroachDB has a statement of its own for a change.
fn altered(statement: &Statement<'_>) -> Option<&'static str> {
    /// An object, and the tags of `OWNER TO`, `SET SCHEMA` and `RENAME TO`.
    type Tags = (&'static str, [Option<&'static str>; 3]);
    const OBJECTS: [Tags; 5] = [
        (
            "TABLE",
            [Some("ALTER TABLE OWNER"), Some("ALTER TABLE SET SCHEMA"), Some("RENAME TABLE")],
        ),
        ("VIEW", [Some("ALTER VIEW OWNER"), Some("ALTER VIEW SET SCHEMA"), Some("RENAME VIEW")]),
        (
            "SEQUENCE",
            [
                Some("ALTER SEQUENCE OWNER"),
                Some("ALTER SEQUENCE SET SCHEMA"),
                Some("RENAME SEQUENCE"),
            ],
        ),
        ("INDEX", [None, None, Some("RENAME INDEX")]),
        ("DATABASE", [Some("ALTER DATABASE OWNER"), None, Some("RENAME DATABASE")]),
    ];
    let object = 1 + usize::from(statement.is(1, "MATERIALIZED"));
    let (_, [owner, schema, name]) =
        OBJECTS.into_iter().find(|(word, _)| statement.is(object, word))?;
    let exists = if statement.are(object + 1, &["IF", "EXISTS"]) { 2 } else { 0 };
    let mut end = statement.qualified_name(object + 1 + exists)?;
    if statement.is_mark(end, "@") {
        end = statement.qualified_name(end + 1)?;
    }
    if statement.are(end, &["OWNER", "TO"]) {
        owner
    } else if statement.are(end, &["SET", "SCHEMA"]) {
        schema
    } else if statement.are(end, &["RENAME", "TO"]) {
        name
    } else {
        None
    }
}

/// The form of the rows, if the client sends them.
fn copy_in(statement: &Statement<'_>) -> Option<CopyForm> {
    let stdin = statement.find(1, statement.len(), |at| statement.are(at, &["FROM", "STDIN"]))?;
    let options = || stdin + 2..statement.len();
    let is = |at: usize, word: &str| {
        statement.is(at, word)
            || statement.kind(at) == Some(TokenKind::String)
                && statement.value(at).is_some_and(|value| value.eq_ignore_ascii_case(word))
    };
    let csv = options().any(|at| is(at, "CSV"));
    let quotes = options().any(|at| statement.is_any(at, &["QUOTE", "ESCAPE"]));
    Some(if csv && !quotes { CopyForm::Csv } else { CopyForm::Other })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sends() {
        let form = |sql: &str| copy_in(&Statement::whole(sql.as_bytes(), false).unwrap());
        assert_eq!(form("COPY t FROM STDIN WITH (FORMAT csv)"), Some(CopyForm::Csv));
        assert_eq!(form("COPY t (csv) FROM STDIN"), Some(CopyForm::Other));
        assert_eq!(form("COPY t FROM STDIN CSV HEADER"), Some(CopyForm::Csv));
        assert_eq!(form("COPY t FROM STDIN (FORMAT 'csv', ESCAPE 'x')"), Some(CopyForm::Other));
        assert_eq!(form("COPY t TO STDOUT CSV"), None);
    }
}
