//! Texts, and what losing the answer to them leaves open.

use super::*;

fn read(request: &Request<'_>, named: Option<&[u8]>, before: Block, cockroach: bool) -> Reading {
    read_request(request, named, before, cockroach, &mut Beginning::default())
}

fn inside(sql: &str) -> bool {
    effect_of(sql.as_bytes(), Block::Open, false).may_commit
}

fn outside(sql: &str) -> bool {
    effect_of(sql.as_bytes(), Block::Outside, false).may_commit
}

#[test]
fn every_way_to_commit_is_one() {
    for sql in [
        "COMMIT",
        "commit;",
        " \n\tCommit Work",
        "/* c */ COMMIT",
        "/* a /* b */ */ COMMIT",
        "-- c\nCOMMIT",
        "/**/commit/**/transaction",
        "END",
        "END TRANSACTION",
        "COMMIT AND CHAIN",
        "COMMIT AND NO CHAIN",
        "COMMIT PREPARED 'x'",
        "PREPARE TRANSACTION 'x'",
        "SELECT 1; COMMIT",
        "INSERT INTO t VALUES (';'); COMMIT; SELECT 1",
        "INSERT INTO t VALUES ($$;$$); COMMIT",
        "UPDATE t SET a = 'it''s'; end",
        ";;COMMIT",
        "RELEASE SAVEPOINT cockroach_restart",
        "RELEASE cockroach_restart",
        "release \"cockroach_restart\"",
        "RELEASE SAVEPOINT Cockroach_Restart_2",
        "ROLLBACK; INSERT INTO t VALUES (1)",
        "ROLLBACK AND CHAIN; COMMIT",
    ] {
        assert!(inside(sql), "{sql}");
        assert!(is_commit(sql.as_bytes()), "{sql}");
    }
}

#[test]
fn in_a_transaction_nothing_else_commits() {
    for sql in [
        "INSERT INTO t VALUES (1)",
        "SELECT 'commit'",
        "SELECT 1 /* ; COMMIT */",
        "SELECT 1 -- ; COMMIT",
        "SELECT 1 AS \"; COMMIT\"",
        "SELECT $$; COMMIT; $$",
        "SELECT $a$ $$ ; COMMIT $a$",
        "SELECT E'\\'; COMMIT; \\''",
        "committed",
        "SAVEPOINT commit",
        "RELEASE SAVEPOINT sa_savepoint_1",
        "RELEASE savepoint",
        "ROLLBACK",
        "ROLLBACK TO SAVEPOINT cockroach_restart",
        "ROLLBACK PREPARED 'x'",
        "PREPARE p AS SELECT 1",
        "CREATE TABLE t (a int)",
        "SELECT f(); SELECT g()",
        "(SELECT 1)",
        "",
        " ; ",
        "-- nothing",
    ] {
        assert!(!inside(sql), "{sql}");
    }
}

#[test]
fn outside_only_what_is_sure_to_read_does_not_commit() {
    for sql in [
        "INSERT INTO t VALUES (1)",
        "select f()",
        "SELECT nextval('s')",
        "SELECT * FROM a_view_perhaps",
        "SELECT 1 INTO t",
        "WITH x AS (DELETE FROM t RETURNING 1) SELECT 1",
        "CREATE TABLE t (a int)",
        "CALL p",
        "DO $$ BEGIN COMMIT; END $$",
        "EXPLAIN ANALYZE DELETE FROM t",
        "SELECT 1; DELETE FROM t",
        "BEGIN; INSERT INTO t VALUES (1); COMMIT",
        "COPY t FROM STDIN",
        "COPY (SELECT f()) TO STDOUT",
        "SET CLUSTER SETTING a = 1",
        "CREATE CHANGEFEED FOR TABLE t INTO 'kafka://'",
        "NOTIFY n",
        "SELECT 1 UNION TABLE v",
        "COMMIT",
    ] {
        assert!(outside(sql), "{sql}");
    }
    for sql in [
        "SELECT 1",
        "select 'a', 2 as b;",
        "SHOW TIME ZONE",
        "SET TIME ZONE 'UTC'",
        "LISTEN n",
        "DISCARD ALL",
        "EXPLAIN DELETE FROM t",
        "BEGIN",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (1)",
        "START TRANSACTION; DELETE FROM t",
        "ROLLBACK",
        "COPY t TO STDOUT",
        "IDENTIFY_SYSTEM",
        "START_REPLICATION SLOT \"s\" LOGICAL 0/0",
        "CREATE CHANGEFEED FOR TABLE t",
        "",
    ] {
        assert!(!outside(sql), "{sql}");
    }
}

