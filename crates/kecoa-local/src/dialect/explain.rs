//! `EXPLAIN` with options in brackets, as CockroachDB writes them.

use kecoa_sql::Statement;

use super::edit::Edits;

/// `EXPLAIN (PLAN, VERBOSE) …` -> `EXPLAIN (VERBOSE) …`, `EXPLAIN ANALYZE (VERBOSE) …` -> `EXPLAIN (ANALYZE, VERBOSE) …`.
/// Other options are refused elsewhere.
pub(super) fn rewrite(statement: &Statement<'_>, edits: &mut Edits) {
    if !statement.is(0, "EXPLAIN") {
        return;
    }
    let analyzes = statement.is_any(1, &["ANALYZE", "ANALYSE"]);
    let open = 1 + usize::from(analyzes);
    let Some(closing) = statement.partner(open).filter(|_| statement.is_mark(open, "(")) else {
        return;
    };
    let options = statement.elements(open + 1, closing);
    let known =
        |(at, end): &(usize, usize)| at + 1 == *end && statement.is_any(*at, &["PLAN", "VERBOSE"]);
    if !options.iter().all(known) {
        return;
    }
    let verbose = options.iter().any(|(at, _)| statement.is(*at, "VERBOSE"));
    let kept = match (analyzes, verbose) {
        (false, false) => "",
        (false, true) => "(VERBOSE)",
        (true, false) => "ANALYZE",
        (true, true) => "(ANALYZE, VERBOSE)",
    };
    edits.replace(statement.start(1), statement.end(closing), kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        for (sql, expected) in [
            ("EXPLAIN SELECT 1", "EXPLAIN SELECT 1"),
            ("EXPLAIN (SELECT 1)", "EXPLAIN (SELECT 1)"),
            ("EXPLAIN (PLAN) SELECT 1", "EXPLAIN  SELECT 1"),
            ("EXPLAIN (plan, verbose) SELECT 1", "EXPLAIN (VERBOSE) SELECT 1"),
            ("EXPLAIN ANALYZE (PLAN) SELECT 1", "EXPLAIN ANALYZE SELECT 1"),
            ("EXPLAIN ANALYZE (VERBOSE) SELECT 1", "EXPLAIN (ANALYZE, VERBOSE) SELECT 1"),
            ("EXPLAIN (OPT) SELECT 1", "EXPLAIN (OPT) SELECT 1"),
        ] {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            let mut edits = Edits::default();
            rewrite(&statement, &mut edits);
            let found = edits.apply(statement.sql(), 0).text;
            assert_eq!(String::from_utf8_lossy(&found), expected);
        }
    }
}
