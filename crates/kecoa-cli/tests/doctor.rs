//! `kecoa doctor` where something is wrong. What works is tested from Python, beside real servers.

// Helpers of tests count as tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kecoa_pgmock::{Script, Server};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const SECRET: &str = "s3cr3t-m4rk3r";

/// Exit status and standard output; nothing comes elsewhere, and never the secret.
fn doctor(url: &str, arguments: &[&str]) -> (i32, String) {
    doctor_in(tempfile::tempdir().unwrap().path(), url, arguments)
}

fn doctor_in(home: &Path, url: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kecoa"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    command.arg("doctor").args(arguments).stdin(Stdio::null());
    command.env("HOME", home).env("KECOA_HOME", home).current_dir(home);
    match url {
        "" => command.env_remove("DATABASE_URL"),
        url => command.env("DATABASE_URL", url),
    };
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "", "{text}");
    assert!(!text.contains(SECRET), "{text}");
    (output.status.code().unwrap(), text)
}

/// The report of one that fails, in which all these pieces are found.
#[track_caller]
fn fails(url: &str, pieces: &[&str]) -> String {
    let (status, text) = doctor(url, &["-v"]);
    assert_eq!(status, 1, "{text}");
    for piece in pieces {
        assert!(text.contains(piece), "expected {piece:?}, found {text}");
    }
    assert!(text.ends_with("It does not work: see the step at the top.\n"), "{text}");
    text
}

fn url(port: u16, options: &str) -> String {
    format!("postgresql://u:{SECRET}@127.0.0.1:{port}/d?{options}")
}

fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn a_url_that_cannot_be_read() {
    let text = fails(
        &format!("postgresql://u:{SECRET}/x@h/d"),
        &[
            "failed       configuration",
            "write it as postgresql://user:password@host:port/database",
        ],
    );
    let others = "not reached: name, connection, TLS, login, server, clock, latency, isolation, settings, retry, \
                  retry policy\n";
    assert!(text.contains(others), "{text}");
    fails(&format!("host=h passwordd={SECRET}"), &["invalid connection option \"passwordd\""]);
    fails(&format!("postgresql://u:{SECRET}@h/d?sslmod=x"), &["did you mean \"sslmode\"?"]);
    fails(&format!("host=h password=a {SECRET}"), &["failed       configuration"]);
    fails(&format!("postgresql://u:{SECRET}%@h/d"), &["failed       configuration"]);
    fails(&url(5432, "sslmode=sometimes"), &["failed       configuration", "sslmode"]);
}

#[test]
fn options_are_shown_with_where_they_came_from() {
    let address = format!("cockroachdb+kecoa://u:{SECRET}@127.0.0.1:{}/d", closed_port());
    let text = fails(
        &address,
        &[
            "cockroachdb+kecoa:// is SQLAlchemy's form of postgresql://",
            "user=u (DATABASE_URL)",
            "password=xxx (DATABASE_URL)",
            "dbname=d (DATABASE_URL)",
        ],
    );
    assert!(!text.contains("connect_timeout"), "{text}");
}

#[test]
fn a_closed_port_and_an_unknown_host() {
    let port = closed_port();
    fails(
        &url(port, ""),
        &[
            "ok           name",
            "failed       connection",
            &format!("127.0.0.1:{port}: Connection refused"),
            "-> nobody listens there: check the port",
            "not reached: TLS, ",
        ],
    );
    fails(
        "postgresql://no-such-host.invalid/d",
        &[
            "failed       name",
            "no-such-host.invalid: ",
            "-> check the spelling of the host",
            "not reached: connection, ",
        ],
    );
}

