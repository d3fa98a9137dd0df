//! Passwords, SCRAM, channel binding, and the methods that a caller allows.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use kecoa_proto::message::backend::{Authentication, Message};
use kecoa_proto::{AuthenticationMethod, Handshake, HandshakeError, Progress, Requirement};
use sha2::{Digest, Sha256};

use crate::base64::encode as base64;
use crate::support::{advance, auth, config, ready, sasl, sent, sent_password, waiting, welcome};

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