#[test]
fn a_failed_transaction_cannot_be_committed() {
    let failed = |sql: &str| effect_of(sql.as_bytes(), Block::Failed, true);
    assert!(!failed("COMMIT").may_commit);
    assert_eq!(failed("COMMIT").after, Block::Outside);
    assert!(!failed("RELEASE cockroach_restart").may_commit);
    assert!(!failed("INSERT INTO t VALUES (1)").may_commit);
    assert!(failed("ROLLBACK; INSERT INTO t VALUES (1)").may_commit);
    assert!(failed("ROLLBACK TO s; COMMIT").may_commit);
}

#[test]
fn where_the_text_cannot_be_read_for_sure_it_may_commit() {
    for sql in [
        // The string ends at its first or at its second quote, by standard_conforming_strings.
        "SELECT '\\'; COMMIT; --'",
        "SELECT '\\'' ; COMMIT",
        "SELECT 1; /* COMMIT",
        "SELECT 'a; COMMIT",
    ] {
        assert!(inside(sql), "{sql}");
    }
    assert!(effect_of(b"SELECT E'\x95\\'; COMMIT; \\''", Block::Open, false).may_commit);
    assert!(!inside("INSERT INTO t VALUES ('c:\\dir'); SELECT 1"));
}

#[test]
fn cockroach_may_commit_before_it_changes_a_schema() {
    let commits = Effect { may_commit: true, after: Block::Unknown };
    for sql in [
        "CREATE TABLE t (a INT)",
        "ANALYZE t",
        "analyse",
        "EXPLAIN ANALYZE CREATE TABLE t (a INT)",
        "EXPLAIN ANALYZE (DEBUG) DROP TABLE t",
        "SELECT 1; TRUNCATE t",
    ] {
        assert_eq!(effect_of(sql.as_bytes(), Block::Open, true), commits, "{sql}");
        assert!(!inside(sql), "{sql}");
    }
    for sql in ["EXPLAIN CREATE TABLE t (a INT)", "EXPLAIN ANALYZE UPDATE t SET a = 1", "SHOW x"] {
        assert!(!effect_of(sql.as_bytes(), Block::Open, true).may_commit, "{sql}");
    }
}

#[test]
fn cockroach_may_commit_before_it_prepares_a_change_of_the_schema() {
    let of = |sql, before, cockroach| {
        let steps = [
            Step::Parse { name: b"s", sql, types: &[] },
            Step::Describe(kecoa_proto::Target::Statement(b"s")),
        ];
        read(&Request::Extended(&steps), None, before, cockroach).effect
    };
    let commits = Effect { may_commit: true, after: Block::Unknown };
    assert_eq!(of(b"CREATE TABLE t (a INT)", Block::Open, true), commits);
    assert!(!of(b"CREATE TABLE t (a INT)", Block::Open, false).may_commit);
    assert!(!of(b"CREATE TABLE t (a INT)", Block::Outside, true).may_commit);
    assert!(!of(b"INSERT INTO t VALUES (1)", Block::Open, true).may_commit);
    assert!(!of(b"COMMIT", Block::Open, true).may_commit);
}

