//! What only a CockroachDB cluster can do.

use kecoa_sql::Statement;

use super::plan::Refusal;

/// The error for a statement that the local endpoint cannot do, if it is one.
pub(super) fn refusal(statement: &Statement<'_>) -> Option<Refusal> {
    if let Some(refusal) = without_index(statement) {
        return Some(refusal);
    }
    let what =
        first_words(statement).or_else(|| alter(statement)).or_else(|| explain(statement))?;
    Some(Refusal::cluster_only(what))
}

/// The error for `UNIQUE WITHOUT INDEX`, which a cluster refuses too, unless an experimental setting is on.
fn without_index(statement: &Statement<'_>) -> Option<Refusal> {
    if !statement.is_any(0, &["CREATE", "ALTER"]) {
        return None;
    }
    (1..statement.len()).find(|at| statement.are(*at, &["UNIQUE", "WITHOUT", "INDEX"]))?;
    let message = "unique constraints without an index are not yet supported";
    let hint = "say UNIQUE, which has an index";
    Some(Refusal { hint: hint.to_owned(), ..Refusal::new("0A000", message) })
}

fn first_words(statement: &Statement<'_>) -> Option<&'static str> {
    const LEADING: &[(&[&str], &str)] = &[
        (&["BACKUP"], "take backups"),
        (&["RESTORE"], "restore backups"),
        (&["IMPORT"], "import files (use COPY … FROM STDIN)"),
        (&["EXPORT"], "export files (use COPY … TO STDOUT)"),
        (&["CREATE", "CHANGEFEED"], "stream changefeeds"),
        (&["EXPERIMENTAL", "CHANGEFEED"], "stream changefeeds"),
        (&["ALTER", "CHANGEFEED"], "stream changefeeds"),
        (&["CREATE", "SCHEDULE"], "run schedules"),
        (&["ALTER", "BACKUP"], "take backups"),
        (&["CREATE", "EXTERNAL", "CONNECTION"], "keep external connections"),
        (&["CREATE", "VIRTUAL", "CLUSTER"], "hold virtual clusters"),
        (&["ALTER", "VIRTUAL", "CLUSTER"], "hold virtual clusters"),
        (&["PAUSE"], "run jobs or schedules"),
        (&["RESUME"], "run jobs or schedules"),
        (&["CANCEL"], "cancel jobs, queries or sessions by statement"),
        (&["SET", "TRACING"], "trace sessions"),
    ];
    LEADING.iter().find(|(words, _)| statement.are(0, words)).map(|(_, what)| *what)
}

/// `EXPLAIN (OPT)` and the other options that PostgreSQL does not have.
fn explain(statement: &Statement<'_>) -> Option<&'static str> {
    const OPTIONS: [&str; 16] = [
        "OPT",
        "DISTSQL",
        "VEC",
        "TYPES",
        "DEBUG",
        "ENV",
        "MEMO",
        "CATALOG",
        "SHAPE",
        "VIZ",
        "REDACT",
        "DDL",
        "KV",
        "GIST",
        "FINGERPRINT",
        "JSON",
    ];
    if !statement.is(0, "EXPLAIN") {
        return None;
    }
    let open = if statement.is(1, "ANALYZE") { 2 } else { 1 };
    let closing = statement.partner(open).filter(|_| statement.is_mark(open, "("))?;
    let options = statement.elements(open + 1, closing);
    let found = options.iter().any(|(at, end)| at + 1 == *end && statement.is_any(*at, &OPTIONS));
    found
        .then_some("explain with an option of CockroachDB's planner (use EXPLAIN, EXPLAIN ANALYZE)")
}

fn alter(statement: &Statement<'_>) -> Option<&'static str> {
    const RANGES: [&[&str]; 5] =
        [&["SPLIT", "AT"], &["UNSPLIT"], &["SCATTER"], &["RELOCATE"], &["EXPERIMENTAL_RELOCATE"]];
    if !statement.is(0, "ALTER") || !statement.is_any(1, &["TABLE", "INDEX"]) {
        return None;
    }
    let name = if statement.are(2, &["IF", "EXISTS"]) { 4 } else { 2 };
    let mut action = statement.qualified_name(name)?;
    if statement.is_mark(action, "@") {
        action += 2; // an index's name
    }
    RANGES.iter().any(|words| statement.are(action, words)).then_some("split or move ranges")
}
