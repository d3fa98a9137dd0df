//! The endpoint under clients that do not behave, and servers that go away.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod live;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kecoa::{Config, blocking};
use kecoa_proto::TransactionStatus;
use kecoa_proto::message::backend::Message as Backend;
use kecoa_proto::message::frontend::{Message, Query, Target};
use kecoa_proto::message::startup::Startup;
use live::{Client, Server};

fn query(sql: &str) -> Message {
    Message::Query(Query { sql: Bytes::copy_from_slice(sql.as_bytes()) })
}

/// A small generator: the same bytes in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..self.next() % (length + 1)).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[test]
fn pipelines_and_positions() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    let sync = Message::Sync;
    // Look-ups, several pieces and control statements inside one pipeline.
    client.send(&[
        Client::<TcpStream>::parse("", "CREATE TABLE p (id INT PRIMARY KEY, s STRING, INDEX (s))"),
        Client::<TcpStream>::bind("", &[]),
        Client::<TcpStream>::execute(),
        Client::<TcpStream>::parse("up", "UPSERT INTO p VALUES ($1, $2)"),
        Client::<TcpStream>::bind("up", &["1", "a"]),
        Client::<TcpStream>::execute(),
        Client::<TcpStream>::bind("up", &["1", "b"]),
        Client::<TcpStream>::execute(),
        Message::Describe(Target::Statement(Bytes::from_static(b"up"))),
        Message::Close(Target::Statement(Bytes::from_static(b"up"))),
        sync.clone(),
    ]);
    let replies = client.replies();
    assert_eq!(replies.error, None);
    assert_eq!(replies.tags, ["CREATE TABLE", "INSERT 0 1", "INSERT 0 1"]);
    assert!(replies.no_data);
    // A failed pipeline leaves nothing, and the next one works.
    client.send(&[
        Client::<TcpStream>::parse("s", "UPSERT INTO p VALUES (2, 'x')"),
        Client::<TcpStream>::bind("s", &[]),
        Client::<TcpStream>::execute(),
        Client::<TcpStream>::parse("", "SELECT 'é'::STRING, nope FROM p"),
        Client::<TcpStream>::parse("", "UPSERT INTO p VALUES (3, 'x')"),
        Client::<TcpStream>::execute(),
        sync.clone(),
    ]);
    let replies = client.replies();
    let (code, _, position) = replies.error.unwrap();
    assert_eq!((code.as_str(), position), ("42703", Some(21)));
    assert_eq!(client.simple("SELECT count(*) FROM p").rows, [[Some("1".to_owned())]]);
    // BEGIN, work and COMMIT in one pipeline; then a refusal in the middle.
    let mut all = Vec::new();
    for sql in ["BEGIN", "UPSERT INTO p VALUES (4, 'x')", "COMMIT"] {
        all.extend([
            Client::<TcpStream>::parse("", sql),
            Client::<TcpStream>::bind("", &[]),
            Client::<TcpStream>::execute(),
        ]);
    }
    all.push(sync.clone());
    client.send(&all);
    let replies = client.replies();
    assert_eq!(replies.tags, ["BEGIN", "INSERT 0 1", "COMMIT"]);
    assert_eq!(replies.status, Some(TransactionStatus::Idle));
    let replies = client.extended("SELECT * FROM p AS OF SYSTEM TIME '-1s' WHERE id = $1", &["1"]);
    assert_eq!(replies.error, None);
    assert!(replies.notices[0].contains("reads the present"), "{:?}", replies.notices);
    let replies = client.extended("SELECT * FROM p AS OF SYSTEM TIME '-1h' WHERE id = $1", &["1"]);
    assert_eq!(replies.error.unwrap().0, "0A000");
    assert_eq!(client.extended("SELECT $1::STRING", &["x"]).oids, [25]);
    // An unknown message is reported and the connection closed.
    client.stream.write_all(b"?\0\0\0\x04").unwrap();
    assert!(matches!(client.next(), Some(Backend::ErrorResponse(error)) if error.is_fatal()));
    assert!(client.next().is_none());
}

