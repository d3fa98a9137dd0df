//! What the endpoint has learned of a table is never older than the table: other sessions, triggers and the
//! search path change what an `UPSERT` means, whatever the protocol it comes by.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod live;

use std::sync::atomic::{AtomicBool, Ordering};

use kecoa_proto::message::frontend::Message;
use live::{Server, Tcp};

fn rows(client: &mut Tcp, sql: &str) -> Vec<String> {
    let replies = client.done(sql);
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    replies.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" ")).collect()
}

/// Sends an `UPSERT`, two at once, or one that was prepared at the beginning.
#[derive(Clone, Copy, Debug)]
enum Way {
    Simple,
    Batch,
    Extended,
    Prepared,
    Pipeline,
}

const WAYS: [Way; 5] = [Way::Simple, Way::Batch, Way::Extended, Way::Prepared, Way::Pipeline];

fn prepare(client: &mut Tcp, sql: &str) {
    client.send(&[Tcp::parse("s", sql), Message::Sync]);
    assert_eq!(client.replies().error, None);
}

fn upsert(client: &mut Tcp, way: Way, sql: &str) {
    let replies = match way {
        Way::Simple => client.simple(sql),
        Way::Batch => client.simple(&format!("{sql}; {sql}; {sql}")),
        Way::Extended => client.extended(sql, &[]),
        Way::Prepared => {
            client.send(&[Tcp::bind("s", &[]), Tcp::execute(), Message::Sync]);
            client.replies()
        }
        Way::Pipeline => {
            let once = [Tcp::bind("s", &[]), Tcp::execute()];
            client.send(&[&once[..], &once, &once, &[Message::Sync]].concat());
            client.replies()
        }
    };
    assert_eq!(replies.error, None, "{way:?}");
}

#[test]
fn another_session_changes_the_table() {
    let Some(server) = Server::start() else { return };
    let (mut one, mut other) = (server.client("defaultdb"), server.client("defaultdb"));
    other.done("CREATE SCHEMA early");
    let sql = "UPSERT INTO t VALUES (1, 2)";
    for way in WAYS {
        one.done("SET search_path = early, public");
        one.done("CREATE TABLE public.t (a INT PRIMARY KEY, b INT NOT NULL)");
        prepare(&mut one, sql);
        upsert(&mut one, way, sql);
        other.done("ALTER TABLE t ADD COLUMN c INT DEFAULT 5; UPDATE t SET b = 8, c = 9");
        upsert(&mut one, way, sql);
        assert_eq!(rows(&mut one, "TABLE t"), ["1 2 5"], "a column more: {way:?}");
        other.done("ALTER TABLE t DROP COLUMN c");
        upsert(&mut one, way, sql);
        assert_eq!(rows(&mut one, "TABLE t"), ["1 2"], "a column less: {way:?}");
        other.done("UPDATE t SET a = 7; ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (b)");
        upsert(&mut one, way, sql);
        assert_eq!(rows(&mut one, "TABLE t"), ["1 2"], "another key: {way:?}");
        other.done("CREATE TABLE early.t (a INT, b INT PRIMARY KEY)");
        upsert(&mut one, way, sql);
        assert_eq!(rows(&mut one, "TABLE early.t"), ["1 2"], "another table: {way:?}");
        one.done("DROP TABLE early.t; DROP TABLE public.t; DEALLOCATE ALL");
    }
}

