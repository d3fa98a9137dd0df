//! Statements within the bodies of functions, procedures and blocks that CockroachDB does not have there.

use kecoa_sql::Statement;

use super::plan::Refusal;

mod blocks;
mod clauses;
mod names;
mod routine;

use blocks::Blocks;
use routine::Routine;

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

/// The error for a body of `statement`, which makes a function or a procedure or is a block.
pub(super) fn refusal(statement: &Statement<'_>, body: &Statement<'_>) -> Option<Refusal> {
    let of = (0..statement.len()).find(|at| statement.is(*at, "LANGUAGE"));
    let named = |language: &str| of.is_some_and(|at| statement.is(at + 1, language));
    let is_block = statement.is(0, "DO");
    if !(is_block || named("plpgsql") || named("sql")) {
        return None;
    }
    let routine = Routine::of(statement);
    let blocks_are_read = is_block || named("plpgsql");
    let blocks = Blocks::of(body, routine.name.clone(), routine.parameters.clone());
    let has_found = blocks.names.iter().any(|name| name == "found");
    for at in 0..body.len() {
        let found =
            if blocks_are_read { word(body, at, blocks.declares(at), has_found) } else { None };
        let starts = blocks.starts(at);
        let found = found.or_else(|| if starts { start(body, at, blocks_are_read) } else { None });
        if let Some(what) = found {
            return Some(Refusal::strict("0A000", what));
        }
    }
    if let Some(refusal) = routine.calls_itself(body) {
        return Some(refusal);
    }
    if !blocks_are_read {
        return None;
    }
    clauses::refusal(body, &blocks, routine.is_function)
        .or_else(|| names::refusal(body, &blocks, routine.is_trigger))
}

/// Whether what stands at `at` is in a query, where a name is a column's.
fn is_in_query(body: &Statement<'_>, at: usize) -> bool {
    const QUERY: [&str; 7] = ["HAVING", "ON", "RETURNING", "SELECT", "SET", "VALUES", "WHERE"];
    const BLOCK: [&str; 9] =
        ["BEGIN", "ELSIF", "ELSEIF", "EXIT", "CONTINUE", "IF", "LOOP", "RETURN", "WHILE"];
    let found = (0..at).rev().find(|before| {
        body.is_any(*before, &QUERY)
            || body.is_any(*before, &BLOCK)
            || body.is_mark(*before, ";")
            || body.is_mark(*before, ":=")
    });
    found.is_some_and(|before| body.is_any(before, &QUERY))
}

