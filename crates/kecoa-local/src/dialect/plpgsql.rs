//! Statements within the bodies of functions, procedures and blocks that CockroachDB does not have there.

use kecoa_sql::Statement;

use super::plan::Refusal;

/// What begins a statement of PL/pgSQL that CockroachDB's does not have.
const STATEMENTS: [(&str, &str); 7] = [
    ("ASSERT", "ASSERT in PL/pgSQL"),
    ("CASE", "CASE as a statement of PL/pgSQL (use IF)"),
    ("EXECUTE", "EXECUTE in PL/pgSQL"),
    ("FOREACH", "FOREACH in PL/pgSQL (use WHILE)"),
    ("GET", "GET DIAGNOSTICS in PL/pgSQL"),
    ("MOVE", "MOVE in PL/pgSQL"),
    ("PERFORM", "PERFORM in PL/pgSQL (use SELECT … INTO, or CALL)"),
];

/// What begins a change of the schema.
const DEFINITIONS: [&str; 7] =
    ["ALTER", "COMMENT", "CREATE", "DROP", "GRANT", "REVOKE", "TRUNCATE"];

/// What a statement may stand behind.
const BEFORE: [&str; 4] = ["BEGIN", "ELSE", "LOOP", "THEN"];

/// The error for a body of `statement`, which makes a function or a procedure or is a block.
pub(super) fn refusal(statement: &Statement<'_>, body: &Statement<'_>) -> Option<Refusal> {
    let of = (0..statement.len()).find(|at| statement.is(*at, "LANGUAGE"));
    let named = |language: &str| of.is_some_and(|at| statement.is(at + 1, language));
    let is_block = statement.is(0, "DO");
    if !(is_block || named("plpgsql") || named("sql")) {
        return None;
    }
    let blocks = is_block || named("plpgsql");
    let mut declares = false;
    for at in 0..body.len() {
        declares = body.is(at, "DECLARE") || declares && !body.is(at, "BEGIN");
        let found = if blocks { word(body, at, declares) } else { None };
        let starts = at.checked_sub(1).is_none_or(|before| {
            body.is_mark(before, ";") || body.is_mark(before, ">>") || body.is_any(before, &BEFORE)
        });
        let found = found.or_else(|| if starts { start(body, at, blocks) } else { None });
        if let Some(what) = found {
            return Some(Refusal::strict("0A000", what));
        }
    }
    None
}

/// What a statement begins with.
fn start(body: &Statement<'_>, at: usize, blocks: bool) -> Option<&'static str> {
    if body.is_any(at, &DEFINITIONS) {
        return Some("changes of the schema within functions, procedures and blocks");
    }
    if !blocks {
        return None;
    }
    if body.is(at, "FOR") {
        // FOR i IN 1..10 LOOP
        let from = (at..body.len()).find(|i| body.is(*i, "IN"))?;
        let to = body.find(from, body.len(), |i| body.is(i, "LOOP"))?;
        // The dots may belong to the numbers around them.
        let dots = |i: usize| {
            body.text(i).ends_with(b".")
                && body.text(i + 1).starts_with(b".")
                && body.end(i) == body.start(i + 1)
        };
        let counts = (from..to).any(|i| dots(i) || body.text(i) == b"..");
        return (!counts)
            .then_some("FOR over a query or a cursor in PL/pgSQL (use a cursor and WHILE)");
    }
    // A variable may be called so.
    let assigned = body.is_mark(at + 1, ":=") || body.is_mark(at + 1, "=");
    let found = STATEMENTS.iter().find(|(word, _)| body.is(at, word)).filter(|_| !assigned);
    found.map(|(_, what)| *what)
}

/// What stands anywhere in a block.
fn word(body: &Statement<'_>, at: usize, declares: bool) -> Option<&'static str> {
    if body.is_mark(at, "%") && body.is_any(at + 1, &["TYPE", "ROWTYPE"]) {
        return Some("the type of something else (%TYPE) in PL/pgSQL");
    }
    if body.is(at, "FOUND")
        && at > 0
        && body.is_any(at - 1, &["IF", "NOT", "WHEN", "WHILE", "AND", "OR"])
    {
        return Some("FOUND in PL/pgSQL");
    }
    if body.are(at, &["FOR", "EXECUTE"]) {
        return Some("OPEN … FOR EXECUTE in PL/pgSQL");
    }
    let not_null = declares && body.are(at, &["NOT", "NULL"]);
    not_null.then_some("NOT NULL variables in PL/pgSQL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_statement_and_what_is_a_name() {
        for (body, refused) in [
            ("BEGIN PERFORM f(); END", true),
            ("BEGIN SELECT perform FROM t; RETURN 1; END", false),
            ("DECLARE perform INT; BEGIN perform := 1; END", false),
            ("BEGIN IF a THEN EXECUTE 'x'; END IF; END", true),
            ("BEGIN a := CASE WHEN b THEN 1 ELSE 2 END; END", false),
            ("BEGIN CASE a WHEN 1 THEN NULL; END CASE; END", true),
            ("BEGIN FOR i IN 1..10 LOOP NULL; END LOOP; END", false),
            ("BEGIN FOR i IN REVERSE a..b LOOP NULL; END LOOP; END", false),
            ("BEGIN FOR r IN SELECT 1 LOOP NULL; END LOOP; END", true),
            ("BEGIN FOREACH a IN ARRAY b LOOP NULL; END LOOP; END", true),
            ("DECLARE a t.b%TYPE; BEGIN END", true),
            ("BEGIN a := 5 % 2; END", false),
            ("BEGIN UPDATE t SET a = 1; IF NOT FOUND THEN NULL; END IF; END", true),
            ("BEGIN SELECT found INTO a FROM t; END", false),
            ("DECLARE a INT NOT NULL := 1; BEGIN END", true),
            ("BEGIN IF a IS NOT NULL THEN NULL; END IF; END", false),
            ("BEGIN CREATE TABLE t (a INT); END", true),
            ("BEGIN GET DIAGNOSTICS a = ROW_COUNT; END", true),
            ("BEGIN OPEN c FOR EXECUTE 'x'; END", true),
            ("BEGIN OPEN c FOR SELECT 1; FETCH c INTO a; CLOSE c; END", false),
            ("BEGIN RAISE NOTICE 'x'; EXCEPTION WHEN OTHERS THEN RETURN 1; END", false),
        ] {
            let whole = Statement::whole(b"DO 'x'", false).unwrap();
            let inner = Statement::whole(body.as_bytes(), false).unwrap();
            assert_eq!(refusal(&whole, &inner).is_some(), refused, "{body}");
        }
    }
}