#[test]
fn a_release_that_fails_leaves_a_failed_transaction() {
    let Some(server) = Server::start() else { return };
    let (mut one, mut two) = (server.client("defaultdb"), server.client("defaultdb"));
    let made = one
        .simple("CREATE TABLE r (id INT PRIMARY KEY, v INT); UPSERT INTO r VALUES (1, 1), (2, 1)");
    assert_eq!(made.error, None);
    for client in [&mut one, &mut two] {
        let replies = client.simple("BEGIN; SAVEPOINT cockroach_restart; SELECT sum(v) FROM r");
        assert_eq!(replies.error, None);
    }
    assert_eq!(one.simple("UPDATE r SET v = 5 WHERE id = 1").error, None);
    assert_eq!(two.simple("UPDATE r SET v = 6 WHERE id = 2").error, None);
    assert_eq!(one.simple("RELEASE SAVEPOINT cockroach_restart").tags, ["COMMIT"]);
    let failed = two.simple("RELEASE SAVEPOINT cockroach_restart");
    let (code, message, _) = failed.error.unwrap();
    assert_eq!(code, "40001");
    assert!(message.starts_with("restart transaction: "), "{message}");
    assert!(failed.hint.unwrap().contains("transaction-retry-error-reference"));
    assert_eq!(failed.status, Some(TransactionStatus::Failed));
    assert_eq!(two.simple("ROLLBACK TO SAVEPOINT cockroach_restart").tags, ["ROLLBACK"]);
    assert_eq!(two.simple("SELECT sum(v) FROM r").rows, [[Some("6".to_owned())]]);
    assert_eq!(two.simple("RELEASE SAVEPOINT cockroach_restart").tags, ["COMMIT"]);
    let done = two.simple("COMMIT");
    assert_eq!(
        (done.tags, done.status),
        (vec!["COMMIT".to_owned()], Some(TransactionStatus::Idle))
    );
    // At COMMIT, the transaction is over.
    for client in [&mut one, &mut two] {
        client.simple("COMMIT; BEGIN; SELECT sum(v) FROM r");
    }
    one.simple("UPDATE r SET v = 7 WHERE id = 1; COMMIT");
    let failed = two.simple("UPDATE r SET v = 8 WHERE id = 2; COMMIT");
    assert_eq!(failed.error.unwrap().0, "40001");
}

#[test]
fn copy_goes_both_ways_and_fails_cleanly() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    client.simple("CREATE TABLE c (a INT, b STRING)");
    let data = |text: &'static str| Message::CopyData(Bytes::from_static(text.as_bytes()));
    client.send(&[query("COPY c FROM STDIN"), data("1\tx\n2\ty\n"), Message::CopyDone]);
    assert_eq!(client.replies().tags, ["COPY 2"]);
    // The error comes while the client still sends.
    let mut wrong = vec![query("COPY c FROM STDIN")];
    wrong.extend((0..20_000).map(|_| data("wrong\tx\n")));
    wrong.push(Message::CopyDone);
    client.send(&wrong);
    assert_eq!(client.replies().error.unwrap().0, "22P02");
    assert_eq!(client.simple("SELECT count(*) FROM c").rows, [[Some("2".to_owned())]]);
    // Extended, as libpq does it: the Sync goes along, and once more behind the data.
    client.send(&[
        Client::<TcpStream>::parse("", "COPY c FROM STDIN"),
        Client::<TcpStream>::bind("", &[]),
        Client::<TcpStream>::execute(),
        Message::Sync,
        data("3\tz\n"),
        Message::CopyDone,
        Message::Sync,
    ]);
    let replies = client.replies();
    assert_eq!((replies.error, replies.tags), (None, vec!["COPY 3".replace('3', "1")]));
    assert_eq!(client.simple("COPY c TO STDOUT; SELECT 1").tags, ["COPY 3", "SELECT 1"]);
}

