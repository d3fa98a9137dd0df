//! Everything before, beside and without TLS.

use std::net::TcpListener;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::server::{Script, Server};
use super::{config, connect, connect_within, failure};
use crate::ErrorKind;
use crate::config::{Config, Environment};
use crate::interrupt::Never;
use crate::net::cancel::cancel;

/// A port on which nobody listens, and nobody will while the socket is kept.
fn closed_port() -> (socket2::Socket, u16) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

#[test]
fn says_who_it_is() {
    let server = Server::start(Script::default());
    let text = format!(
        "host=localhost hostaddr=127.0.0.1 port={} sslmode=disable user=u dbname=bank \
         fallback_application_name=kecoa options='-c a=b'",
        server.port
    );
    let (stream, connection) = connect(&text).unwrap();
    assert!(!stream.peer().tls && stream.tls_info().is_none());
    assert!(stream.as_raw_fd() > 2);
    assert_eq!(connection.parameter("server_version"), Some("15.0"));
    drop(stream);
    let seen = server.only();
    assert!(!seen.tls_asked);
    assert_eq!(
        seen.parameters,
        [
            "user",
            "u",
            "database",
            "bank",
            "options",
            "-c a=b",
            "application_name",
            "kecoa",
            "client_encoding",
            "UTF8"
        ]
    );
}

#[test]
fn session_variables_travel() {
    let server = Server::start(Script::default());
    let environment = Environment::empty().with_user("u").with("PGTZ", "Asia/Jakarta");
    let text = format!("host=127.0.0.1 port={} replication=database", server.port);
    let config = Config::parse(&text).unwrap().resolve(&environment).unwrap();
    drop(connect_within(&config, None, &mut Never).unwrap());
    let parameters = server.only().parameters;
    let pair = |name: &str| {
        let at = parameters.iter().position(|text| text == name).unwrap();
        parameters[at + 1].clone()
    };
    assert_eq!((pair("timezone"), pair("replication")), ("Asia/Jakarta".into(), "database".into()));
}

#[test]
fn speaks_over_unix_sockets_without_tls() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".s.PGSQL.5433");
    let server = Server::start_unix(&path);
    let text = format!("host={} port=5433 sslmode=require", directory.path().display());
    let (stream, _) = connect(&text).unwrap();
    assert!(!stream.peer().tls);
    drop(stream);
    assert!(!server.only().tls_asked);

    let text = format!("host={} port=5434", directory.path().display());
    let error = failure(&text);
    assert_eq!(
        error.to_string(),
        format!(
            "connection to server on socket \"{}/.s.PGSQL.5434\" failed: No such file or directory\
             \n\tIs the server running locally and accepting connections on that socket?",
            directory.path().display()
        )
    );
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.nothing_was_sent());
}

#[test]
fn nobody_listens() {
    let (_socket, port) = closed_port();
    let error = failure(&format!("host=127.0.0.1 port={port}"));
    assert_eq!(
        error.to_string(),
        format!(
            "connection to server at \"127.0.0.1\", port {port} failed: Connection refused\
             \n\tIs the server running on that host and accepting TCP/IP connections?"
        )
    );
    let error = failure(&format!("host=a.example hostaddr=127.0.0.1 port={port}"));
    let wanted = format!("connection to server at \"a.example\" (127.0.0.1), port {port} failed: ");
    assert!(error.to_string().starts_with(&wanted), "{error}");
}

#[test]
fn names_that_do_not_resolve() {
    let error = failure("host=no.such.host.invalid").to_string();
    let wanted = "could not translate host name \"no.such.host.invalid\" to address: ";
    assert!(error.starts_with(wanted), "{error}");
    let error = failure("hostaddr=nonsense").to_string();
    assert!(error.starts_with("could not parse network address \"nonsense\"\nHINT: "), "{error}");
}

#[test]
fn several_hosts_are_tried_in_order() {
    let ((_one, first), (_two, second)) = (closed_port(), closed_port());
    let server = Server::start(Script::default());
    let text = |last: u16| {
        format!("host=127.0.0.1,127.0.0.1,127.0.0.1 port={first},{second},{last} sslmode=disable")
    };
    let (stream, _) = connect(&text(server.port)).unwrap();
    assert_eq!(stream.peer().target.port, server.port);
    let error = failure(&text(first)).to_string();
    assert_eq!(error.lines().filter(|line| line.contains("failed:")).count(), 3, "{error}");
    assert!(error.contains(&format!("port {second} failed")), "{error}");
}

