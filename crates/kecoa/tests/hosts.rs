//! Several hosts, and what is wanted of the one that is connected to, against scripted servers.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used)]

use std::time::Duration;

use kecoa::blocking::{Client, Connecting, Stage};
use kecoa::config::Environment;
use kecoa::{Config, Error, ErrorKind};
use kecoa_pgmock::{Script, Server};

fn config(text: &str) -> Config {
    let environment = Environment::empty().with_user("maya");
    Config::parse(text).expect(text).resolve(&environment).expect(text)
}

fn connect(text: &str) -> Result<Client, Error> {
    Client::connect(&config(&format!("sslmode=disable {text}")))
}

fn failure(text: &str) -> Error {
    match connect(text) {
        Ok(client) => panic!("{text} connected to {:?}", client.target()),
        Err(error) => error,
    }
}

/// `host=… port=…` for these servers.
fn hosts(servers: &[&Server]) -> String {
    let ports: Vec<String> = servers.iter().map(|server| server.port().to_string()).collect();
    format!("host={} port={}", vec!["127.0.0.1"; servers.len()].join(","), ports.join(","))
}

/// PostgreSQL since 14: reports what sort of server it is.
fn reporting(standby: &str, read_only: &str) -> Script {
    Script::new()
        .startup_with(&[
            ("server_version", "18.0"),
            ("in_hot_standby", standby),
            ("default_transaction_read_only", read_only),
        ])
        .terminate()
}

/// A server that has to be asked, and its answer.
fn asked(started: Script, sql: &str, answer: &str) -> Script {
    started
        .query(sql)
        .row_description(&[("answer", 25, 0)])
        .row(&[Some(answer.as_bytes())])
        .complete("SELECT 1")
        .ready('I')
        .terminate()
}

type Play = fn() -> Script;

const SHOW: &str = "SHOW transaction_read_only";
const RECOVERY: &str = "SELECT pg_catalog.pg_is_in_recovery()";

fn primary() -> Script {
    reporting("off", "off")
}

fn standby() -> Script {
    reporting("on", "off")
}

#[test]
fn the_session_that_is_wanted_is_found() {
    let cases: [(&str, Play, Play, &str); 6] = [
        ("read-write", standby, primary, "session is read-only"),
        ("read-write", || reporting("off", "on"), primary, "session is read-only"),
        ("read-only", primary, standby, "session is not read-only"),
        ("primary", standby, primary, "server is in hot standby mode"),
        ("standby", primary, standby, "server is not in hot standby mode"),
        ("prefer-standby", primary, standby, "server is not in hot standby mode"),
    ];
    for (wanted, other, right, complaint) in cases {
        let (first, second) = (Server::start(vec![other()]), Server::start(vec![right()]));
        let text = format!("{} target_session_attrs={wanted}", hosts(&[&first, &second]));
        let client = connect(&text).expect(wanted);
        assert_eq!(client.target().map(|target| target.port), Some(second.port()), "{wanted}");
        drop(client);

        if wanted == "prefer-standby" {
            continue;
        }
        let alone = Server::start(vec![other()]);
        let error = failure(&format!("{} target_session_attrs={wanted}", hosts(&[&alone])));
        assert_eq!(
            error.to_string(),
            format!(
                "connection to server at \"127.0.0.1\", port {} failed: {complaint}",
                alone.port()
            )
        );
        assert_eq!(error.kind(), ErrorKind::Connect);
    }
}

#[test]
fn any_asks_nothing_and_takes_what_there_is() {
    let server = Server::start(vec![Script::new().startup().terminate()]);
    drop(connect(&format!("{} target_session_attrs=any", hosts(&[&server]))).unwrap());
}

#[test]
fn whoever_prefers_a_standby_takes_a_primary_when_there_is_none() {
    // Each is asked in the first pass, and the first is taken in the second.
    let first = Server::start(vec![primary(), primary()]);
    let second = Server::start(vec![primary()]);
    let text = format!("{} target_session_attrs=prefer-standby", hosts(&[&first, &second]));
    let client = connect(&text).unwrap();
    assert_eq!(client.target().map(|target| target.port), Some(first.port()));
}