#[test]
fn what_does_not_belong_into_a_copy_ends_it_alone() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    client.simple("CREATE TABLE c (a INT, b STRING)");
    let data = |text: &'static str| Message::CopyData(Bytes::from_static(text.as_bytes()));
    let count = |client: &mut Client<TcpStream>| {
        client.simple("SELECT count(*) FROM c").rows[0][0].clone().unwrap()
    };
    client.send(&[query("COPY c FROM STDIN"), data("1\tx\n"), query("SELECT 1")]);
    let stray = client.replies();
    let (code, message, _) = stray.error.unwrap();
    assert_eq!(code, "08P01");
    assert_eq!(message, "unrecognized client message type ClientMsgSimpleQuery");
    assert_eq!(stray.status, Some(TransactionStatus::Idle));
    // What was meant for the COPY is not taken for anything else.
    client.send(&[data("2\ty\n"), Message::CopyDone]);
    assert_eq!(count(&mut client), "0");
    client.send(&[
        query("COPY c FROM STDIN"),
        Message::Sync,
        Message::Flush,
        data("1\tx\n"),
        Message::CopyFail(Bytes::from_static(b"no more")),
    ]);
    let (code, message, _) = client.replies().error.unwrap();
    assert_eq!((code.as_str(), message.as_str()), ("57014", "COPY from stdin failed: no more"));
    assert_eq!(count(&mut client), "0");
    // In a pipeline, the next statement stands where rows should.
    let copy = || Client::<TcpStream>::parse("", "COPY c FROM STDIN");
    let (bind, execute) = (Client::<TcpStream>::bind("", &[]), Client::<TcpStream>::execute());
    client.send(&[copy(), bind.clone(), execute.clone(), copy(), bind.clone(), Message::Sync]);
    let stray = client.replies();
    assert_eq!(stray.error.unwrap().1, "unrecognized client message type ClientMsgParse");
    assert_eq!(stray.status, Some(TransactionStatus::Idle));
    client.send(&[copy(), bind, execute, data("1\tx\n"), Message::CopyDone, Message::Sync]);
    assert_eq!(client.replies().tags, ["COPY 1"]);
    // A line that ends CSV, in pieces, and one that is data.
    let mut csv = vec![query("COPY c FROM STDIN WITH (FORMAT csv)")];
    csv.extend(["2,y\n", "\\", ".", "\n"].map(data));
    csv.push(Message::CopyDone);
    client.send(&csv);
    assert_eq!(client.replies().tags, ["COPY 1"]);
    client.send(&[query("COPY c FROM STDIN CSV"), data("3,\"\n\\.\n\"\n"), Message::CopyDone]);
    assert_eq!(client.replies().tags, ["COPY 1"]);
    assert_eq!(client.simple("SELECT b FROM c WHERE a = 3").rows, [[Some("\n\\.\n".to_owned())]]);
}

#[test]
fn parameters_are_reported_as_cockroachdb_does() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    let names: Vec<&str> = client.parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "server_version",
            "server_encoding",
            "client_encoding",
            "application_name",
            "DateStyle",
            "IntervalStyle",
            "is_superuser",
            "TimeZone",
            "integer_datetimes",
            "standard_conforming_strings",
            "crdb_version",
            "session_authorization",
        ]
    );
    let value = |name: &str| {
        client.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    assert_eq!(value("is_superuser"), Some("on"));
    assert_eq!(value("session_authorization"), Some("root"));
    let mut order = |messages: &[Message]| {
        client.send(messages);
        let mut order = String::new();
        loop {
            match client.next().unwrap() {
                Backend::ParameterStatus(status) => {
                    order.push_str(&format!("{}={} ", text(&status.name), text(&status.value)));
                }
                Backend::CommandComplete(tag) => {
                    order.push_str(&format!("{} ", text(tag.as_bytes())));
                }
                Backend::ReadyForQuery(_) => return order,
                _ => {}
            }
        }
    };
    assert_eq!(order(&[query("SET TIME ZONE 6")]), "TimeZone=<+06>-06 SET ");
    assert_eq!(order(&[query("SET search_path = public")]), "SET ");
    let extended = |sql: &str| {
        [
            Client::<TcpStream>::parse("", sql),
            Client::<TcpStream>::bind("", &[]),
            Client::<TcpStream>::execute(),
            Message::Sync,
        ]
    };
    let said = order(&extended("SET application_name = 'x'"));
    assert_eq!(said, "application_name=x SET ");
    assert_eq!(order(&extended("SET vectorize = off")), "SET ");
}

