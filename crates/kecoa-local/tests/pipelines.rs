//! Pipelines that the endpoint runs again: message by message, the answer is that of a first run.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod live;

use bytes::Bytes;
use kecoa_proto::message::backend::Message as Backend;
use kecoa_proto::message::frontend::{Execute, Message, Query, Target};
use live::{Server, Tcp};

/// The answer up to and with its ReadyForQuery, a letter for each message as the protocol has it; an error
/// with its SQLSTATE.
fn answer(client: &mut Tcp) -> String {
    let mut letters = String::new();
    loop {
        match client.next().expect("the connection is open") {
            Backend::ParseComplete => letters.push('1'),
            Backend::BindComplete => letters.push('2'),
            Backend::CloseComplete => letters.push('3'),
            Backend::CommandComplete(_) => letters.push('C'),
            Backend::DataRow(_) => letters.push('D'),
            Backend::RowDescription(_) => letters.push('T'),
            Backend::ParameterDescription(_) => letters.push('t'),
            Backend::NoData => letters.push('n'),
            Backend::ErrorResponse(error) => letters.push_str(&format!("E{}", error.sqlstate())),
            Backend::ReadyForQuery(status) => {
                letters.push_str(&format!("Z{}", format!("{status:?}").chars().next().unwrap()));
                return letters;
            }
            Backend::NoticeResponse(_) => letters.push('N'),
            Backend::ParameterStatus(_) => {}
            other => panic!("{other:?} out of turn, behind {letters}"),
        }
    }
}

/// Parse, Bind, Describe and Execute.
fn fresh(name: &str, sql: &str) -> Vec<Message> {
    let describe = Message::Describe(Target::Portal(Bytes::new()));
    vec![Tcp::parse(name, sql), Tcp::bind(name, &[]), describe, Tcp::execute()]
}

fn used(name: &str) -> Vec<Message> {
    vec![Tcp::bind(name, &[]), Tcp::execute()]
}

fn synced(mut parts: Vec<Vec<Message>>) -> Vec<Message> {
    parts.push(vec![Message::Sync]);
    parts.concat()
}

const ADD: &str = "UPDATE r SET v = v + 1 WHERE id = 1";
const READ: &str = "SELECT v FROM r WHERE id = 1";
const UPSERT: &str = "UPSERT INTO r VALUES (2, 1)";