#[test]
fn a_trigger_of_one_table_changes_the_other() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    client.done("CREATE SCHEMA early");
    client.done("SET kecoa_strict = off"); // for PERFORM
    client.done(
        "CREATE FUNCTION turn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM set_config('search_path', 'early, public', false); RETURN NEW; END $$",
    );
    client.done(
        "CREATE FUNCTION turned() RETURNS INT LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM set_config('search_path', 'early, public', false); RETURN 1; END $$",
    );
    client.done("CREATE TABLE public.t (a INT PRIMARY KEY, b INT)");
    client.done("CREATE TABLE early.t (b INT PRIMARY KEY, a INT)");
    client.done("CREATE TABLE parent (a INT PRIMARY KEY, b INT UNIQUE)");
    client.done("INSERT INTO parent VALUES (1, 1)");
    for (table, before) in [
        (
            "noisy (a INT PRIMARY KEY, b INT)",
            "CREATE TRIGGER n BEFORE INSERT ON noisy FOR EACH ROW EXECUTE FUNCTION turn()",
        ),
        ("noisy (a INT PRIMARY KEY, b INT)", "ALTER TABLE noisy ADD COLUMN c INT DEFAULT turned()"),
        ("noisy (a INT PRIMARY KEY, b INT CHECK (turned() = 1))", "SELECT 1"),
    ] {
        client.done("SET search_path = public");
        client.done("SET kecoa_strict = off");
        client.done(&format!("CREATE TABLE {table}"));
        client.done(before);
        let noisy = "UPSERT INTO public.noisy (a, b) VALUES (1, 1)";
        for pipeline in [false, true] {
            client.done("SET search_path = public; DELETE FROM early.t; DELETE FROM public.t");
            let replies = if pipeline {
                client.send(&[
                    Tcp::parse("n", noisy),
                    Tcp::parse("s", "UPSERT INTO t (a, b) VALUES (1, 2)"),
                    Message::Sync,
                ]);
                assert_eq!(client.replies().error, None);
                let both = [
                    Tcp::bind("n", &[]),
                    Tcp::execute(),
                    Tcp::bind("s", &[]),
                    Tcp::execute(),
                    Message::Sync,
                ];
                client.send(&both);
                client.replies()
            } else {
                client.simple(&format!("{noisy}; UPSERT INTO t (a, b) VALUES (1, 2)"))
            };
            assert_eq!(replies.error, None, "{table}");
            assert_eq!(
                rows(&mut client, "TABLE early.t"),
                ["2 1"],
                "{table}; {before}; {pipeline}"
            );
        }
        client.done("DROP TABLE public.noisy; DEALLOCATE ALL");
    }
    // So do values, and foreign keys that cascade to a table with a trigger.
    client.done("SET search_path = public; DELETE FROM early.t");
    client.done("UPSERT INTO parent VALUES (turned(), 1); UPSERT INTO t (a, b) VALUES (1, 2)");
    assert_eq!(rows(&mut client, "TABLE early.t"), ["2 1"]);
    client.done("SET search_path = public; DELETE FROM early.t; SET kecoa_strict = off");
    client.done("CREATE TABLE child (b INT REFERENCES parent (b) ON UPDATE CASCADE)");
    client.done("CREATE TRIGGER c BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION turn()");
    client.done("INSERT INTO child VALUES (1)");
    client.done("UPSERT INTO parent VALUES (1, 4); UPSERT INTO t (a, b) VALUES (1, 2)");
    assert_eq!(rows(&mut client, "TABLE early.t"), ["2 1"]);
}

#[test]
fn a_table_changes_all_the_time() {
    let Some(server) = Server::start() else { return };
    let mut one = server.client("defaultdb");
    one.done(
        "CREATE TABLE t (a INT PRIMARY KEY, b INT); CREATE TABLE log (n INT PRIMARY KEY, m INT)",
    );
    let mut other = server.client("defaultdb");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // A table has 1,600 columns in its life.
            for _ in 0..1_000 {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                other.done("ALTER TABLE t ADD COLUMN c INT DEFAULT 5");
                other.done("ALTER TABLE t DROP COLUMN c");
            }
        });
        for n in 0..100 {
            let replies = one.simple(&format!(
                "UPSERT INTO log VALUES (1, {n}); UPSERT INTO t VALUES (1, {n}); UPSERT INTO t VALUES (2, {n})"
            ));
            let code = replies.error.as_ref().map(|error| error.0.as_str());
            assert!(matches!(code, None | Some("40001")), "{replies:?}");
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_batch_of_upserts_asks_once_for_each_table() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    client.done(
        "CREATE TABLE t (a INT PRIMARY KEY, b INT); CREATE TABLE u (a INT PRIMARY KEY, b INT)",
    );
    let calls = |client: &mut Tcp| -> i64 {
        let count = "SELECT pg_stat_force_next_flush(), calls FROM pg_stat_user_functions WHERE funcname = 'columns_of'";
        let replies = client.simple(count);
        replies.rows.first().map_or(0, |row| row[1].as_deref().unwrap().parse().unwrap())
    };
    let mut admin = server.postgres("defaultdb");
    assert_eq!(admin.simple("ALTER DATABASE defaultdb SET track_functions = 'pl'").error, None);
    let mut client = server.client("defaultdb");
    let before = calls(&mut client);
    let batch: Vec<String> = (0..50)
        .map(|n| format!("UPSERT INTO {} VALUES ({n}, {n})", if n % 2 == 0 { "t" } else { "u" }))
        .collect();
    client.done(&batch.join("; "));
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t"), ["25"]);
    assert_eq!(rows(&mut client, "SELECT count(*) FROM u"), ["25"]);
    let mut reader = server.client("defaultdb");
    assert_eq!(calls(&mut client).max(calls(&mut reader)) - before, 2);
}
