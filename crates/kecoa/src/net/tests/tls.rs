//! TLS by sslmode, against certificates made here.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use kecoa_proto::CancelKey;

use super::authority::{Authority, Leaf};
use super::server::{Script, Server};
use super::{config, connect, connect_within, failure, there_and_back};
use crate::ErrorKind;
use crate::config::Config;
use crate::interrupt::Never;
use crate::net::address::{Address, Peer};
use crate::net::cancel::cancel;

fn serve(tls: std::sync::Arc<rustls::ServerConfig>) -> Server {
    Server::start(Script { tls: Some(tls), ..Script::default() })
}

/// A connection string for the server under the name `localhost`, whatever that resolves to here.
fn at(server: &Server, more: &str) -> String {
    format!("host=localhost hostaddr=127.0.0.1 port={} {more}", server.port)
}

#[test]
fn prefer_takes_what_there_is() {
    let authority = Authority::new("one");
    let server = serve(authority.server("other.example"));
    let (stream, _) = connect(&at(&server, "sslmode=prefer")).unwrap();
    assert!(stream.peer().tls);
    let (version, cipher) = stream.tls_info().unwrap();
    assert_eq!(version, "TLSv1.3");
    assert!(cipher.starts_with("TLS_"), "{cipher}");

    let plain = Server::start(Script::default());
    let (stream, _) = connect(&at(&plain, "")).unwrap();
    assert!(!stream.peer().tls);
    drop(stream);
    assert!(plain.only().tls_asked);
}

#[test]
fn prefer_goes_on_without_a_broken_tls_but_not_with_a_wrong_password() {
    let server = Server::start(Script { break_tls: true, ..Script::default() });
    let error = failure(&at(&server, "sslmode=require")).to_string();
    assert!(error.contains("server closed the connection unexpectedly"), "{error}");
    assert!(!connect(&at(&server, "")).unwrap().0.peer().tls);
    let refuse_plain = Some("28P01");
    let server = Server::start(Script { break_tls: true, refuse_plain, ..Script::default() });
    assert_eq!(failure(&at(&server, "")).sqlstate(), Some("28P01"));

    let tls = Authority::new("one").server("localhost");
    let script = |refuse_tls| Script { tls: Some(tls.clone()), refuse_tls, ..Script::default() };
    // 28000: no entry in pg_hba.conf for TLS.
    let server = Server::start(script(Some("28000")));
    assert!(!connect(&at(&server, "")).unwrap().0.peer().tls);
    assert_eq!(failure(&at(&server, "sslmode=require")).sqlstate(), Some("28000"));
    let server = Server::start(script(Some("28P01")));
    assert_eq!(failure(&at(&server, "")).sqlstate(), Some("28P01"));
    assert_eq!(server.seen(1).len(), 1);
}

#[test]
fn allow_takes_tls_when_it_must() {
    let tls = Some(Authority::new("one").server("localhost"));
    let script = Script { tls, refuse_plain: Some("28000"), ..Script::default() };
    let server = Server::start(script);
    let (stream, _) = connect(&at(&server, "sslmode=allow")).unwrap();
    assert!(stream.peer().tls);
    drop(stream);
    let seen = server.seen(2);
    assert!(!seen[0].tls_asked && seen[1].tls);
    let plain = Server::start(Script::default());
    drop(connect(&at(&plain, "sslmode=allow")).unwrap());
    assert!(!plain.only().tls_asked);
}

#[test]
fn a_look_never_waits_whatever_tls_has_to_say() {
    let tls = Some(Authority::new("one").server("localhost"));
    for (tls, mode) in [(tls, "require"), (None, "disable")] {
        let server = Server::start(Script { tls, echo: 5, ..Script::default() });
        let (mut stream, _) = connect(&at(&server, &format!("sslmode={mode}"))).unwrap();
        // Session tickets may lie in the socket: it is readable, and there is nothing to read.
        let started = Instant::now();
        let mut received = bytes::BytesMut::new();
        let nothing = stream.try_read_into(&mut received).unwrap_err();
        assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock, "{mode}");
        assert!(started.elapsed() < Duration::from_millis(200), "{mode}");
        assert_eq!(stream.write(b"hello").unwrap(), 5);
        loop {
            match stream.try_read_into(&mut received) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{mode}"),
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{mode}: no end");
        }
        assert_eq!(&received[..], b"hello", "{mode}");
    }
}