#[test]
fn it_is_known_where_a_text_leaves_the_session() {
    let after = |sql: &str, before| effect_of(sql.as_bytes(), before, false).after;
    assert_eq!(after("BEGIN", Block::Outside), Block::Open);
    assert_eq!(after("COMMIT AND CHAIN", Block::Open), Block::Open);
    assert_eq!(after("COMMIT AND NO CHAIN", Block::Open), Block::Outside);
    assert_eq!(after("COMMIT PREPARED 'x'", Block::Outside), Block::Outside);
    assert_eq!(after("ROLLBACK TO SAVEPOINT s", Block::Failed), Block::Open);
    assert_eq!(after("ABORT", Block::Failed), Block::Outside);
    assert_eq!(after("SELECT 1", Block::Open), Block::Open);
}

#[test]
fn steps_are_judged_by_the_statements_that_they_execute() {
    let parse = |name, sql| Step::Parse { name, sql, types: &[] };
    let bind = |statement| Step::Bind { portal: b"", statement, parameters: &[], results: &[] };
    let execute = Step::Execute { portal: b"", max_rows: 0 };
    let of = |steps: &[Step<'_>], named, before| {
        read(&Request::Extended(steps), named, before, false).effect
    };
    let begin =
        [parse(b"", b"BEGIN"), bind(b""), execute, parse(b"", b"INSERT"), bind(b""), execute];
    let effect = of(&begin, None, Block::Outside);
    assert_eq!(effect, Effect { may_commit: false, after: Block::Open });
    let described =
        [parse(b"s", b"DELETE FROM t"), Step::Describe(kecoa_proto::Target::Statement(b"s"))];
    assert!(!of(&described, None, Block::Outside).may_commit, "nothing of it runs");
    let named = [bind(b"s"), execute];
    assert!(of(&named, Some(b"COMMIT"), Block::Open).may_commit);
    assert!(!of(&named, Some(b"INSERT"), Block::Open).may_commit);
    assert!(!of(&named, Some(b"SELECT 1"), Block::Outside).may_commit);
    assert!(of(&named, None, Block::Outside).may_commit);
    assert!(!of(&[execute], None, Block::Open).may_commit);
}

proptest::proptest! {
    /// No text is too strange, and none is read for ever.
    #[test]
    fn any_bytes_are_judged(sql in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        for before in [Block::Outside, Block::Open, Block::Failed, Block::Unknown] {
            let _ = effect_of(&sql, before, true);
        }
    }

    /// One reading answers what two would: what it does here, and whether it commits what is open.
    #[test]
    fn one_reading_answers_both(pieces in proptest::collection::vec(
        proptest::sample::select(vec![
            "BEGIN", "COMMIT", "COMMIT AND CHAIN", "ROLLBACK", "ROLLBACK TO x", "END", "ABORT AND CHAIN",
            "PREPARE TRANSACTION 'a'", "COMMIT PREPARED 'a'", "RELEASE cockroach_restart", "SELECT 1",
            "SELECT f()", "SELECT * FROM t", "INSERT INTO t VALUES (';')", "CREATE TABLE t ()", "SHOW x",
            "EXPLAIN ANALYZE DROP TABLE t", "WITH x AS (SELECT 1) SELECT", "'\\'", "$a$ ; $a$", "", "(",
        ]),
        0..5,
    ), cockroach: bool, last: bool) {
        let text = pieces.join(";") + if last { ";" } else { "" };
        let sql = text.as_bytes();
        for before in [Block::Outside, Block::Open, Block::Failed, Block::Unknown] {
            let execute = Step::Execute { portal: b"", max_rows: 0 };
            let bind = |statement| Step::Bind {
                portal: b"",
                statement,
                parameters: &[],
                results: &[],
            };
            let steps = [Step::Parse { name: b"", sql, types: &[] }, bind(b""), execute];
            let named = [bind(b"s"), execute];
            for (request, named, is_query) in [
                (Request::Query(sql), None, true),
                (Request::Extended(&steps), None, false),
                (Request::Extended(&named), Some(sql), false),
            ] {
                let reading = read(&request, named, before, cockroach);
                proptest::prop_assert_eq!(reading.is_single, is_query && !text.contains(';'));
                if is_query || before != Block::Open {
                    proptest::prop_assert_eq!(reading.effect, effect_of(sql, before, cockroach));
                }
                let open = effect_of(sql, Block::Open, false).may_commit;
                if before != Block::Open {
                    proptest::prop_assert_eq!(reading.commits_open, open);
                }
            }
        }
    }

    /// A COMMIT behind anything that ends is seen.
    #[test]
    fn a_commit_behind_anything_is_seen(sql in "[a-z ;'\"$/*\\\\-]{0,24}") {
        let text = format!("{sql}\n;COMMIT");
        proptest::prop_assert!(effect_of(text.as_bytes(), Block::Open, false).may_commit);
    }
}