#[test]
fn a_role_logs_in_with_its_own_password_or_with_everybody_s() {
    let Some(server) = Server::start_with(Some("everybody")) else { return };
    let port = server.address.port();
    let connect = |user: &str, password: &str| {
        let dsn =
            format!("host=127.0.0.1 port={port} dbname=defaultdb user={user} password={password}");
        blocking::Client::connect(&Config::parse(&dsn).unwrap())
    };
    let refused = |user: &str, password: &str| {
        let error = connect(user, password).err().unwrap();
        assert_eq!(error.sqlstate(), Some("28P01"), "{user}: {error}");
    };
    let mut root = connect("root", "everybody").unwrap();
    for sql in [
        "CREATE USER maya WITH PASSWORD 'her own'",
        "CREATE USER budi",
        "CREATE USER late WITH PASSWORD 'p' VALID UNTIL '2020-01-01'",
        "CREATE ROLE nologin WITH PASSWORD 'p'",
        "ALTER USER root WITH PASSWORD 'p'",
    ] {
        root.execute(sql, &[]).unwrap();
    }
    let who = |client: &mut blocking::Client| -> String {
        client.query_one("SELECT current_user::STRING", &[]).unwrap().get(0).unwrap()
    };
    assert_eq!(who(&mut connect("maya", "'her own'").unwrap()), "maya");
    assert_eq!(who(&mut connect("maya", "everybody").unwrap()), "maya");
    assert_eq!(who(&mut connect("budi", "everybody").unwrap()), "budi");
    assert_eq!(who(&mut connect("stranger", "everybody").unwrap()), "root");
    for (user, password) in [
        ("maya", "wrong"),
        ("budi", "'her own'"),
        ("root", "'her own'"),
        ("root", "p"),
        ("stranger", "'her own'"),
        ("node", "'her own'"),
        ("late", "p"),
        ("nologin", "p"),
        ("\"maya\"", "'her own'"),
    ] {
        refused(user, password);
    }
    // Her password makes her nobody else.
    let mut maya = connect("maya", "'her own'").unwrap();
    assert!(maya.execute("SET ROLE root", &[]).is_err());
    assert!(maya.query("SELECT rolpassword, tableoid FROM pg_authid", &[]).is_err());
    let shown = maya.query("SELECT DISTINCT rolpassword FROM pg_authid", &[]).unwrap();
    let shown: Vec<String> = shown.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(shown, ["********"]);
    root.execute("ALTER USER maya WITH PASSWORD 'another'", &[]).unwrap();
    refused("maya", "'her own'");
    assert_eq!(who(&mut connect("maya", "another").unwrap()), "maya");
    // Nobody reads it in the list of sessions.
    let seen = server.postgres("defaultdb").simple(
        "SELECT query LIKE '%another%' FROM pg_stat_activity WHERE query LIKE 'ALTER USER maya%'",
    );
    assert_eq!(seen.rows, [[Some("f".to_owned())]]);
    // Whatever it is made of, and however it is written: clients and PostgreSQL prepare it alike.
    for (literal, password) in [
        ("'an\u{f6}th\u{e9}r'", "an\u{f6}th\u{e9}r"),
        ("'an\u{2167}\u{ad}\u{fb01}'", "an\u{2167}\u{ad}\u{fb01}"),
        ("'an\u{a0}o'\n'ther'", "an\u{a0}other"),
        (r"E'an\157\x74h\u0065\'r\n'", "anothe'r\n"),
    ] {
        root.batch(&format!("ALTER USER maya WITH PASSWORD {literal}")).unwrap();
        let dsn = format!("host=127.0.0.1 port={port} dbname=defaultdb user=maya");
        let mut config = Config::parse(&dsn).unwrap();
        config.set("password", password).unwrap();
        assert_eq!(who(&mut blocking::Client::connect(&config).unwrap()), "maya");
        let seen = server.postgres("defaultdb").simple(
            "SELECT DISTINCT query LIKE '%PASSWORD ''SCRAM-SHA-256$%' FROM pg_stat_activity \
             WHERE query LIKE 'ALTER USER maya%'",
        );
        assert_eq!(seen.rows, [[Some("t".to_owned())]], "{literal}");
    }
    root.execute("ALTER USER maya WITH PASSWORD NULL", &[]).unwrap();
    refused("maya", "another");
    assert_eq!(who(&mut connect("maya", "everybody").unwrap()), "maya");
}

