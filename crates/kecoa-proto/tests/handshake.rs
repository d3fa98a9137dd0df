//! Opening a connection, against a scripted server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use base64_of::encode as base64;
use bytes::{Bytes, BytesMut};
use hmac::{Hmac, KeyInit, Mac};
use kecoa_proto::message::backend::Authentication;
use kecoa_proto::message::backend::{Message, NegotiateProtocolVersion, ParameterStatus};
use kecoa_proto::message::frontend;
use kecoa_proto::message::startup::{CancelKey, ProtocolVersion, Startup};
use kecoa_proto::{
    AuthenticationMethod, Connection, Handshake, HandshakeError, Limits, Progress, ProtocolError,
    Requirement, ServerError, SqlState, StartupConfig, TransactionStatus, UsageError,
};
use sha2::{Digest, Sha256};

/// Base64, for SCRAM messages that are only half meant.
mod base64_of {
    pub(crate) fn encode(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let word = chunk.iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte))
                << (8 * (3 - chunk.len()));
            for digit in 0..4 {
                if digit <= chunk.len() {
                    text.push(char::from(DIGITS[(word >> (18 - 6 * digit) & 63) as usize]));
                } else {
                    text.push('=');
                }
            }
        }
        text
    }
}

fn config() -> StartupConfig {
    StartupConfig::new("me").parameter("database", "db")
}

fn bytes_of(messages: &[Message]) -> BytesMut {
    let mut out = BytesMut::new();
    for message in messages {
        message.encode(&mut out).unwrap();
    }
    out
}

/// What the client wants to send, taken.
fn sent(handshake: &mut Handshake) -> BytesMut {
    let bytes = BytesMut::from(handshake.poll_transmit().unwrap_or_default());
    handshake.transmitted(bytes.len());
    bytes
}

fn sent_password(handshake: &mut Handshake) -> frontend::Password {
    let bytes = sent(handshake);
    match frontend::Message::decode(bytes[0], Bytes::copy_from_slice(&bytes[5..])).unwrap() {
        frontend::Message::Password(password) => password,
        other => panic!("{other:?}"),
    }
}

fn advance(mut handshake: Handshake, messages: &[Message]) -> Result<Progress, HandshakeError> {
    handshake.read_buffer().extend_from_slice(&bytes_of(messages));
    handshake.advance()
}