#[test]
fn a_server_that_is_not_ready_leaves_the_others_one_that_refuses_does_not() {
    let good = Server::start(Script::default());
    for (code, goes_on) in [("57P03", true), ("57P01", true), ("28P01", false), ("3D000", false)] {
        let bad = Server::start(Script { refuse_plain: Some(code), ..Script::default() });
        let text =
            format!("host=127.0.0.1,127.0.0.1 port={},{} sslmode=disable", bad.port, good.port);
        assert_eq!(connect(&text).is_ok(), goes_on, "{code}");
    }
    let bad = Server::start(Script { refuse_plain: Some("28P01"), ..Script::default() });
    let error = failure(&format!("host=127.0.0.1 port={} sslmode=disable", bad.port));
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.sqlstate(), Some("28P01"));
    let refusal = format!(
        "connection to server at \"127.0.0.1\", port {} failed: FATAL:  no entry for you\n\
         DETAIL:  none at all\nHINT:  ask",
        bad.port
    );
    assert_eq!(error.to_string(), refusal);
    assert!(error.server().is_some() && error.nothing_was_sent());

    // What the places before it said stays readable, and so does its SQLSTATE.
    let (_socket, closed) = closed_port();
    let error =
        failure(&format!("host=127.0.0.1,127.0.0.1 port={closed},{} sslmode=disable", bad.port));
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Authentication, Some("28P01")));
    let text = error.to_string();
    assert!(text.contains("Connection refused") && text.ends_with(&refusal), "{text}");
}

#[test]
fn a_silent_server_runs_into_the_time_limit() {
    // It listens, so the kernel connects; nobody ever answers.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = config(&format!("host=127.0.0.1 port={port}"));
    let begun = Instant::now();
    let limit = Some(Duration::from_millis(300));
    let error = connect_within(&config, limit, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(
        error.to_string(),
        format!(
            "connection to server at \"127.0.0.1\", port {port} failed: \
             timeout expired (connect_timeout is 0.3 s)"
        )
    );
    let elapsed = begun.elapsed();
    assert!(elapsed >= Duration::from_millis(300) && elapsed < Duration::from_secs(2));
}

#[test]
fn the_hook_ends_the_wait() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = config(&format!("host=127.0.0.1,127.0.0.1 port={port}"));
    let error = connect_within(&config, None, &mut || ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn other_servers_are_told() {
    let cases: [(&'static [u8], &str); 4] = [
        (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "\"HTTP/1.1 400 Bad Request\""),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "\"SSH-2.0-OpenSSH_9.2\""),
        (b"\x4a\0\0\0\x0a8.0.36\0", "the greeting of a MySQL server"),
        (b"\x15\x03\x01\0\x02\x02\x28", "a TLS alert"),
    ];
    for (instead, wanted) in cases {
        for mode in ["prefer", "disable"] {
            let server = Server::start(Script { instead: Some(instead), ..Script::default() });
            let text = format!("host=127.0.0.1 port={} sslmode={mode}", server.port);
            let error = failure(&text).to_string();
            assert!(error.contains("expected a PostgreSQL or CockroachDB server"), "{error}");
            assert!(error.contains(wanted), "{error}");
        }
    }
}

#[test]
fn a_server_that_hangs_up_is_told() {
    let server = Server::start(Script { instead: Some(b""), ..Script::default() });
    // It reads more before it hangs up; what we send next does not come.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || drop(listener.accept()));
    let error = failure(&format!("host=127.0.0.1 port={port} sslmode=disable")).to_string();
    assert!(error.contains("server closed the connection unexpectedly"), "{error}");
    drop(server);
}

#[test]
fn the_password_file_answers_for_its_host() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Script { ask_password: true, ..Script::default() });
    let file = home.path().join(".pgpass");
    let lines = format!("127.0.0.1:1:*:*:no\n127.0.0.1:{}:bank:maya:s\\:3\n", server.port);
    std::fs::write(&file, lines).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let environment = Environment::empty().with_user("maya").with_home(home.path());
    let text = format!("host=127.0.0.1 port={} dbname=bank", server.port);
    let config = Config::parse(&text).unwrap().resolve(&environment).unwrap();
    assert!(!format!("{config:?} {config}").contains("s:3"));
    drop(connect_within(&config, None, &mut Never).unwrap());
    assert_eq!(server.seen(1)[0].password.as_deref(), Some("s:3"));

    let error = failure(&format!("host=127.0.0.1 port={} dbname=other", server.port));
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.to_string().contains("fe_sendauth: no password supplied"), "{error}");
}