#[test]
fn what_is_wrong_comes_first_and_the_rest_is_short() {
    let port = closed_port();
    let (status, text) = doctor(&url(port, ""), &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((status, lines.len()), (1, 6), "{text}");
    assert_eq!(lines[0], "failed   connection");
    assert_eq!(lines[1], format!("         127.0.0.1:{port}: Connection refused"));
    assert!(lines[2].starts_with("         -> nobody listens there"), "{text}");
    assert_eq!(lines[3], format!("ok       database    u@127.0.0.1:{port}/d (DATABASE_URL)"));
    assert!(lines[4].starts_with("not reached: TLS, login, "), "{text}");
    assert_eq!(lines[5], "It does not work: see the step at the top.");
    let (_, coloured) = doctor(&url(port, ""), &["--color", "always"]);
    assert!(coloured.starts_with("\x1b[1m\x1b[31mfailed"), "{coloured:?}");
}

#[test]
fn the_place_of_a_local_endpoint_that_is_stopped() {
    let home = tempfile::tempdir().unwrap();
    let port = closed_port();
    for (name, start) in
        [("default", "kecoa local start`"), ("shop", "kecoa local start --name shop`")]
    {
        let instances = home.path().join("instances");
        let _ = std::fs::remove_dir_all(&instances);
        std::fs::create_dir_all(instances.join(name)).unwrap();
        let record = format!("{{\"port\": {port}, \"folder\": null}}");
        std::fs::write(instances.join(name).join("instance.json"), record).unwrap();
        let (status, text) = doctor_in(home.path(), &url(port, ""), &[]);
        assert_eq!(status, 1, "{text}");
        let said = format!("-> that is where the local endpoint `{name}` was, and it is stopped");
        assert!(text.contains(&said) && text.contains(start), "{text}");
        // Another port is somebody else's.
        let (_, text) = doctor_in(home.path(), &url(closed_port(), ""), &[]);
        assert!(text.contains("-> nobody listens there: check the port"), "{text}");
    }
}

#[test]
fn where_nobody_names_a_database_the_way_to_one_is_said() {
    let (status, text) = doctor("", &[]);
    if status == 0 {
        eprintln!("skipped: a server listens where the defaults lead");
        return;
    }
    assert!(text.contains("start the local endpoint with `kecoa local start`"), "{text}");
    assert!(text.contains(" (default)\n"), "{text}");
}

/// Serves each connection by the same function, on a thread; until the test's process ends.
fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            answer(stream);
        }
    });
    port
}