#[track_caller]
fn waiting(progress: Result<Progress, HandshakeError>) -> Handshake {
    match progress.unwrap() {
        Progress::NeedInput(handshake) => handshake,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn ready(progress: Result<Progress, HandshakeError>) -> Connection {
    match progress.unwrap() {
        Progress::Ready(connection) => connection,
        other => panic!("{other:?}"),
    }
}

fn auth(authentication: Authentication) -> Message {
    Message::Authentication(authentication)
}

fn parameter(name: &'static str, value: &'static str) -> Message {
    Message::ParameterStatus(ParameterStatus { name: name.into(), value: value.into() })
}

fn welcome() -> Vec<Message> {
    vec![
        auth(Authentication::Ok),
        parameter("server_version", "18.0"),
        parameter("TimeZone", "UTC"),
        parameter("TimeZone", "Asia/Jakarta"),
        Message::BackendKeyData(CancelKey { process_id: 7, secret: Bytes::from_static(b"abcd") }),
        Message::ReadyForQuery(TransactionStatus::Idle),
    ]
}

fn sasl(mechanisms: &[&'static str]) -> Message {
    auth(Authentication::Sasl {
        mechanisms: mechanisms.iter().map(|name| Bytes::from_static(name.as_bytes())).collect(),
    })
}

#[test]
fn trust() {
    let mut handshake = Handshake::new(config()).unwrap();
    assert_eq!(&sent(&mut handshake)[..], b"\0\0\0\x1d\0\x03\0\0user\0me\0database\0db\0\0");
    let connection = ready(advance(handshake, &welcome()));
    assert_eq!(connection.parameter("server_version"), Some("18.0"));
    assert_eq!(connection.parameter("TimeZone"), Some("Asia/Jakarta"));
    assert_eq!(connection.parameters().count(), 2);
    assert_eq!(connection.cancel_key().map(|key| key.process_id), Some(7));
    assert_eq!(connection.transaction_status(), TransactionStatus::Idle);
    assert_eq!(connection.protocol_version(), ProtocolVersion::V3_0);
    assert!(!connection.is_crdb());
}

#[test]
fn cockroachdb_is_known_by_its_parameter() {
    let mut messages = welcome();
    messages.insert(1, parameter("crdb_version", "CockroachDB CCL v26.2.0"));
    let connection = ready(advance(Handshake::new(config()).unwrap(), &messages));
    assert_eq!(connection.crdb_version(), Some("CockroachDB CCL v26.2.0"));
}

#[test]
fn one_byte_at_a_time() {
    let mut handshake = Handshake::new(config()).unwrap();
    let bytes = bytes_of(&welcome());
    for (at, byte) in bytes.iter().enumerate() {
        handshake.read_buffer().extend_from_slice(&[*byte]);
        match handshake.advance().unwrap() {
            Progress::NeedInput(again) => {
                assert!(again.read_hint() > 0);
                handshake = again;
            }
            Progress::Ready(_) => {
                assert_eq!(at + 1, bytes.len());
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("never ready");
}

#[test]
fn what_follows_ready_stays_for_the_connection() {
    let mut messages = welcome();
    messages.push(Message::NoticeResponse(
        ServerError::builder("NOTICE", SqlState::WARNING, "hi").build().unwrap(),
    ));
    let mut connection = ready(advance(Handshake::new(config()).unwrap(), &messages));
    let event = connection.poll_event().unwrap().unwrap();
    assert!(matches!(event, kecoa_proto::Event::Notice(_)));
}

#[test]
fn cleartext() {
    let handshake = Handshake::new(config().password("secret")).unwrap();
    let mut handshake = waiting(advance(handshake, &[auth(Authentication::CleartextPassword)]));
    let bytes = sent(&mut handshake);
    assert!(bytes.ends_with(b"p\0\0\0\x0bsecret\0"));
    ready(advance(handshake, &welcome()));
}

#[test]
fn md5() {
    let mut handshake = Handshake::new(config().password("secret")).unwrap();
    sent(&mut handshake);
    let salt = *b"\x01\x02\x03\x04";
    let mut handshake = waiting(advance(handshake, &[auth(Authentication::Md5Password { salt })]));
    // md5(hex(md5("secret" + "me")) + salt), computed elsewhere.
    let password = sent_password(&mut handshake).as_password().unwrap();
    assert_eq!(password, &b"md58322d584bf59f0253d58346307bb6ba3"[..]);
    ready(advance(handshake, &welcome()));
}

#[test]
fn scram_needs_the_servers_proof() {
    let mut handshake = Handshake::new(config().password("secret")).unwrap();
    sent(&mut handshake);
    let mut handshake =
        waiting(advance(handshake, &[sasl(&["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])]));
    let (mechanism, first) = sent_password(&mut handshake).as_sasl_initial().unwrap();
    assert_eq!(mechanism, &b"SCRAM-SHA-256"[..]);
    let first = first.unwrap();
    let nonce = first.strip_prefix(b"n,,n=,r=").unwrap();
    let challenge = format!(
        "r={}server,s={},i=4096",
        std::str::from_utf8(nonce).unwrap(),
        base64(b"saltsaltsaltsalt")
    );
    let mut handshake =
        waiting(advance(handshake, &[auth(Authentication::SaslContinue(Bytes::from(challenge)))]));
    let answer = sent_password(&mut handshake);
    assert!(answer.body().starts_with(b"c=biws,r="));
    // A server that skips its proof is not believed …
    let proof = format!("v={}", base64(&[0; 32]));
    let error = advance(handshake, &[auth(Authentication::Ok)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected AuthenticationSASLFinal from the server after SASLResponse, \
         found AuthenticationOk"
    );
    // … nor one whose proof is wrong.
    let handshake = after_scram_answer();
    let error =
        advance(handshake, &[auth(Authentication::SaslFinal(Bytes::from(proof)))]).unwrap_err();
    assert!(matches!(error, HandshakeError::Scram { .. }), "{error}");
    let handshake = after_scram_answer();
    let refused = Bytes::from_static(b"e=invalid-proof");
    let error = advance(handshake, &[auth(Authentication::SaslFinal(refused))]).unwrap_err();
    assert!(error.to_string().contains("invalid-proof"), "{error}");
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn scram() {
    let (handshake, nonce) = after_scram_start();
    let challenge = format!("r={nonce}server,s={},i=1", base64(b"salt"));
    let message = auth(Authentication::SaslContinue(Bytes::from(challenge.clone())));
    let mut handshake = waiting(advance(handshake, &[message]));
    let answer = String::from_utf8(sent_password(&mut handshake).body().to_vec()).unwrap();
    let (without_proof, proof) = answer.split_once(",p=").unwrap();
    // RFC 5802, section 3, from the server's side; one iteration.
    let salted = hmac(b"secret", b"salt\0\0\0\x01");
    let conversation = format!("n=,r={nonce},{challenge},{without_proof}");
    let client_key = hmac(&salted, b"Client Key");
    let signature = hmac(&Sha256::digest(&client_key), conversation.as_bytes());
    let expected: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
    assert_eq!(proof, base64(&expected));
    let last =
        format!("v={}", base64(&hmac(&hmac(&salted, b"Server Key"), conversation.as_bytes())));
    let handshake =
        waiting(advance(handshake, &[auth(Authentication::SaslFinal(Bytes::from(last)))]));
    ready(advance(handshake, &welcome()));
}

fn after_scram_answer() -> Handshake {
    let (handshake, nonce) = after_scram_start();
    let challenge = format!("r={nonce}x,s={},i=1", base64(b"salt"));
    waiting(advance(handshake, &[auth(Authentication::SaslContinue(Bytes::from(challenge)))]))
}

fn after_scram_start() -> (Handshake, String) {
    let mut handshake = Handshake::new(config().password("secret")).unwrap();
    sent(&mut handshake);
    let mut handshake = waiting(advance(handshake, &[sasl(&["SCRAM-SHA-256"])]));
    let (_, first) = sent_password(&mut handshake).as_sasl_initial().unwrap();
    let nonce = String::from_utf8(first.unwrap().strip_prefix(b"n,,n=,r=").unwrap().to_vec());
    (handshake, nonce.unwrap())
}

#[test]
fn scram_iterations_are_capped_before_any_is_done() {
    for (count, found) in [("10000001", 10_000_001), ("0", 0), ("99999999999999999999", u64::MAX)] {
        let (handshake, nonce) = after_scram_start();
        let challenge = format!("r={nonce}x,s={},i={count}", base64(b"salt"));
        let challenge = auth(Authentication::SaslContinue(Bytes::from(challenge)));
        match advance(handshake, &[challenge]).unwrap_err() {
            HandshakeError::TooManyIterations { found: f, limit: 100_000 } => assert_eq!(f, found),
            other => panic!("{other}"),
        }
    }
    for challenge in ["", "r=x", "i=", "i=-1", "i=4096", "r=zzz,s=AAAA,i=1", "\u{fffd},i=1"] {
        let (handshake, _) = after_scram_start();
        let challenge = auth(Authentication::SaslContinue(Bytes::from(challenge)));
        assert!(advance(handshake, &[challenge]).is_err());
    }
}

#[test]
fn scram_binds_to_the_certificate_where_both_can() {
    let tls = |mechanisms: &[&'static str]| {
        let mut handshake = Handshake::new(config().password("secret").tls(true)).unwrap();
        sent(&mut handshake);
        handshake.read_buffer().extend_from_slice(b"S");
        let Progress::TlsAccepted(mut handshake) = handshake.advance().unwrap() else {
            panic!("no TLS");
        };
        handshake.set_tls_server_end_point(vec![1, 2, 3]);
        sent(&mut handshake);
        let mut handshake = waiting(advance(handshake, &[sasl(mechanisms)]));
        sent_password(&mut handshake).as_sasl_initial().unwrap()
    };
    let (mechanism, first) = tls(&["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    assert_eq!(mechanism, &b"SCRAM-SHA-256-PLUS"[..]);
    assert!(first.unwrap().starts_with(b"p=tls-server-end-point,,n=,r="));
    // The server says that it cannot: the client tells it that it could have.
    let (mechanism, first) = tls(&["SCRAM-SHA-256"]);
    assert_eq!(mechanism, &b"SCRAM-SHA-256"[..]);
    assert!(first.unwrap().starts_with(b"y,,n=,r="));
}

/// A handshake over TLS that demands channel binding, at its first authentication request.
fn demanding(encrypted: bool, hash: Option<&[u8]>) -> Handshake {
    let config = config().password("secret").encrypted(encrypted).require_channel_binding(true);
    let mut handshake = Handshake::new(config).unwrap();
    if let Some(hash) = hash {
        handshake.set_tls_server_end_point(hash.to_vec());
    }
    // TLS has begun before the first message: it is not asked for.
    assert_eq!(&sent(&mut handshake)[4..8], [0, 3, 0, 0]);
    handshake
}

#[test]
fn a_demanded_binding_is_used_and_verified() {
    let both = ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];
    let mut handshake = waiting(advance(demanding(true, Some(b"hash")), &[sasl(&both)]));
    let (mechanism, first) = sent_password(&mut handshake).as_sasl_initial().unwrap();
    assert_eq!(mechanism, &b"SCRAM-SHA-256-PLUS"[..]);
    let first = String::from_utf8(first.unwrap().to_vec()).unwrap();
    let nonce = first.strip_prefix("p=tls-server-end-point,,n=,r=").unwrap();
    let challenge = format!("r={nonce}server,s={},i=1", base64(b"salt"));
    let message = auth(Authentication::SaslContinue(Bytes::from(challenge.clone())));
    let mut handshake = waiting(advance(handshake, &[message]));
    let answer = String::from_utf8(sent_password(&mut handshake).body().to_vec()).unwrap();
    let (without_proof, _) = answer.split_once(",p=").unwrap();
    // RFC 5802, section 7: the header and the hash, which the proof covers.
    let bound = base64(b"p=tls-server-end-point,,hash");
    assert_eq!(without_proof, format!("c={bound},r={nonce}server"));
    let salted = hmac(b"secret", b"salt\0\0\0\x01");
    let conversation = format!("n=,r={nonce},{challenge},{without_proof}");
    let signature = hmac(&hmac(&salted, b"Server Key"), conversation.as_bytes());
    let last = Bytes::from(format!("v={}", base64(&signature)));
    let handshake = waiting(advance(handshake, &[auth(Authentication::SaslFinal(last))]));
    ready(advance(handshake, &welcome()));
}

#[test]
fn without_the_demanded_binding_nothing_is_sent() {
    let hash = Some(&b"hash"[..]);
    let unsupported =
        "channel binding required but not supported by server's authentication request";
    let not_offered = "channel binding is required, but server did not offer an authentication \
                       method that supports channel binding";
    let salt = [1, 2, 3, 4];
    let plus = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"];
    for (encrypted, hash, request, expected) in [
        (
            true,
            hash,
            Authentication::Ok,
            "channel binding required, but server authenticated client without channel binding",
        ),
        (true, hash, Authentication::CleartextPassword, unsupported),
        (true, hash, Authentication::Md5Password { salt }, unsupported),
        (true, hash, Authentication::Gss, unsupported),
        (true, hash, mechanisms(&["SCRAM-SHA-256"]), not_offered),
        (true, None, mechanisms(&plus), not_offered),
        (false, None, mechanisms(&plus), "channel binding required, but SSL not in use"),
        (false, hash, mechanisms(&plus), "channel binding required, but SSL not in use"),
    ] {
        let error = advance(demanding(encrypted, hash), &[auth(request.clone())]).unwrap_err();
        assert!(matches!(error, HandshakeError::ChannelBinding { .. }), "{error}");
        assert_eq!(error.to_string(), expected, "{request:?}");
    }
    // A server that ends the exchange early has proved nothing.
    let handshake = waiting(advance(demanding(true, hash), &[sasl(&plus)]));
    let error = advance(handshake, &[auth(Authentication::Ok)]).unwrap_err();
    assert!(error.to_string().contains("expected AuthenticationSASLContinue"), "{error}");
}

fn mechanisms(names: &[&'static str]) -> Authentication {
    match sasl(names) {
        Message::Authentication(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_password_says_so() {
    for (request, method) in [
        (auth(Authentication::CleartextPassword), "cleartext"),
        (auth(Authentication::Md5Password { salt: [0; 4] }), "md5"),
        (sasl(&["SCRAM-SHA-256"]), "SCRAM-SHA-256"),
    ] {
        let error = advance(Handshake::new(config()).unwrap(), &[request]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the server asks for a password ({method}), but none was given")
        );
    }
}

#[test]
fn unsupported_methods_are_named() {
    for (request, name) in [
        (auth(Authentication::Gss), "GSSAPI"),
        (auth(Authentication::Sspi), "SSPI"),
        (auth(Authentication::KerberosV5), "Kerberos V5"),
        (auth(Authentication::ScmCredential), "SCM credential"),
        (auth(Authentication::Other { code: 77, data: Bytes::new() }), "unknown (code 77)"),
        (sasl(&["OAUTHBEARER"]), "SASL (OAUTHBEARER)"),
    ] {
        let error = advance(Handshake::new(config()).unwrap(), &[request]).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("the server asks for {name} authentication")), "{text}");
        assert!(text.contains("pg_hba.conf") || text.contains("peer"), "{text}");
    }
}

/// A handshake that allows these methods, at its first authentication request.
fn requiring(methods: &[AuthenticationMethod]) -> Handshake {
    let requirement = Requirement { text: "this".to_owned(), methods: methods.to_vec() };
    let config = config().password("secret").require(requirement);
    let mut handshake = Handshake::new(config).unwrap();
    sent(&mut handshake);
    handshake
}

#[test]
fn only_allowed_methods_get_an_answer() {
    use AuthenticationMethod::{Gss, Md5, None, Password, ScramSha256, Sspi};
    let requests = [
        (None, Authentication::Ok, "server did not complete authentication"),
        (Password, Authentication::CleartextPassword, "server requested a cleartext password"),
        (
            Md5,
            Authentication::Md5Password { salt: [1, 2, 3, 4] },
            "server requested a hashed password",
        ),
        (Gss, Authentication::Gss, "server requested GSSAPI authentication"),
        (Sspi, Authentication::Sspi, "server requested SSPI authentication"),
        (
            ScramSha256,
            Authentication::Sasl { mechanisms: vec![Bytes::from_static(b"SCRAM-SHA-256")] },
            "server requested SASL authentication",
        ),
    ];
    for (method, request, found) in &requests {
        let others: Vec<_> =
            requests.iter().map(|(other, ..)| *other).filter(|other| other != method).collect();
        let error = advance(requiring(&others), &[auth(request.clone())]).unwrap_err();
        let expected = format!("authentication method requirement \"this\" failed: {found}");
        assert_eq!(error.to_string(), expected);
        match advance(requiring(&[*method]), &[auth(request.clone())]) {
            Ok(_) => assert!(!matches!(method, Gss | Sspi)),
            // They are allowed, but not spoken.
            Err(error) => assert!(
                matches!(error, HandshakeError::UnsupportedAuthentication { .. }),
                "{method:?}: {error}"
            ),
        }
    }
}

#[test]
fn an_allowed_method_is_used_to_the_end() {
    let handshake = requiring(&[AuthenticationMethod::Password]);
    let mut handshake = waiting(advance(handshake, &[auth(Authentication::CleartextPassword)]));
    assert_eq!(&sent(&mut handshake)[..], b"p\0\0\0\x0bsecret\0");
    // The AuthenticationOk after a password is not that of a server that asked for nothing.
    ready(advance(handshake, &welcome()));
    // What is not allowed gets nothing at all.
    let handshake = requiring(&[AuthenticationMethod::ScramSha256]);
    assert!(handshake.poll_transmit().is_none());
}

#[test]
fn the_server_may_refuse() {
    let error = ServerError::builder("FATAL", SqlState::INVALID_PASSWORD, "no").build().unwrap();
    let result = advance(Handshake::new(config()).unwrap(), &[Message::ErrorResponse(error)]);
    match result.unwrap_err() {
        HandshakeError::Server(error) => assert_eq!(error.sqlstate(), SqlState::INVALID_PASSWORD),
        other => panic!("{other}"),
    }
}

#[test]
fn notices_come_one_by_one() {
    let notice = ServerError::builder("WARNING", SqlState::WARNING, "hm").build().unwrap();
    let mut messages = welcome();
    messages.insert(1, Message::NoticeResponse(notice));
    match advance(Handshake::new(config()).unwrap(), &messages).unwrap() {
        Progress::Notice(notice, handshake) => {
            assert_eq!(notice.message(), "hm");
            ready(handshake.advance());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn tls_is_asked_for_first() {
    for (reply, accepted) in [(b"S", true), (b"N", false)] {
        let mut handshake = Handshake::new(config().tls(true)).unwrap();
        let mut bytes = sent(&mut handshake);
        assert_eq!(Startup::decode(&mut bytes, &Limits::default()).unwrap(), Some(Startup::Tls));
        assert_eq!(handshake.read_hint(), 1);
        let mut handshake = waiting(handshake.advance());
        assert_eq!(handshake.poll_transmit(), None);
        handshake.read_buffer().extend_from_slice(reply);
        let mut handshake = match handshake.advance().unwrap() {
            Progress::TlsAccepted(handshake) if accepted => handshake,
            Progress::TlsRefused(handshake) if !accepted => handshake,
            other => panic!("{other:?}"),
        };
        let mut bytes = sent(&mut handshake);
        let startup = Startup::decode(&mut bytes, &Limits::default()).unwrap();
        assert!(matches!(startup, Some(Startup::Startup { .. })));
        ready(advance(handshake, &welcome()));
    }
}

#[test]
fn bytes_behind_the_tls_reply_are_refused() {
    for reply in [&b"SE"[..], b"NE"] {
        let mut handshake = Handshake::new(config().tls(true)).unwrap();
        handshake.read_buffer().extend_from_slice(reply);
        let error = handshake.advance().unwrap_err();
        assert!(matches!(
            error,
            HandshakeError::Protocol(ProtocolError::BytesBehindTlsReply { found: 1 })
        ));
    }
}

#[test]
fn an_error_before_tls_is_not_shown() {
    let mut handshake = Handshake::new(config().tls(true)).unwrap();
    handshake.read_buffer().extend_from_slice(b"E\0\0\0\x10SFATAL\0Mevil\0\0");
    assert!(matches!(handshake.advance().unwrap_err(), HandshakeError::TlsErrorReply));
    let mut handshake = Handshake::new(config().tls(true)).unwrap();
    handshake.read_buffer().extend_from_slice(b"H");
    let text = handshake.advance().unwrap_err().to_string();
    assert!(text.contains("is this a PostgreSQL server?"), "{text}");
}

#[test]
fn a_server_of_something_else_is_recognized() {
    let mut handshake = Handshake::new(config()).unwrap();
    handshake.read_buffer().extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n");
    let text = handshake.advance().unwrap_err().to_string();
    assert!(text.contains("is this a PostgreSQL server?"), "{text}");
}

#[test]
fn the_version_is_negotiated_down_only() {
    let offer = |newest| {
        Message::NegotiateProtocolVersion(NegotiateProtocolVersion { newest, unrecognized: vec![] })
    };
    let handshake = || Handshake::new(config().version(ProtocolVersion::V3_2)).unwrap();
    for newest in [0, 0x0003_0000] {
        let mut messages = vec![offer(newest)];
        messages.extend(welcome());
        let connection = ready(advance(handshake(), &messages));
        assert_eq!(connection.protocol_version(), ProtocolVersion::V3_0);
    }
    let connection = ready(advance(handshake(), &welcome()));
    assert_eq!(connection.protocol_version(), ProtocolVersion::V3_2);
    for newest in [0x0003_0003, 0x0002_0000, 9, u32::MAX] {
        let error = advance(handshake(), &[offer(newest)]).unwrap_err();
        assert!(matches!(error, HandshakeError::Version { asked: 2, .. }), "{error}");
    }
    let twice = advance(handshake(), &[offer(0x0003_0000), offer(0x0003_0000)]).unwrap_err();
    assert!(twice.to_string().contains("a second NegotiateProtocolVersion"), "{twice}");
}

#[test]
fn a_server_that_is_too_old_is_refused_before_the_password() {
    let offer = |newest| {
        Message::NegotiateProtocolVersion(NegotiateProtocolVersion { newest, unrecognized: vec![] })
    };
    let config =
        |oldest| config().password("secret").version(ProtocolVersion::V3_2).oldest_version(oldest);
    let handshake = Handshake::new(config(ProtocolVersion::V3_2)).unwrap();
    let asks = auth(Authentication::CleartextPassword);
    let error = advance(handshake, &[offer(0x0003_0000), asks.clone()]).unwrap_err();
    assert_eq!(error.to_string(), "asked for protocol 3.2 at least, the server speaks 3.0 at most");
    let handshake = Handshake::new(config(ProtocolVersion::V3_0)).unwrap();
    let _ = waiting(advance(handshake, &[offer(0x0003_0000), asks.clone()]));
    // A server that has nothing to say about the version speaks the one that was asked for.
    let handshake = Handshake::new(config(ProtocolVersion::V3_2)).unwrap();
    let handshake = waiting(advance(handshake, &[asks]));
    assert_eq!(ready(advance(handshake, &welcome())).protocol_version(), ProtocolVersion::V3_2);
}

#[test]
fn out_of_turn_messages_are_refused() {
    let ok = || auth(Authentication::Ok);
    for messages in [
        vec![Message::ReadyForQuery(TransactionStatus::Idle)],
        vec![parameter("a", "b")],
        vec![auth(Authentication::SaslContinue(Bytes::from_static(b"r=,s=,i=1")))],
        vec![auth(Authentication::SaslFinal(Bytes::new()))],
        vec![ok(), ok()],
        vec![ok(), auth(Authentication::CleartextPassword)],
        vec![auth(Authentication::CleartextPassword), auth(Authentication::CleartextPassword)],
        vec![
            ok(),
            Message::NegotiateProtocolVersion(NegotiateProtocolVersion {
                newest: 0x0003_0000,
                unrecognized: vec![],
            }),
        ],
    ] {
        let handshake = Handshake::new(config().password("x")).unwrap();
        let error = advance(handshake, &messages).unwrap_err();
        assert!(
            matches!(error, HandshakeError::Protocol(ProtocolError::Unexpected { .. })),
            "{messages:?}: {error}"
        );
    }
}

#[test]
fn caps_hold_before_the_client_is_in() {
    let mut handshake = Handshake::new(config()).unwrap();
    handshake.read_buffer().extend_from_slice(b"R\x7f\xff\xff\xff");
    let error = handshake.advance().unwrap_err();
    assert!(matches!(error, HandshakeError::Protocol(ProtocolError::TooLong { .. })), "{error}");
    let mut limits = Limits::default();
    limits.parameters = 1;
    let handshake = Handshake::new(config().limits(limits)).unwrap();
    let error = advance(handshake, &welcome()).unwrap_err();
    assert!(error.to_string().contains("at most 1 different parameters"), "{error}");
}

#[test]
fn what_cannot_be_sent_shows_at_once() {
    for config in [
        StartupConfig::new("a\0b"),
        StartupConfig::new("a").password("a\0b"),
        StartupConfig::new("a").parameter("x", "\0"),
        StartupConfig::new("a").parameter("", "x").tls(true),
    ] {
        assert!(matches!(Handshake::new(config), Err(UsageError::Nul { .. })));
    }
}

#[test]
fn the_password_does_not_show() {
    let config = config().password("verysecret");
    let text = format!("{config:?}");
    assert!(!text.contains("verysecret") && !text.contains("118, 101"), "{text}");
    let text = format!("{:?}", Handshake::new(config).unwrap());
    assert!(!text.contains("verysecret") && !text.contains("118, 101"), "{text}");
}