/// What a statement begins with.
fn start(body: &Statement<'_>, at: usize, blocks: bool) -> Option<&'static str> {
    // A variable may be called so.
    let assigned = body.is_mark(at + 1, ":=") || body.is_mark(at + 1, "=");
    if assigned {
        return None;
    }
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
    let found = STATEMENTS.iter().find(|(word, _)| body.is(at, word));
    found.map(|(_, what)| *what)
}

/// What stands anywhere in a block.
fn word(body: &Statement<'_>, at: usize, declares: bool, has_found: bool) -> Option<&'static str> {
    const CONDITION: [&str; 9] =
        ["AND", "ELSEIF", "ELSIF", "IF", "NOT", "OR", "RETURN", "WHEN", "WHILE"];
    if body.is_mark(at, "%") && body.is_any(at + 1, &["TYPE", "ROWTYPE"]) {
        return Some("the type of something else (%TYPE) in PL/pgSQL");
    }
    if body.is(at, "FOUND")
        && !has_found
        && at > 0
        && (body.is_any(at - 1, &CONDITION) || body.is_mark(at - 1, ":="))
        && !is_in_query(body, at)
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
            ("BEGIN UPDATE t SET a = 1; RETURN FOUND; END", true),
            ("BEGIN IF a THEN NULL; ELSIF FOUND THEN NULL; END IF; END", true),
            ("BEGIN UPDATE t SET a = 1; ok := FOUND; END", true),
            (
                "DECLARE a INT; found BOOL := false; BEGIN IF NOT found THEN NULL; END IF; END",
                false,
            ),
            ("BEGIN UPDATE t SET a = 1 WHERE b AND NOT found; END", false),
            ("BEGIN IF EXISTS (SELECT 1 FROM t WHERE a AND found) THEN NULL; END IF; END", false),
            ("BEGIN SELECT CASE WHEN found THEN 1 END INTO a FROM t; END", false),
            ("BEGIN a := CASE WHEN b THEN CASE WHEN c THEN 1 ELSE 2 END ELSE 3 END; END", false),
            ("BEGIN a := CASE WHEN b THEN 1 ELSE CASE c WHEN 1 THEN 2 END END; END", false),
            ("BEGIN a := CASE WHEN b THEN 1 END; PERFORM f(); END", true),
            ("BEGIN a := t.case; PERFORM f(); END", true),
            ("BEGIN a := t.end; IF t.case THEN a := 1; END IF; END", false),
            ("BEGIN RAISE; END", true),
            ("BEGIN RAISE NOTICE 'x' USING HINT = 'y'; END", false),
            ("BEGIN RAISE EXCEPTION 'x' USING TABLE = 'y'; END", true),
            ("BEGIN RAISE EXCEPTION 'x' USING HINT = 'y', COLUMN = 'z'; END", true),
            ("BEGIN RETURN QUERY SELECT 1; END", false),
            ("BEGIN RETURN QUERY EXECUTE 'SELECT 1'; END", true),
            ("BEGIN SELECT 1, 2 INTO a, a; END", true),
            ("BEGIN SELECT 1, 2 INTO STRICT a, b FROM t; END", false),
            ("BEGIN a := $1; END", true),
            ("DECLARE r RECORD; BEGIN END", true),
            ("DECLARE record INT; BEGIN END", false),
            ("DECLARE a ALIAS FOR b; BEGIN END", true),
            ("DECLARE c CURSOR (n INT) FOR SELECT n; BEGIN END", true),
            ("DECLARE c CURSOR FOR SELECT 1; BEGIN END", false),
            ("DECLARE a STRING COLLATE en; BEGIN END", true),
            ("#variable_conflict use_column\nBEGIN END", true),
            ("DECLARE p t; BEGIN a := p.x; END", true),
            ("DECLARE p t; BEGIN p.x := (p).x; END", false),
            ("DECLARE p INT; BEGIN SELECT p.x INTO p FROM t AS p; END", false),
            ("<<l>> DECLARE p INT; BEGIN a := l.p; END", true),
            (
                "BEGIN NULL; EXCEPTION WHEN unique_violation OR serialization_failure THEN NULL; END",
                true,
            ),
            ("BEGIN NULL; EXCEPTION WHEN SQLSTATE '40001' THEN NULL; END", true),
            ("BEGIN NULL; EXCEPTION WHEN SQLSTATE '23505' THEN NULL; END", false),
            ("BEGIN COMMIT; END", false),
            ("BEGIN COMMIT; EXCEPTION WHEN others THEN NULL; END", true),
            ("BEGIN IF CASE WHEN b THEN c END THEN PERFORM f(); END IF; END", true),
            ("BEGIN a := CASE WHEN b THEN comment ELSE alter END; END", false),
            ("DECLARE a INT; comment STRING; BEGIN comment := 'x'; END", false),
            ("BEGIN COMMENT ON TABLE t IS 'x'; END", true),
            ("BEGIN BEGIN NULL; END; CREATE TABLE t (a INT); END", true),
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
        let sql = "CREATE FUNCTION f(found BOOL) RETURNS INT LANGUAGE PLpgSQL AS 'x'";
        let whole = Statement::whole(sql.as_bytes(), false).unwrap();
        let inner = Statement::whole(b"BEGIN IF found THEN RETURN 1; END IF; END", false).unwrap();
        assert!(refusal(&whole, &inner).is_none(), "a parameter may be called found");
        for (sql, body, code) in [
            ("CREATE FUNCTION f() RETURNS TRIGGER", "BEGIN NEW.a := NEW.b; END", Some("42P01")),
            (
                "CREATE FUNCTION f() RETURNS TRIGGER",
                "BEGIN NEW.a := (NEW).b; RETURN NEW; END",
                None,
            ),
            ("CREATE FUNCTION f() RETURNS INT", "BEGIN SELECT new.a FROM t AS new; END", None),
            ("CREATE FUNCTION f(n INT) RETURNS INT", "BEGIN RETURN f(n - 1); END", Some("42883")),
            ("CREATE FUNCTION f(n INT) RETURNS INT", "BEGIN RETURN f(n, 1); END", None),
            (
                "CREATE FUNCTION f(n INT, m INT = 1) RETURNS INT",
                "BEGIN RETURN f(n); END",
                Some("42883"),
            ),
            ("CREATE OR REPLACE PROCEDURE s.f()", "BEGIN CALL f(); END", Some("42883")),
            ("CREATE FUNCTION f(n INT) RETURNS INT", "BEGIN RETURN f.n; END", Some("42P01")),
            ("CREATE FUNCTION f() RETURNS INT", "BEGIN COMMIT; END", Some("2D000")),
            ("CREATE PROCEDURE f()", "BEGIN COMMIT; END", None),
            ("CREATE FUNCTION f(n INT) RETURNS INT", "DECLARE n INT; BEGIN END", Some("0A000")),
            (
                "CREATE FUNCTION f() RETURNS TABLE (n INT)",
                "DECLARE n INT; BEGIN END",
                Some("0A000"),
            ),
        ] {
            let sql = format!("{sql} LANGUAGE PLpgSQL AS 'x'");
            let whole = Statement::whole(sql.as_bytes(), false).unwrap();
            let inner = Statement::whole(body.as_bytes(), false).unwrap();
            assert_eq!(refusal(&whole, &inner).map(|refusal| refusal.code), code, "{sql} {body}");
        }
        let sql = "CREATE FUNCTION f() RETURNS INT LANGUAGE SQL AS 'x'";
        let whole = Statement::whole(sql.as_bytes(), false).unwrap();
        let query = b"SELECT CASE WHEN a THEN comment ELSE '' END FROM t";
        let inner = Statement::whole(query, false).unwrap();
        assert!(refusal(&whole, &inner).is_none(), "a column may be called comment");
    }
}