#[test]
fn a_web_server() {
    let port = serve(|mut stream| {
        let mut request = [0; 64];
        if stream.read(&mut request).unwrap_or(0) > 0 {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    fails(
        &url(port, ""),
        &[
            "ok           connection",
            "failed       TLS",
            "found one that sent \"HTTP/1.1 400 Bad Request\"",
            "check host and port",
            "not reached: login, ",
        ],
    );
}

#[test]
fn a_server_that_hangs_up() {
    let port = serve(drop);
    let pieces = ["failed       TLS", "asked for TLS: the server hung up", "not reached: login, "];
    fails(&url(port, ""), &pieces);
}

#[test]
fn a_server_of_another_protocol_whose_first_byte_is_a_yes() {
    let port = serve(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    fails(
        &url(port, "connect_timeout=2"),
        &[
            "the TLS handshake failed: expected TLS from the server, found something else",
            "-> what answers there speaks no TLS",
            "-> this is no PostgreSQL or CockroachDB server: check host and port",
        ],
    );
}

#[test]
fn direct_tls_with_a_server_that_has_none() {
    let port = serve(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
    });
    fails(
        &url(port, "sslmode=require&sslnegotiation=direct"),
        &["failed       TLS", "-> sslnegotiation=direct takes PostgreSQL 17 or newer"],
    );
}

#[test]
fn a_socket_that_is_not_there() {
    fails(
        "host=/nonexistent user=u",
        &["/nonexistent/.s.PGSQL.5432: No such file", "-> there is no such socket"],
    );
}

#[test]
fn an_address_with_colons_stands_in_brackets() {
    let (_, text) = doctor(&format!("postgresql://u@[::1]:{}/d", closed_port()), &[]);
    assert!(text.contains("u@[::1]:"), "{text}");
}

#[test]
fn a_user_who_may_not_connect() {
    let refused = Script::new()
        .expect_startup()
        .fatal("42501", "permission denied for database \"d\"")
        .close();
    let server = Server::start(vec![Script::new().close(), refused]);
    fails(
        &url(server.port(), "sslmode=disable"),
        &["failed       login", "permission denied for database", "-> the user may not do this"],
    );
    server.finish();
}

#[test]
fn a_server_that_never_answers() {
    // Open until the client has gone.
    let port = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let pieces =
        ["failed       TLS", "asked for TLS: no answer within 2s", "look at the server's load"];
    fails(&url(port, "connect_timeout=1"), &pieces);
}

#[test]
fn a_wrong_password() {
    let refused = || {
        Script::new()
            .expect_startup()
            .fatal("28P01", "password authentication failed for user \"u\"")
            .close()
    };
    let server = Server::start(vec![Script::new().close(), refused()]);
    let text = fails(
        &url(server.port(), "sslmode=disable"),
        &[
            "sslmode=disable: nothing is encrypted",
            "failed       login",
            "password authentication failed for user \"u\"",
            "-> the password is wrong, or the user has none",
            "not reached: server, ",
        ],
    );
    assert!(!text.contains("Everything works"));
    server.finish();
}

#[test]
fn tls_that_is_refused() {
    let port = serve(|mut stream| {
        let mut request = [0; 8];
        if stream.read_exact(&mut request).is_ok() {
            let _ = stream.write_all(b"N");
        }
    });
    fails(
        &url(port, "sslmode=require"),
        &[
            "sslmode=require: nobody can listen in passively",
            "failed       TLS",
            "the server has no TLS",
            "-> switch TLS on in the server",
        ],
    );
}

/// A server that takes TLS with this certificate, and whose users have other passwords.
fn tls_server(params: &rcgen::CertificateParams) -> (u16, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let config = Arc::new(config);
    let port = serve(move |mut stream| {
        let mut request = [0; 8];
        if stream.read_exact(&mut request).is_err() || stream.write_all(b"S").is_err() {
            return;
        }
        let connection = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut tls = rustls::StreamOwned::new(connection, stream);
        let mut startup = [0; 512];
        if tls.read(&mut startup).unwrap_or(0) > 0 {
            let refusal = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0";
            let length = u32::try_from(refusal.len() + 4).unwrap().to_be_bytes();
            let _ = tls.write_all(&[b"E", &length[..], refusal].concat());
        }
    });
    (port, certificate.pem())
}

fn certificate(name: &str, until: i32) -> rcgen::CertificateParams {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params
}

#[test]
fn certificates() {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("root.crt");
    let roots_option = |mode: &str| format!("sslmode={mode}&sslrootcert={}", roots.display());

    let (port, pem) = tls_server(&certificate("db.example", 2021));
    std::fs::write(&roots, pem).unwrap();
    let seen = ["certificate of CN=db.example, for db.example", "signed by itself", "expired "];
    let text = fails(&url(port, "sslmode=require"), &seen);
    assert!(text.contains("warning      TLS"), "{text}");
    assert!(text.contains("-> renew the server's certificate: it has expired"), "{text}");
    assert!(text.contains("TLSv1.3, TLS_AES_"), "{text}");
    assert!(text.contains("failed       login"), "{text}");
    // The verdict is that of a connection with the same options, and ends there.
    fails(
        &url(port, &roots_option("verify-ca")),
        &[
            "certificate of CN=db.example",
            "certificate verify failed: the server's certificate has expired (2021-01-01",
            "-> renew it on the server",
            "not reached: login, ",
        ],
    );

    let (port, pem) = tls_server(&certificate("db.example", 2999));
    let unknown =
        ["failed       TLS", "none of the authorities in sslrootcert", "not reached: login, "];
    fails(&url(port, &roots_option("verify-ca")), &unknown);
    std::fs::write(&roots, pem).unwrap();
    fails(
        &url(port, &roots_option("verify-full")),
        &[
            "failed       TLS",
            "server certificate for \"db.example\" does not match host name \"127.0.0.1\"",
            "-> connect by a name that the certificate is for",
        ],
    );
    let text = fails(&url(port, &roots_option("verify-ca")), &["failed       login"]);
    assert!(text.contains("ok           TLS"), "what the server showed is sound: {text}");
    let (_, json) = doctor(&url(port, "sslmode=require"), &["--json"]);
    for piece in [r#""state": "failed""#, r#""sqlstate": "28P01""#, r#""subject": "CN=db.example""#]
    {
        assert!(json.contains(piece), "{json}");
    }
}