#[test]
fn require_wants_tls() {
    let plain = Server::start(Script::default());
    for mode in ["require", "verify-full"] {
        let error = failure(&at(&plain, &format!("sslmode={mode}")));
        assert_eq!(error.kind(), ErrorKind::Tls);
        let text = error.to_string();
        assert!(text.contains("server does not support SSL, but SSL was required"), "{text}");
    }
    // Encryption only: neither authority, name nor date matter.
    let server = serve(Authority::new("one").sign("other.example", 2020, 2021).server(None));
    assert!(connect(&at(&server, "sslmode=require")).unwrap().0.peer().tls);
}

#[test]
fn the_chain_is_checked_from_require_with_roots_on() {
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let server = serve(one.server("other.example"));
    for mode in ["require", "verify-ca"] {
        let text = at(&server, &format!("sslmode={mode} sslrootcert={}", one.file()));
        assert!(connect(&text).unwrap().0.peer().tls);
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = failure(&at(&server, &format!("sslmode={mode} sslrootcert={}", two.file())));
        assert_eq!(error.kind(), ErrorKind::Tls);
        let text = error.to_string();
        assert!(
            text.contains("certificate verify failed: none of the authorities in sslrootcert"),
            "{text}"
        );
        assert!(text.contains("HINT: set sslrootcert"), "{text}");
    }
    let error = failure(&at(&server, "sslrootcert=system"));
    assert!(error.to_string().contains("none of the system's authorities"), "{error}");
    let error = failure(&at(&server, "sslmode=verify-ca"));
    assert!(error.to_string().contains("sslmode=verify-ca needs the authorities"), "{error}");
}

#[test]
fn the_name_is_checked_by_verify_full() {
    let one = Authority::new("one");
    let roots = format!("sslmode=verify-full sslrootcert={}", one.file());
    let server = serve(one.server("localhost"));
    assert!(connect(&at(&server, &roots)).unwrap().0.peer().tls);
    let error = failure(&format!("host=127.0.0.1 port={} {roots}", server.port)).to_string();
    assert!(
        error.contains(
            "server certificate for \"localhost\" (and 1 other name) does not match host name"
        ),
        "{error}"
    );
    let server = serve(one.server("127.0.0.1"));
    assert!(connect(&format!("host=127.0.0.1 port={} {roots}", server.port)).is_ok());
    assert!(connect(&format!("hostaddr=127.0.0.1 port={} {roots}", server.port)).is_ok());
    let error = failure(&at(&server, &roots));
    assert!(error.to_string().contains("does not match host name \"localhost\""), "{error}");
}