#[test]
fn what_both_passes_say_is_said_once() {
    let drains = || Script::new().expect_startup().fatal("57P01", "draining").close();
    let server = Server::start(vec![drains(), drains()]);
    let error = failure(&format!("{} target_session_attrs=prefer-standby", hosts(&[&server])));
    assert_eq!(error.to_string().matches("draining").count(), 1, "{error}");
}

#[test]
fn servers_that_report_nothing_are_asked_as_libpq_asks() {
    let started = || Script::new().startup();
    for (wanted, sql, yes, no) in [
        ("read-write", SHOW, "off", "on"),
        ("read-only", SHOW, "on", "off"),
        ("primary", RECOVERY, "f", "t"),
        ("standby", RECOVERY, "t", "f"),
    ] {
        let first = Server::start(vec![asked(started(), sql, no)]);
        let second = Server::start(vec![asked(started(), sql, yes)]);
        let text = format!("{} target_session_attrs={wanted}", hosts(&[&first, &second]));
        let client = connect(&text).expect(wanted);
        assert_eq!(client.target().map(|target| target.port), Some(second.port()), "{wanted}");
    }
}

#[test]
fn cockroachdb_is_a_primary_and_says_itself_whether_it_writes() {
    let server = Server::start(vec![Script::new().startup_cockroach().terminate()]);
    drop(connect(&format!("{} target_session_attrs=primary", hosts(&[&server]))).unwrap());

    let server = Server::start(vec![Script::new().startup_cockroach().terminate()]);
    let error = failure(&format!("{} target_session_attrs=standby", hosts(&[&server])));
    assert!(error.to_string().ends_with("server is not in hot standby mode"), "{error}");

    let started = || Script::new().startup_cockroach();
    let writes = Server::start(vec![asked(started(), SHOW, "off")]);
    drop(connect(&format!("{} target_session_attrs=read-write", hosts(&[&writes]))).unwrap());
    let reads = Server::start(vec![asked(started(), SHOW, "on")]);
    let error = failure(&format!("{} target_session_attrs=read-write", hosts(&[&reads])));
    assert!(error.to_string().ends_with("session is read-only"), "{error}");
}

#[test]
fn a_server_that_cannot_say_leaves_the_others() {
    let first = Server::start(vec![Script::new().startup().failing(SHOW, "42601", 'I')]);
    let hangs_up = Server::start(vec![Script::new().startup().query(SHOW).close()]);
    let last = Server::start(vec![primary()]);
    let text = hosts(&[&first, &hangs_up, &last]) + " target_session_attrs=read-write";
    let client = connect(&text).unwrap();
    assert_eq!(client.target().map(|target| target.port), Some(last.port()));
    drop(client);

    let first = Server::start(vec![Script::new().startup().failing(SHOW, "42601", 'I')]);
    let error = failure(&format!("{} target_session_attrs=read-write", hosts(&[&first])));
    assert!(error.to_string().ends_with(&format!("\"{SHOW}\" failed: scripted")), "{error}");
}

#[test]
fn the_time_limit_counts_while_the_server_is_asked() {
    let silent = Server::start(vec![Script::new().startup().query(SHOW).stall()]);
    let good = Server::start(vec![primary()]);
    let text = hosts(&[&silent, &good]) + " target_session_attrs=read-write connect_timeout=2";
    let client = connect(&text).unwrap();
    assert_eq!(client.target().map(|target| target.port), Some(good.port()));
}