#[test]
fn values_that_a_cluster_refuses_are_refused_as_a_client_connects() {
    let Some(server) = Server::start() else { return };
    let port = server.address.port();
    let connect = |options: &str| {
        let dsn = format!(
            "host=127.0.0.1 port={port} dbname=defaultdb user=root password=x options='{options}'"
        );
        blocking::Client::connect(&Config::parse(&dsn).unwrap())
    };
    for (options, code) in [
        ("-c standard_conforming_strings=off", "22023"),
        ("-c search_path=public --DateStyle=German", "0A000"),
    ] {
        assert_eq!(connect(options).err().unwrap().sqlstate(), Some(code), "{options}");
    }
    connect("-c standard_conforming_strings=on -c intervalstyle=iso_8601").unwrap();
    connect("-c intervalstyle=postgres_verbose -c kecoa_strict=off").unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_client_that_leaves_leaves_nothing_behind() {
    let Some(server) = Server::start() else { return };
    let mut watcher = server.client("defaultdb");
    watcher.simple("CREATE TABLE w (id INT PRIMARY KEY)");
    let mut gone = server.client("defaultdb");
    assert_eq!(gone.simple("BEGIN; INSERT INTO w VALUES (1)").error, None);
    gone.send(&[query("SELECT pg_sleep(60)")]);
    std::thread::sleep(Duration::from_millis(100));
    gone.stream.shutdown(Shutdown::Both).unwrap();
    let started = Instant::now();
    loop {
        let others = watcher.simple(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' \
             AND pid <> pg_backend_pid()",
        );
        if others.rows == [[Some("0".to_owned())]] {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{others:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(watcher.simple("INSERT INTO w VALUES (1)").error, None);
}

#[test]
fn clients_are_told_when_a_server_ends() {
    let Some(mut server) = Server::start() else { return };
    let (mut idle, mut busy) = (server.client("defaultdb"), server.client("defaultdb"));
    busy.send(&[query("SELECT pg_sleep(60)")]);
    std::thread::sleep(Duration::from_millis(100));
    let mut informed = server.client("defaultdb");
    server.stop_postgres();
    for client in [&mut idle, &mut busy] {
        let mut reported = false;
        while let Some(message) = client.next() {
            if let Backend::ErrorResponse(error) = message {
                reported = error.is_fatal() && error.sqlstate().as_str().starts_with("57P0");
            }
        }
        assert!(reported, "closed without an error");
    }
    drop(informed.next());
    // New clients learn that there is no server.
    let mut fresh = TcpStream::connect(server.address).unwrap();
    fresh.write_all(&startup()).unwrap();
    let mut answer = Vec::new();
    fresh.read_to_end(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("57P03"));
    server.stop_endpoint();
    assert!(TcpStream::connect(server.address).is_err());
}

fn startup() -> BytesMut {
    let parameters = vec![
        (Bytes::from_static(b"user"), Bytes::from_static(b"root")),
        (Bytes::from_static(b"database"), Bytes::from_static(b"defaultdb")),
    ];
    let version = kecoa_proto::ProtocolVersion::V3_0;
    let mut out = BytesMut::new();
    Startup::Startup { version, parameters }.encode(&mut out).unwrap();
    out
}

#[test]
fn nothing_a_client_sends_harms_the_others() {
    let Some(mut server) = Server::start() else { return };
    let mut noise = Noise(7);
    for round in 0..90 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut bytes = Vec::new();
        if round % 3 > 0 {
            bytes.extend_from_slice(&startup());
            // Messages with a right frame and any body, in any order.
            for _ in 0..noise.next() % 12 {
                let tags = b"QPBEDCHSFdcfXp?";
                let tag = tags[usize::try_from(noise.next()).unwrap() % tags.len()];
                let mut body = noise.bytes(40);
                if noise.next().is_multiple_of(2) {
                    body = b"\0UPSERT INTO t VALUES ('; $$ \0\0\0\0\0\0\0".to_vec();
                    body.truncate(usize::try_from(noise.next()).unwrap() % 42);
                }
                bytes.push(tag);
                bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
                bytes.extend_from_slice(&body);
            }
        }
        bytes.extend_from_slice(&noise.bytes(60));
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = [0; 4096];
        while matches!(stream.read(&mut answer), Ok(1..)) {}
    }
    let mut client = server.client("defaultdb");
    assert_eq!(client.simple("SELECT 1").tags, ["SELECT 1"]);
    client.stream.write_all(b"Q\xff\xff\xff\xff").unwrap();
    assert!(matches!(client.next(), Some(Backend::ErrorResponse(error)) if error.is_fatal()));
    // A panic in any of the tasks would show when the endpoint stops.
    server.stop_endpoint();
}

#[test]
fn startup_says_what_kind_of_session_it_shall_be() {
    let Some(server) = Server::start() else { return };
    let open = |parameters: &[(&str, &str)]| {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client::over(stream, parameters)
    };
    // No database, or the one libpq makes of the user's name.
    for parameters in [&[("user", "root")][..], &[("user", "max"), ("database", "max")]] {
        let mut client = open(parameters);
        assert_eq!(client.simple("SHOW database").rows, [[Some("defaultdb".to_owned())]]);
        let parameter = |name: &str| {
            let found = client.parameters.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!(parameter("server_version"), "13.0.0");
        assert_eq!(parameter("crdb_version"), "CockroachDB OSS v25.2.0 (kecoa local)");
        assert_eq!(parameter("client_encoding"), "UTF8");
    }
    let options = "--cluster=some-1 -c inject_retry_errors_enabled=true -c search_path=x";
    let mut client = open(&[("user", "root"), ("options", options), ("vectorize", "off")]);
    assert_eq!(client.simple("SHOW search_path").rows, [[Some("x".to_owned())]]);
    assert_eq!(client.simple("SHOW vectorize").rows, [[Some("off".to_owned())]]);
    assert_eq!(client.simple("SHOW inject_retry_errors_enabled").rows, [[Some("on".to_owned())]]);
    assert_eq!(client.simple("BEGIN; SELECT 1").error.unwrap().0, "40001");
}

#[test]
fn a_slow_reader_holds_the_server_and_nothing_else() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    let rows = 300_000;
    client.send(&[query(&format!("SELECT repeat('x', 100) FROM generate_series(1, {rows})"))]);
    std::thread::sleep(Duration::from_millis(300));
    let mut watcher = server.client("defaultdb");
    let waiting =
        watcher.simple("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite'");
    assert_eq!(waiting.rows, [[Some("1".to_owned())]], "the rows pile up nowhere");
    assert_eq!(client.replies().tags, [format!("SELECT {rows}")]);
}

#[test]
fn many_make_one_database() {
    let Some(server) = Server::start() else { return };
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut client = server.client("defaultdb");
                for round in 0..3 {
                    let sql = format!("CREATE DATABASE IF NOT EXISTS many{round}");
                    let made = client.simple(&sql);
                    assert_eq!((made.error, made.tags), (None, vec!["CREATE DATABASE".to_owned()]));
                }
            });
        }
    });
}