/// The messages of a round, and the answers of its requests.
type Way = (&'static str, fn(usize) -> Vec<Message>, &'static [&'static str]);

#[test]
fn threads_that_update_one_row_in_pipelines() {
    let Some(server) = Server::start() else { return };
    let mut setup = server.client("defaultdb");
    setup.simple("CREATE TABLE r (id INT PRIMARY KEY, v INT)");
    let ways: [Way; 6] = [
        (
            "named anew, in a transaction",
            |round| {
                synced(vec![
                    fresh("", "BEGIN"),
                    fresh(&format!("a{round}"), READ),
                    fresh(&format!("b{round}"), UPSERT),
                    fresh(&format!("c{round}"), ADD),
                    fresh(&format!("d{round}"), "COMMIT"),
                ])
            },
            &["12nC12TDC12nC12nC12nCZI"],
        ),
        (
            "prepared before, in a transaction",
            |_| {
                synced(vec![
                    used("begin"),
                    used("read"),
                    used("upsert"),
                    used("add"),
                    used("commit"),
                ])
            },
            &["2C2DC2C2C2CZI"],
        ),
        (
            "some of both, in the request's own transaction",
            |round| {
                let described = Message::Describe(Target::Statement(Bytes::from_static(b"read")));
                let named = format!("e{round}");
                synced(vec![used("read"), vec![described], fresh(&named, ADD), used("upsert")])
            },
            &["2DCtT12nC2CZI"],
        ),
        (
            "two without a wait between them",
            |round| {
                let one = |name: &str| {
                    let named = format!("{name}{round}");
                    synced(vec![used("begin"), used("read"), fresh(&named, ADD), used("commit")])
                };
                [one("f"), one("g")].concat()
            },
            &["2C2DC12nC2CZI", "2C2DC12nC2CZI"],
        ),
        (
            "prepared and flushed",
            |round| {
                let named = format!("h{round}");
                let flushed = vec![Tcp::parse(&named, ADD), Message::Flush];
                synced(vec![flushed, used("begin"), used("read"), used(&named), used("commit")])
            },
            &["12C2DC2C2CZI"],
        ),
        (
            "closed first",
            |round| {
                let close = |name: &str| {
                    vec![Message::Close(Target::Statement(Bytes::copy_from_slice(name.as_bytes())))]
                };
                let (old, named) = (format!("i{}", round.wrapping_sub(1)), format!("i{round}"));
                synced(vec![
                    close(&old),
                    used("begin"),
                    used("read"),
                    fresh(&named, ADD),
                    used("commit"),
                ])
            },
            &["32C2DC12nC2CZI"],
        ),
    ];
    for (way, messages, expected) in ways {
        setup.simple("UPSERT INTO r VALUES (1, 0)");
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    let mut client = server.client("defaultdb");
                    for (name, sql) in [
                        ("begin", "BEGIN"),
                        ("read", READ),
                        ("upsert", UPSERT),
                        ("add", ADD),
                        ("commit", "COMMIT"),
                    ] {
                        client.send(&[Tcp::parse(name, sql), Message::Sync]);
                        assert_eq!(answer(&mut client), "1ZI");
                    }
                    for round in 0..20 {
                        client.send(&messages(round));
                        for expected in expected {
                            assert_eq!(&answer(&mut client), expected, "{way}, round {round}");
                        }
                    }
                });
            }
        });
        let runs = (100 * expected.len()).to_string();
        assert_eq!(setup.done(READ).one(), runs, "{way}");
    }
}

/// A client, and functions that fail with 40001 (or at the commit) until they were called so often.
fn prepared_client(server: &Server) -> Tcp {
    let mut client = server.client("defaultdb");
    let made = client.simple(
        "SET kecoa_strict = off; CREATE SEQUENCE runs; \
         CREATE TABLE t (a INT PRIMARY KEY DEFAULT unique_rowid(), n INT); \
         CREATE FUNCTION fails(times INT) RETURNS INT LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('runs') < times THEN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'again'; \
         END IF; RETURN 7; END $$",
    );
    assert_eq!(made.error, None);
    client
}