#[test]
fn a_caller_that_waits_by_itself_finds_it_as_well() {
    let first = Server::start(vec![asked(Script::new().startup(), SHOW, "on")]);
    let second = Server::start(vec![asked(Script::new().startup(), SHOW, "off")]);
    let text = hosts(&[&first, &second]) + " sslmode=disable target_session_attrs=read-write";
    let mut connecting = Connecting::start(&config(&text)).unwrap();
    for _ in 0..20_000 {
        match connecting.advance().unwrap() {
            Stage::Ready(client) => {
                assert_eq!(client.target().map(|target| target.port), Some(second.port()));
                return;
            }
            Stage::Waiting(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    panic!("the connection was not made");
}

#[test]
fn hosts_that_start_up_drain_or_are_full_leave_the_others() {
    for code in ["57P03", "57P01", "53300"] {
        let bad =
            Server::start(vec![Script::new().expect_startup().fatal(code, "not now").close()]);
        let good = Server::start(vec![primary()]);
        let client = connect(&hosts(&[&bad, &good])).expect(code);
        assert_eq!(client.target().map(|target| target.port), Some(good.port()), "{code}");
    }
    for code in ["28P01", "28000", "3D000"] {
        let bad = Server::start(vec![Script::new().expect_startup().fatal(code, "never").close()]);
        // Nobody asks the second: it has no script, and would fail.
        let second = Server::start(vec![]);
        let error = failure(&hosts(&[&bad, &second]));
        assert_eq!(error.sqlstate(), Some(code));
    }
}

#[test]
fn connections_take_turns_at_the_hosts() {
    let servers: Vec<Server> = (0..3).map(|_| Server::start(vec![primary(); 2])).collect();
    let text = hosts(&servers.iter().collect::<Vec<_>>()) + " load_balance_hosts=round_robin";
    let mut ports = Vec::new();
    for _ in 0..6 {
        ports.push(connect(&text).unwrap().target().unwrap().port);
    }
    assert_eq!(ports[..3], ports[3..], "the second round is as the first");
    // Each server's script was played exactly twice: it fails otherwise when it is dropped.
    ports.truncate(3);
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 3);
}

/// An authentication request that is not to be answered.
fn asks(request: &[u8]) -> Script {
    Script::new().expect_startup().send_message('R', request)
}

#[test]
fn a_method_that_is_not_allowed_gets_no_password() {
    let cleartext = 3_u32.to_be_bytes();
    for (allowed, script, why) in [
        ("scram-sha-256", asks(&cleartext), "server requested a cleartext password"),
        ("!password", asks(&cleartext), "server requested a cleartext password"),
        ("scram-sha-256,md5", Script::new().startup(), "server did not complete authentication"),
        ("none", asks(b"\0\0\0\x05abcd"), "server requested a hashed password"),
        ("password", asks(b"\0\0\0\x0aSCRAM-SHA-256\0\0"), "server requested SASL authentication"),
    ] {
        let server = Server::start(vec![script]);
        // Nor does the next host.
        let second = Server::start(vec![]);
        let text = hosts(&[&server, &second]) + " password=hunter2 require_auth=" + allowed;
        let error = failure(&text);
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(
            error.to_string(),
            format!(
                "connection to server at \"127.0.0.1\", port {} failed: \
                 authentication method requirement \"{allowed}\" failed: {why}",
                server.port()
            )
        );
    }
    for allowed in ["password", "!scram-sha-256", "password,none"] {
        let welcome = Script::new().send_message('R', &[0; 4]).ready('I').terminate();
        let script = asks(&cleartext).expect_exactly('p', b"hunter2\0").then(welcome);
        let server = Server::start(vec![script]);
        let text = format!("{} password=hunter2 require_auth={allowed}", hosts(&[&server]));
        drop(connect(&text).expect(allowed));
        server.finish();
    }
}

#[test]
fn an_old_protocol_is_refused() {
    // NegotiateProtocolVersion: 3.0 is the newest, no parameter was unknown.
    let older = || Script::new().expect_startup().send_message('v', &[0, 3, 0, 0, 0, 0, 0, 0]);
    let server = Server::start(vec![older()]);
    let error = failure(&format!("{} min_protocol_version=3.2", hosts(&[&server])));
    let wanted = "asked for protocol 3.2 at least, the server speaks 3.0 at most";
    assert!(error.to_string().ends_with(wanted), "{error}");

    let welcome = Script::new().send_message('R', &[0; 4]).ready('I').terminate();
    let server = Server::start(vec![older().then(welcome)]);
    drop(connect(&format!("{} max_protocol_version=latest", hosts(&[&server]))).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn the_owner_of_a_socket_is_checked_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    // It hears nothing at all of the first connection.
    let script = vec![Script::new(), Script::new().startup().terminate()];
    let server = Server::start_unix(folder.path(), script);
    let text = format!("host={} port={}", folder.path().display(), server.port());
    let error = failure(&format!("{text} requirepeer=nobody-of-that-name"));
    assert_eq!(error.kind(), ErrorKind::Authentication);
    let text_of = error.to_string();
    let said = "requirepeer specifies \"nobody-of-that-name\", but actual peer user name is \"";
    let (_, name) = text_of.split_once(said).expect("libpq's words");
    let name = name.trim_end_matches('"');
    drop(connect(&format!("{text} requirepeer={name}")).unwrap());
    server.finish();
}