#[test]
fn a_client_that_names_a_role_has_its_rights() {
    let Some(server) = Server::start() else { return };
    let mut root = server.client("defaultdb");
    let made = root.simple(
        "CREATE USER maya; CREATE ROLE nobody_logs_in; CREATE TABLE t (a INT PRIMARY KEY); \
         CREATE DATABASE moved",
    );
    assert_eq!(made.error, None);
    let open = |user: &str| {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client::over(stream, &[("user", user), ("database", "defaultdb")])
    };
    let mut maya = open("maya");
    let who = "SELECT current_user::text || ' ' || session_user::text";
    assert_eq!(maya.simple(who).rows, [[Some("maya maya".to_owned())]]);
    assert_eq!(maya.simple("SELECT * FROM t").error.unwrap().0, "42501");
    assert_eq!(maya.simple("DROP TABLE t").error.unwrap().0, "42501");
    assert_eq!(maya.simple("SET ROLE root").error.unwrap().0, "42501");
    assert_eq!(maya.simple("CREATE DATABASE hers").error.unwrap().0, "42501");
    assert_eq!(root.simple("GRANT SELECT ON t TO maya").error, None);
    assert_eq!(maya.extended("SELECT count(*) FROM t", &[]).rows, [[Some("0".to_owned())]]);
    assert_eq!(root.simple("REVOKE SELECT ON t FROM maya").error, None);
    assert_eq!(maya.extended("SELECT count(*) FROM t", &[]).error.unwrap().0, "42501");
    // What is hers, and what the session keeps when it moves.
    let hers = "CREATE TABLE hers (id SERIAL PRIMARY KEY, n INT); UPSERT INTO hers (n) VALUES (1)";
    assert_eq!(maya.simple(hers).error, None);
    assert_eq!(root.simple("SELECT n FROM hers").rows, [[Some("1".to_owned())]]);
    assert_eq!(maya.simple("USE moved").error, None);
    assert_eq!(maya.simple(who).rows, [[Some("maya maya".to_owned())]]);
    // Others are root, and the superuser is nobody's.
    for user in ["somebody", "node", "pg_read_server_files", "postgres", ""] {
        assert_eq!(open(user).simple(who).rows, [[Some("root root".to_owned())]], "{user}");
    }
    let mut refused = TcpStream::connect(server.address).unwrap();
    let parameters = vec![(Bytes::from_static(b"user"), Bytes::from_static(b"nobody_logs_in"))];
    let version = kecoa_proto::ProtocolVersion::V3_0;
    let mut out = BytesMut::new();
    Startup::Startup { version, parameters }.encode(&mut out).unwrap();
    refused.write_all(&out).unwrap();
    let mut answer = Vec::new();
    refused.read_to_end(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("does not have login privilege"));
}