#[test]
fn what_stands_behind_the_error_is_run_too() {
    let Some(server) = Server::start() else { return };
    let mut client = prepared_client(&server);
    // It fails at once: whatever follows finds the error, since each UPSERT asks for the table's key first.
    let insert = "UPSERT INTO t (n) VALUES (1)";
    let mut check =
        |way: &str, messages: Vec<Message>, expected: &[&str], runs: &str, rows: &str| {
            client.simple("ALTER SEQUENCE runs RESTART; DELETE FROM t WHERE true");
            client.send(&messages);
            for expected in expected {
                assert_eq!(&answer(&mut client), expected, "{way}");
            }
            client.simple("ROLLBACK");
            assert_eq!(client.done("SELECT last_value FROM runs").one(), runs, "{way}");
            assert_eq!(client.done("SELECT count(*) FROM t").one(), rows, "{way}");
        };
    let fails = || fresh("", "SELECT fails(4)");
    let begin = || fresh("", "BEGIN");
    let commit = || fresh("", "COMMIT");
    check(
        "a transaction",
        synced(vec![begin(), fails(), fresh("a", insert), fresh("b", insert), commit()]),
        &["12nC12TDC12nC12nC12nCZI"],
        "4",
        "2",
    );
    check(
        "no transaction",
        synced(vec![fails(), fresh("c", insert), used("a")]),
        &["12TDC12nC2CZI"],
        "4",
        "2",
    );
    check(
        "another error behind it",
        synced(vec![begin(), fails(), fresh("d", insert), fresh("", "SELECT 1/0"), commit()]),
        &["12nC12TDC12nC1E22012ZF"],
        "4",
        "0",
    );
    check(
        "a name that is taken",
        synced(vec![fails(), fresh("a", insert)]),
        &["12TDCE42P05ZI"],
        "4",
        "0",
    );
    check(
        "named twice",
        synced(vec![fails(), fresh("twice", insert), fresh("twice", insert)]),
        &["12TDC12nCE42P05ZI"],
        "4",
        "0",
    );
    check(
        "an empty statement by a name",
        synced(vec![vec![Tcp::parse("empty", "")], fails(), fresh("e", insert)]),
        &["112TDC12nCZI"],
        "4",
        "1",
    );
    check(
        "the next request is there already",
        [synced(vec![begin(), fails(), fresh("f", insert), commit()]), synced(vec![used("f")])]
            .concat(),
        &["12nC12TDC12nC12nCZI", "2CZI"],
        "4",
        "2",
    );
    // Behind the COMMIT is another transaction, which is not run again.
    check(
        "an error behind a COMMIT",
        synced(vec![begin(), fresh("g", insert), commit(), fails()]),
        &["12nC12nC12nC12TE40001ZI"],
        "1",
        "1",
    );
    check(
        "a COMMIT that succeeds at last, and an error behind it",
        synced(vec![begin(), fails(), fresh("h", insert), commit(), fresh("", "SELECT fails(9)")]),
        &["12nC12TDC12nC12nC12TE40001ZI"],
        "5",
        "1",
    );
    // A portal ends with its transaction, and so does what was in front of a Flush.
    check(
        "flushed behind its Bind",
        synced(vec![
            vec![Tcp::parse("", "SELECT fails(4)"), Tcp::bind("", &[]), Message::Flush],
            vec![Tcp::execute()],
        ]),
        &["12E40001ZI"],
        "1",
        "0",
    );
    let again = Message::Execute(Execute { portal: Bytes::new(), max_rows: 0 });
    check(
        "flushed behind a statement",
        synced(vec![fresh("i", insert), vec![Message::Flush], fails(), vec![again]]),
        &["12nC12TE40001ZI"],
        "1",
        "0",
    );
    // PostgreSQL skips a Query behind an error, too: it is not a part of what could be run again.
    let query = Message::Query(Query { sql: Bytes::from_static(b"SELECT 1") });
    check(
        "a Query behind it",
        synced(vec![fails(), fresh("j", insert), vec![query]]),
        &["12TE40001ZI"],
        "1",
        "0",
    );
}

#[test]
fn the_unnamed_statement_of_an_earlier_request() {
    let Some(server) = Server::start() else { return };
    let mut client = prepared_client(&server);
    let prepare = [Tcp::parse("", "SELECT fails(3)"), Message::Sync];
    client.send(&prepare);
    assert_eq!(answer(&mut client), "1ZI");
    client.send(&synced(vec![used("")]));
    assert_eq!(answer(&mut client), "2DCZI");
    // Replaced in the request, it could not be used a second time.
    client.simple("ALTER SEQUENCE runs RESTART");
    client.send(&prepare);
    assert_eq!(answer(&mut client), "1ZI");
    client.send(&synced(vec![used(""), fresh("", "SELECT 1")]));
    assert_eq!(answer(&mut client), "2E40001ZI");
}