#[test]
fn an_error_says_what_became_of_the_password_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".pgpass");
    std::fs::write(&file, "*:*:*:*:old\n").unwrap();
    let environment = Environment::empty().with_user("maya").with_home(home.path());
    let failure = |script: Script, options: &str, mode: u32| {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let server = Server::start(script);
        let text = format!("host=127.0.0.1 port={} dbname=bank {options}", server.port);
        let config = Config::parse(&text).unwrap().resolve(&environment).unwrap();
        connect_within(&config, None, &mut Never).unwrap_err().to_string()
    };
    let refuses = || Script { refuse_plain: Some("28P01"), ..Script::default() };
    let from_file = format!("\npassword retrieved from file \"{}\"", file.display());
    let text = failure(refuses(), "", 0o600);
    assert!(text.ends_with(&from_file), "{text}");
    let text = failure(refuses(), "password=given", 0o600);
    assert!(!text.contains("retrieved"), "{text}");

    let asks = || Script { ask_password: true, ..Script::default() };
    let text = failure(asks(), "", 0o644);
    assert!(text.contains("fe_sendauth: no password supplied"), "{text}");
    assert!(text.contains("\nHINT: password file"), "{text}");
    assert!(text.contains("has group or world access"), "{text}");
}

#[test]
fn cancels_on_a_connection_of_its_own() {
    let server = Server::start(Script::default());
    let config = config(&format!("host=127.0.0.1 port={}", server.port));
    let (stream, connection) = connect_within(&config, None, &mut Never).unwrap();
    let (peer, key) = (stream.peer().clone(), connection.cancel_key().unwrap().clone());
    drop(stream);
    cancel(&config, &peer, &key, &mut Never).unwrap();
    assert_eq!(server.seen(2)[1].cancelled, Some([0, 0, 0, 7, 1, 2, 3, 4]));
}

/// 3 MiB there and back: through growing reads, partial writes, and ticks while the peer is slow.
#[test]
fn carries_what_is_large() {
    let data: Vec<u8> = (0..3 << 20).map(|i: u32| u8::try_from(i % 251).unwrap()).collect();
    let server = Server::start(Script { echo: data.len(), ..Script::default() });
    let (mut stream, _) = connect(&format!("host=127.0.0.1 port={}", server.port)).unwrap();
    super::there_and_back(&mut stream, &data);
    let mut buf = BytesMut::new();
    assert_eq!(stream.read_into(&mut buf, 0).unwrap(), 0);
    stream.shutdown();
}

#[test]
fn a_read_ticks() {
    let server = Server::start(Script { echo: 1, ..Script::default() });
    let (mut stream, _) = connect(&format!("host=127.0.0.1 port={}", server.port)).unwrap();
    let begun = Instant::now();
    let error = stream.read_into(&mut BytesMut::new(), 0).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[test]
fn connects_step_by_step_without_waiting() {
    use crate::client::blocking::{Connecting, Stage};
    let server = Server::start(Script::default());
    let text = format!("hostaddr=127.0.0.1 port={} sslmode=disable user=u", server.port);
    let mut connecting = Connecting::start(&config(&text)).unwrap();
    let mut steps = 0;
    let client = loop {
        assert!(connecting.socket().is_some_and(|socket| socket > 2));
        match connecting.advance().unwrap() {
            Stage::Ready(client) => break client,
            Stage::Waiting(_) => std::thread::sleep(Duration::from_millis(1)),
        }
        steps += 1;
        assert!(steps < 10_000, "the connection was not made");
    };
    assert!(steps > 0);
    assert_eq!(client.parameter("server_version"), Some("15.0"));
    drop(client);
    server.only();
}

#[test]
fn says_at_once_that_nobody_listens_or_gives_up_when_dropped() {
    use crate::client::blocking::{Connecting, Stage};
    let error = Connecting::start(&config("host=/nonexistent user=u")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    // Taken by the queue of a server that never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let text = format!("hostaddr=127.0.0.1 port={port} sslmode=disable user=u");
    let mut connecting = Connecting::start(&config(&text)).unwrap();
    for _ in 0..3 {
        assert!(matches!(connecting.advance().unwrap(), Stage::Waiting(_)));
    }
    let (mut socket, _) = silent.accept().unwrap();
    drop(connecting);
    let mut sent = Vec::new();
    std::io::Read::read_to_end(&mut socket, &mut sent).unwrap();
}