#[test]
fn statements_that_set_for_their_transaction_are_told_from_others() {
    let local = |sql: &str, count: usize| {
        let request = Request::Query(sql.as_bytes());
        let mut sets = read(&request, None, Block::Open, false).sets;
        (0..count).map(|_| sets.next_is_local()).collect::<Vec<_>>()
    };
    assert_eq!(local("SET LOCAL a = 'x'", 2), [true, false]);
    assert_eq!(local("/* SET a */ set transaction read only", 1), [true]);
    assert_eq!(local("SET a = 'SET LOCAL b; SET LOCAL c'", 1), [false]);
    assert_eq!(
        local("BEGIN; SET LOCAL a = ';'; SET b = 1; SET LOCAL c = 1", 3),
        [true, false, true]
    );
    assert_eq!(local("SET CONSTRAINTS ALL DEFERRED; SET LOCAL a = 1", 1), [true]);
    assert_eq!(local("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", 1), [false]);
    assert_eq!(local(&"SET LOCAL a = 1;".repeat(40), 33)[31..], [true, false]);
    assert_eq!(local("SELECT E'\\' || 'SET LOCAL a", 1), [false]);
    let steps = [
        Step::Parse { name: b"", sql: b"SET LOCAL a = 1", types: &[] },
        Step::Bind { portal: b"", statement: b"", parameters: &[], results: &[] },
        Step::Execute { portal: b"", max_rows: 0 },
        Step::Bind { portal: b"", statement: b"known", parameters: &[], results: &[] },
        Step::Execute { portal: b"", max_rows: 0 },
    ];
    let request = Request::Extended(&steps);
    let mut sets = read(&request, Some(b"SET b = 1"), Block::Open, false).sets;
    assert_eq!([sets.next_is_local(), sets.next_is_local()], [true, false]);
}

#[test]
fn what_is_plain_is_told_as_by_tokens() {
    let pieces = [
        "SELECT",
        "insert",
        "(",
        "a",
        "1",
        "from",
        "FROM",
        "from_",
        "a.into",
        "table",
        "'from'",
        "\"into\"",
        "$1",
        "$$ from $$",
        "$t$ ( $t$",
        "-- from\n",
        "/* ( */",
        "-",
        "e'\\''",
        "1from",
        ",",
        "é",
        "x$from",
        "$from",
    ];
    let count = pieces.len();
    let texts = (0..count.pow(3)).flat_map(|number| {
        let piece =
            |place: u32| pieces.get(number / count.pow(place) % count).copied().unwrap_or_default();
        [" ", ""].map(|gap| ["SELECT ", piece(0), gap, piece(1), gap, piece(2)].concat())
    });
    let mut last = Beginning::of(20);
    for sql in texts {
        for before in [Block::Outside, Block::Open, Block::Failed, Block::Unknown] {
            let mut told = Effect { may_commit: false, after: before };
            run_tokens(
                Lexer::new(sql.as_bytes(), true),
                &mut told,
                true,
                None,
                &mut Sets::default(),
            );
            assert_eq!(effect_of(sql.as_bytes(), before, true), told, "{sql}");
            let query = Request::Query(sql.as_bytes());
            let read = read_request(&query, None, before, true, &mut last);
            assert_eq!(read.effect, told, "{sql} behind {last:?}");
        }
    }
}