#[test]
fn a_commit_that_fails_is_run_again() {
    let Some(server) = Server::start() else { return };
    let mut client = prepared_client(&server);
    let mut postgres = server.postgres("defaultdb");
    let made = postgres.simple(
        "CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM public.fails(4); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON public.t DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION public.late()",
    );
    assert_eq!(made.error, None);
    let insert = || fresh("", "INSERT INTO t (n) VALUES (1)");
    for (way, messages, expected) in [
        (
            "COMMIT",
            synced(vec![fresh("", "BEGIN"), insert(), fresh("", "COMMIT")]),
            "12nC12nC12nCZI",
        ),
        ("Sync", synced(vec![insert()]), "12nCZI"),
    ] {
        client.simple("ALTER SEQUENCE runs RESTART");
        client.send(&messages);
        assert_eq!(answer(&mut client), expected, "{way}");
        assert_eq!(client.done("SELECT last_value FROM runs").one(), "4", "{way}");
    }
    assert_eq!(client.done("SELECT count(*) FROM t").one(), "2");
    // What commits the rest of a request before it runs does not run when that fails.
    client.simple("ALTER SEQUENCE runs RESTART");
    client.send(&synced(vec![insert(), fresh("", "CREATE DATABASE d"), insert()]));
    assert_eq!(answer(&mut client), "12nC12nE40001ZI");
    let failed = client.simple("INSERT INTO t (n) VALUES (1); CREATE DATABASE d");
    assert_eq!(failed.error.unwrap().0, "40001");
    assert_eq!(failed.tags, ["INSERT 0 1"]);
    let databases = "SELECT count(*) FROM pg_database WHERE datname = 'd'";
    assert_eq!(client.done(databases).one(), "0");
}

#[test]
fn a_schema_change_commits_what_its_pipeline_has_run() {
    let Some(server) = Server::start() else { return };
    let mut client = prepared_client(&server);
    let insert = || fresh("", "INSERT INTO t (n) VALUES (1)");
    let create = |name: &str| fresh("", &format!("CREATE TABLE {name} (a INT PRIMARY KEY)"));
    let fails = || fresh("", "SELECT 1/0");
    for (way, messages, expected, rows) in [
        (
            "behind a write",
            vec![insert(), create("a"), insert(), fails()],
            "12nC12nNC12nC1E22012ZI",
            "1",
        ),
        ("in front of it", vec![create("b"), insert(), fails()], "12nC12nC1E22012ZI", "0"),
        ("two of them", vec![create("c"), create("d"), insert()], "12nC12nNC12nCZI", "1"),
        (
            "not while it is off",
            vec![fresh("", "SET autocommit_before_ddl = off"), insert(), create("e"), fails()],
            "12nC12nC12nC1E22012ZI",
            "0",
        ),
    ] {
        client.simple("DELETE FROM t");
        client.send(&synced(messages));
        assert_eq!(answer(&mut client), expected, "{way}");
        assert_eq!(client.done("SELECT count(*) FROM t").one(), rows, "{way}");
    }
    let made = "SELECT string_agg(table_name, '' ORDER BY table_name) FROM [SHOW TABLES] WHERE length(table_name) = 1 AND table_name <> 't'";
    assert_eq!(client.done(made).one(), "cd");
    // What is committed is not run a second time.
    client.simple("ALTER SEQUENCE runs RESTART");
    client.simple("DELETE FROM t");
    client.send(&synced(vec![insert(), create("f"), fresh("", "SELECT fails(3)")]));
    assert_eq!(answer(&mut client), "12nC12nNC12TE40001ZI");
    assert_eq!(client.done("SELECT count(*) FROM t").one(), "1");
    let failed =
        client.simple("INSERT INTO t (n) VALUES (1); CREATE TABLE g (a INT); SELECT fails(9)");
    assert_eq!(failed.error.unwrap().0, "40001");
    assert_eq!(client.done("SELECT count(*) FROM t").one(), "2");
}

#[test]
fn a_flush_behind_the_error_brings_it() {
    let Some(server) = Server::start() else { return };
    let mut client = prepared_client(&server);
    client.send(
        &[
            fresh("", "SELECT fails(9)"),
            fresh("a", "UPSERT INTO t (n) VALUES (1)"),
            vec![Message::Flush],
        ]
        .concat(),
    );
    let error = std::iter::from_fn(|| client.next())
        .find_map(|message| match message {
            Backend::ErrorResponse(error) => Some(error.sqlstate().to_string()),
            _ => None,
        })
        .unwrap();
    assert_eq!(error, "40001");
    client.send(&[Message::Sync]);
    assert_eq!(answer(&mut client), "ZI");
}