#[test]
fn the_date_is_checked() {
    let one = Authority::new("one");
    for (from, until, wanted) in [(2020, 2021, "has expired"), (2080, 2090, "is not valid yet")] {
        let server = serve(one.sign("localhost", from, until).server(None));
        for mode in ["verify-ca", "verify-full"] {
            let text = at(&server, &format!("sslmode={mode} sslrootcert={}", one.file()));
            let error = failure(&text).to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}

#[test]
fn a_certificate_that_is_its_own_root_is_trusted() {
    let one = Authority::new("one");
    let file = one.path("server.crt");
    let roots = format!("sslmode=verify-full sslrootcert={}", file.display());
    for (name, until, wanted) in [
        ("localhost", 2090, ""),
        ("localhost", 2021, "has expired"),
        ("other.example", 2090, "does not match host name"),
    ] {
        let leaf = Leaf::self_signed(name, until);
        std::fs::write(&file, &leaf.pem).unwrap();
        let server = serve(leaf.server(None));
        match connect(&at(&server, &roots)) {
            Ok(_) => assert_eq!(wanted, ""),
            Err(error) => {
                assert!(!wanted.is_empty() && error.to_string().contains(wanted), "{error}");
            }
        }
    }
    // Another one of the same name is not the one in the file.
    let server = serve(Leaf::self_signed("localhost", 2090).server(None));
    assert!(failure(&at(&server, &roots)).to_string().contains("certificate verify failed"));
}

/// What the recipe in PostgreSQL's documentation makes, as far as the leaf goes.
#[test]
fn old_certificates_are_checked_by_the_authority_that_signed_them() {
    let (one, two) = (Authority::new("one"), Authority::new("one"));
    let leaf = one.sign("localhost", 2020, 2090).version_1(&one);
    let server = serve(leaf.server(None));
    for mode in ["prefer", "require"] {
        let (stream, _) = connect(&at(&server, &format!("sslmode={mode}"))).unwrap();
        assert!(stream.peer().tls);
    }
    let text = |mode: &str, authority: &Authority| {
        at(&server, &format!("sslmode={mode} sslrootcert={}", authority.file()))
    };
    for version in ["ssl_max_protocol_version=TLSv1.2", "ssl_min_protocol_version=TLSv1.3"] {
        connect(&format!("{} {version}", text("verify-ca", &one))).unwrap();
        // Its common name counts: rcgen's default.
        let error = failure(&format!("{} {version}", text("verify-full", &one))).to_string();
        assert!(error.contains("server certificate for \"rcgen self signed cert\""), "{error}");
    }
    // Another authority of the same name has not signed it.
    let error = failure(&text("verify-ca", &two)).to_string();
    assert!(error.contains("there is another authority of the same name"), "{error}");
    for (from, until, wanted) in [(2020, 2021, "has expired"), (2080, 2090, "not valid yet")] {
        let server = serve(one.sign("localhost", from, until).version_1(&one).server(None));
        let text = at(&server, &format!("sslmode=verify-ca sslrootcert={}", one.file()));
        assert!(failure(&text).to_string().contains(wanted));
    }
    // Whose key it is does not matter, that the server has it does.
    for version in ["ssl_max_protocol_version=TLSv1.2", "ssl_min_protocol_version=TLSv1.3"] {
        let mut thief = one.sign("localhost", 2020, 2090);
        thief.key = rcgen::KeyPair::generate().unwrap();
        let text = format!("sslmode=require {version}");
        let error = failure(&at(&serve(thief.version_1(&one).server(None)), &text));
        assert!(error.to_string().contains("signature"), "{error}");
        let mut thief = one.sign("localhost", 2020, 2090);
        thief.key = rcgen::KeyPair::generate().unwrap();
        let error = failure(&at(&serve(thief.server(None)), &text));
        assert!(error.to_string().contains("signature"), "{error}");
    }
}

#[test]
fn the_name_travels_in_every_mode() {
    let one = Authority::new("one");
    let sni = |text: &str, name: &str| {
        let server = serve(one.server(name));
        drop(connect(&format!("{text} port={}", server.port)).unwrap());
        server.only().sni
    };
    let name = "host=localhost hostaddr=127.0.0.1";
    let file = one.file();
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        let roots =
            if mode.starts_with('v') { format!("sslrootcert={file}") } else { String::new() };
        let found = sni(&format!("{name} sslmode={mode} {roots}"), "localhost");
        assert_eq!(found.as_deref(), Some("localhost"), "{mode}");
    }
    assert_eq!(sni(&format!("{name} sslmode=require sslsni=0"), "localhost"), None);
    assert_eq!(sni("host=127.0.0.1 sslmode=require", "localhost"), None);
}

#[test]
fn bytes_behind_the_reply_are_refused() {
    let tls = Some(Authority::new("one").server("localhost"));
    let script = Script { tls, behind_reply: b"R\0\0\0\x08\0\0\0\0", ..Script::default() };
    let server = Server::start(script);
    for mode in ["prefer", "require"] {
        let error = failure(&at(&server, &format!("sslmode={mode}"))).to_string();
        assert!(error.contains("expected nothing behind the reply to the TLS request"), "{error}");
    }
    assert!(server.seen(2).iter().all(|seen| seen.parameters.is_empty()));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let one = Authority::new("one");
    let server = serve(one.server("localhost"));
    let path = one.path("x.pem");
    let text = at(&server, &format!("sslmode=verify-full sslrootcert={}", path.display()));
    assert!(failure(&text).to_string().contains("x.pem\" does not exist"));
    for (content, wanted) in [
        ("", "expected certificates in PEM form in root certificate file"),
        ("hello", "expected certificates in PEM form in root certificate file"),
        ("-----BEGIN CERTIFICATE-----\n!!!\n", "is not valid PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = failure(&text);
        assert_eq!(error.kind(), ErrorKind::Tls);
        assert!(error.to_string().contains(wanted), "{content:?}: {error}");
    }
}

#[test]
fn clients_show_their_certificate() {
    let one = Authority::new("one");
    let server = serve(one.sign("localhost", 2020, 2090).server(Some(&one)));
    let client = one.sign("maya", 2020, 2090);
    let (certificate, key) = (one.path("client.crt"), one.path("client.key"));
    std::fs::write(&certificate, &client.pem).unwrap();
    std::fs::write(&key, client.key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let pair = format!("sslcert={} sslkey={}", certificate.display(), key.display());
    let text = at(&server, &format!("sslmode=require {pair}"));
    drop(connect(&text).unwrap());
    assert!(server.only().client_certificate);

    let error = failure(&at(&server, "sslmode=require"));
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(error.to_string().contains("asks for a client certificate"), "{error}");

    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(failure(&text).to_string().contains("has group or world access"));
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n").unwrap();
    assert!(failure(&text).to_string().contains("is encrypted"));
    std::fs::write(&key, one.sign("maya", 2020, 2090).key.serialize_pem()).unwrap();
    assert!(failure(&text).to_string().contains("does not match private key file"));
    std::fs::remove_file(&key).unwrap();
    assert!(failure(&text).to_string().contains("certificate present, but not private key file"));
    std::fs::create_dir(&key).unwrap();
    assert!(failure(&text).to_string().contains("is not a regular file"));
    std::fs::remove_dir(&key).unwrap();
    std::fs::write(&key, "").unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&key, &client.pem).unwrap();
    assert!(failure(&text).to_string().contains("expected a private key in PEM form"));
    let text = at(&server, &format!("sslmode=require sslcert={}", certificate.display()));
    assert!(failure(&text).to_string().contains("without sslkey"));
}

#[test]
fn prefer_goes_on_without_files_that_cannot_be_used() {
    let one = Authority::new("one");
    let tls = Some(one.server("localhost"));
    let script = |refuse_plain| Script { tls: tls.clone(), refuse_plain, ..Script::default() };
    let certificate = one.path("client.crt");
    std::fs::write(&certificate, one.sign("maya", 2020, 2090).pem).unwrap();
    let pair = format!("sslcert={} sslkey=/nonexistent", certificate.display());
    let server = Server::start(script(None));
    assert!(!connect(&at(&server, &pair)).unwrap().0.peer().tls);
    let error = failure(&at(&server, &format!("sslmode=require {pair}")));
    assert!(error.to_string().contains("certificate present, but not private key file"), "{error}");
    // Where that does not help, what is wrong with the files is what to change.
    let server = Server::start(script(Some("28000")));
    let error = failure(&at(&server, &pair)).to_string();
    assert!(error.contains("certificate present, but not private key file"), "{error}");
}

#[test]
fn versions_can_be_narrowed() {
    let server = serve(Authority::new("one").server("localhost"));
    let version = |more: &str| {
        let (stream, _) = connect(&at(&server, &format!("sslmode=require {more}"))).unwrap();
        stream.tls_info().map(|(version, _)| version)
    };
    assert_eq!(version("ssl_max_protocol_version=TLSv1.2"), Some("TLSv1.2"));
    assert_eq!(version("ssl_min_protocol_version=TLSv1.3"), Some("TLSv1.3"));
    assert_eq!(version("ssl_min_protocol_version=TLSv1"), Some("TLSv1.3"));
}

#[test]
fn carries_what_is_large() {
    let data: Vec<u8> = (0..3 << 20).map(|i: u32| u8::try_from(i % 251).unwrap()).collect();
    let tls = Some(Authority::new("one").server("localhost"));
    let server = Server::start(Script { tls, echo: data.len(), ..Script::default() });
    for more in ["ssl_max_protocol_version=TLSv1.2", "ssl_min_protocol_version=TLSv1.3"] {
        let (mut stream, _) = connect(&at(&server, &format!("sslmode=require {more}"))).unwrap();
        there_and_back(&mut stream, &data);
        let mut buf = bytes::BytesMut::new();
        assert_eq!(stream.read_into(&mut buf, 0).unwrap(), 0);
        stream.shutdown();
    }
}

/// Connects with TLS, and cancels what the session, which is closed by then, did.
fn cancelled(config: &Config) -> (Peer, CancelKey) {
    let (stream, connection) = connect_within(config, None, &mut Never).unwrap();
    let (peer, key) = (stream.peer().clone(), connection.cancel_key().unwrap().clone());
    assert!(peer.tls);
    drop(stream);
    cancel(config, &peer, &key, &mut Never).unwrap();
    (peer, key)
}

#[test]
fn a_cancel_goes_the_way_of_its_session() {
    let one = Authority::new("one");
    let server = serve(one.server("localhost"));
    let roots = format!("sslmode=verify-full sslrootcert={}", one.file());
    let config = config(&at(&server, &roots));
    let (mut peer, key) = cancelled(&config);
    let seen = server.seen(2).remove(1);
    assert!(seen.tls && seen.cancelled == Some([0, 0, 0, 7, 1, 2, 3, 4]));
    assert_eq!(seen.sni.as_deref(), Some("localhost"));

    let plain = Server::start(Script::default());
    peer.target.port = plain.port;
    peer.address = Address::Tcp(([127, 0, 0, 1], plain.port).into());
    let error = cancel(&config, &peer, &key, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_eq!(plain.only().cancelled, None);
}

#[test]
fn direct_negotiation_asks_nothing_in_clear() {
    let one = Authority::new("one");
    let with_protocols = |protocols: &[&[u8]]| {
        let mut tls = (*one.server("localhost")).clone();
        tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let tls = Some(std::sync::Arc::new(tls));
        Server::start(Script { tls, direct: true, ..Script::default() })
    };
    let roots = format!("sslmode=verify-full sslrootcert={} sslnegotiation=direct", one.file());
    let server = with_protocols(&[b"postgresql"]);
    let config = config(&at(&server, &roots));
    cancelled(&config);
    let seen = server.seen(2);
    assert!(seen.iter().all(|seen| seen.tls && !seen.tls_asked));
    assert!(seen[1].cancelled.is_some());

    // Something else that speaks TLS, and may have a certificate for the host.
    let silent = failure(&at(&with_protocols(&[]), &roots)).to_string();
    assert!(silent.contains("without ALPN protocol negotiation extension\nHINT: "), "{silent}");
    let other = failure(&at(&with_protocols(&[b"http/1.1"]), &roots)).to_string();
    assert!(other.contains("without ALPN protocol negotiation extension\nHINT: "), "{other}");
    // A server that waits for the question hangs up on what it takes for a message.
    let asked = Server::start(Script::default());
    let error = failure(&at(&asked, "sslmode=require sslnegotiation=direct"));
    assert!(error.to_string().contains("HINT: sslnegotiation=direct takes"), "{error}");
}

#[test]
fn nothing_secret_is_in_a_setup() {
    let one = Authority::new("one");
    let client = one.sign("maya", 2020, 2090);
    let (certificate, key) = (one.path("client.crt"), one.path("client.key"));
    std::fs::write(&certificate, &client.pem).unwrap();
    std::fs::write(&key, client.key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let config = config(&format!(
        "host=localhost sslmode=require sslcert={} sslkey={} sslpassword=hunter2",
        certificate.display(),
        key.display()
    ));
    let setup = crate::net::certificates::setup(&config, "localhost").unwrap();
    let shown = format!("{setup:?} {config:?}");
    assert!(shown.contains("Identity"), "{shown}");
    assert!(!shown.contains("hunter2"));
    // Bytes of the key, as Debug would show them.
    let bytes = client.key.serialize_der();
    let middle = format!("{:?}", &bytes[40..48]);
    assert!(!shown.contains(middle.trim_matches(['[', ']'])));
}
