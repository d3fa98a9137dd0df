//! Logins by SCRAM.

use base64ct::{Base64, Encoding as _};
use kecoa_mongo::auth::{
    Conversation, Credentials, Decoy, ExchangeError, Mechanism, PasswordError, Start, UserName,
};

use crate::client::Client;

const DECOY: [u8; 32] = [7; 32];

fn start(mechanism: Mechanism, payload: &str) -> Result<Start, ExchangeError> {
    Start::parse(mechanism, "admin", payload.as_bytes(), true)
}

fn decoy() -> Decoy {
    Decoy::new(DECOY)
}

/// Credentials made quickly.
fn quick(mechanism: Mechanism, user: &str, password: &str) -> Credentials {
    let prepared = match mechanism {
        Mechanism::ScramSha1 => {
            use md5::Digest as _;
            let digest = md5::Md5::digest(format!("{user}:mongo:{password}"));
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        Mechanism::ScramSha256 => stringprep::saslprep(password).unwrap().into_owned(),
    };
    Credentials::derive(mechanism, prepared.as_bytes(), b"some salt", 3)
}

#[test]
fn the_standards_own_examples_hold() {
    for (mechanism, nonce, theirs, salt, proof, signature) in [
        (
            Mechanism::ScramSha1,
            "fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            Mechanism::ScramSha256,
            "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ] {
        let salt_bytes = Base64::decode_vec(salt).unwrap();
        let credentials = Credentials::derive(mechanism, b"pencil", &salt_bytes, 4096);
        let mut client = Client::with_plain(mechanism, "user", "pencil", nonce);
        assert_eq!(client.first(), format!("n,,n=user,r={nonce}"));
        let (mut conversation, step) = start(mechanism, &client.first()).unwrap().begin_with(
            1,
            Some(credentials),
            &decoy(),
            theirs,
        );
        assert!(!step.is_done);
        let expected = format!("r={nonce}{theirs},s={salt},i=4096");
        assert_eq!(step.payload, expected.as_bytes());
        let last = client.last(&step.payload);
        assert_eq!(last, format!("c=biws,r={nonce}{theirs},p={proof}"));
        let step = conversation.step(last.as_bytes()).unwrap();
        assert_eq!(step.payload, format!("v={signature}").as_bytes());
        client.verify(&step.payload);
        assert!(step.is_done);
    }
}

/// A whole login. `None` when it fails.
fn log_in(
    mechanism: Mechanism,
    user: &str,
    password: &str,
    credentials: Option<Credentials>,
    skips: bool,
) -> Option<Conversation> {
    let mut client = Client::new(mechanism, user, password, "a nonce".replace(' ', "-").as_str());
    let start = Start::parse(mechanism, "db", client.first().as_bytes(), skips).unwrap();
    assert_eq!(start.user(), &UserName::new("db", user));
    assert_eq!(start.mechanism(), mechanism);
    let (mut conversation, step) = start.begin(5, credentials, &decoy()).unwrap();
    assert_eq!(conversation.id(), 5);
    assert!(!step.is_done);
    let step = conversation.step(client.last(&step.payload).as_bytes()).ok()?;
    client.verify(&step.payload);
    assert_eq!(step.is_done, skips);
    if !skips {
        let step = conversation.step(b"").unwrap();
        assert!(step.is_done && step.payload.is_empty());
    }
    assert!(conversation.step(b"").is_err(), "it is over");
    Some(conversation)
}

#[test]
fn who_knows_the_password_is_let_in() {
    for mechanism in Mechanism::ALL {
        for (user, password) in [
            ("user", "pencil"),
            ("a,b=c", "x"),
            ("=2C", "=3D"),
            ("Zoë", "pässwörd"),
            ("用户", "p\u{00A0}q"),
            ("with space", "I\u{00AD}X"),
        ] {
            let credentials = quick(mechanism, user, password);
            for skips in [false, true] {
                let known = Some(credentials.clone());
                assert!(log_in(mechanism, user, password, known, skips).is_some(), "{user}");
                let known = Some(credentials.clone());
                assert!(log_in(mechanism, user, "other", known, skips).is_none(), "{user}");
                assert!(log_in(mechanism, user, password, None, skips).is_none(), "{user}");
            }
        }
    }
}

#[test]
fn new_credentials_are_mongodbs() {
    for mechanism in Mechanism::ALL {
        let credentials = Credentials::new(mechanism, "user", "pencil", false).unwrap();
        let again = Credentials::new(mechanism, "user", "pencil", false).unwrap();
        assert_ne!(credentials, again, "the salt is not one of chance");
        let document = credentials.to_document();
        let length =
            |name: &str| Base64::decode_vec(document.get_str(name).unwrap()).unwrap().len();
        let hash = mechanism.hash_length();
        assert_eq!(
            (length("salt"), length("storedKey"), length("serverKey")),
            (hash - 4, hash, hash)
        );
        let iterations = document.get_i32("iterationCount").unwrap();
        assert_eq!(iterations.cast_unsigned(), mechanism.usual_iterations());
        let read = Credentials::from_document(mechanism, &document).unwrap();
        assert_eq!(read, credentials);
        assert!(log_in(mechanism, "user", "pencil", Some(read), true).is_some());
        let [one, other] = Mechanism::ALL;
        let wrong = if mechanism == one { other } else { one };
        assert_eq!(Credentials::from_document(wrong, &document), None);
    }
    let digest =
        Credentials::new(Mechanism::ScramSha1, "user", "1c33006ec1ffd90f9cadcbcc0e118200", true);
    assert!(log_in(Mechanism::ScramSha1, "user", "pencil", digest.ok(), true).is_some());
    let digest = Credentials::new(Mechanism::ScramSha256, "user", "x", true);
    assert!(matches!(digest, Err(PasswordError::Digested)));
    let forbidden = Credentials::new(Mechanism::ScramSha256, "user", "a\u{0007}b", false);
    assert!(matches!(forbidden, Err(PasswordError::Forbidden)));
    assert!(Credentials::new(Mechanism::ScramSha1, "user", "a\u{0007}b", false).is_ok());
}

#[test]
fn bad_first_messages_are_refused() {
    for payload in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=user,",
        "n,,n=user,r=",
        "n,,n=,r=x",
        "n,,r=x,n=user",
        "n,,m=ext,n=user,r=x",
        "n,,n=us=er,r=x",
        "n,,n=us=2c,r=x",
        "n,,n=user=,r=x",
        "n,a=other,n=user,r=x",
        "p=tls-unique,,n=user,r=x",
        "x,,n=user,r=x",
        "n,,n=user,r=\u{7f}",
        "n,,n=user,r=a b",
        "n,,user,r=x",
    ] {
        for mechanism in Mechanism::ALL {
            assert!(start(mechanism, payload).is_err(), "{payload:?}");
        }
    }
    assert!(Start::parse(Mechanism::ScramSha256, "db", b"n,,n=\xff,r=x", true).is_err());
    for payload in ["n,,n=user,r=x", "y,,n=user,r=x", "n,,n=user,r=x,other=1"] {
        assert!(start(Mechanism::ScramSha256, payload).is_ok(), "{payload:?}");
    }
}

#[test]
fn bad_last_messages_are_refused() {
    let mechanism = Mechanism::ScramSha256;
    let proof = Base64::encode_string(&[0; 32]);
    for (last, error) in [
        (String::new(), None),
        ("c=biws".to_owned(), None),
        ("c=biws,r=minetheirs".to_owned(), None),
        (format!("c=biws,r=minetheirs,p={proof}"), Some(ExchangeError::WrongPassword)),
        (format!("c=biws,r=minetheirs,p={}", &proof[..8]), None),
        ("c=biws,r=minetheirs,p=!!!".to_owned(), None),
        (format!("c=biws,r=mine,p={proof}"), None),
        (format!("c=biws,r=minetheirs2,p={proof}"), None),
        (format!("c=eSws,r=minetheirs,p={proof}"), None),
        (format!("c=,r=minetheirs,p={proof}"), None),
        (format!("r=minetheirs,c=biws,p={proof}"), None),
    ] {
        let credentials = Some(quick(mechanism, "user", "pencil"));
        let start = start(mechanism, "n,,n=user,r=mine").unwrap();
        let (mut conversation, _) = start.begin_with(1, credentials, &decoy(), "theirs");
        let found = conversation.step(last.as_bytes()).unwrap_err();
        match error {
            Some(error) => assert_eq!(found, error, "{last}"),
            None => assert!(matches!(found, ExchangeError::Malformed(_)), "{last}"),
        }
        assert!(conversation.step(last.as_bytes()).is_err(), "there is no second try");
    }
    // A last message that is not empty.
    let mut client = Client::new(mechanism, "user", "pencil", "mine");
    let start = Start::parse(mechanism, "db", client.first().as_bytes(), false).unwrap();
    let credentials = Some(quick(mechanism, "user", "pencil"));
    let (mut conversation, step) = start.begin(1, credentials, &decoy()).unwrap();
    assert!(!conversation.step(client.last(&step.payload).as_bytes()).unwrap().is_done);
    assert!(conversation.step(b"x").is_err());
    assert!(conversation.step(b"").is_err());
}

#[test]
fn users_that_do_not_exist_look_like_others() {
    for mechanism in Mechanism::ALL {
        let first = |user: &str, decoy: &Decoy| {
            let start = start(mechanism, &format!("n,,n={user},r=x")).unwrap();
            let (_, step) = start.begin_with(1, None, decoy, "y");
            String::from_utf8(step.payload).unwrap()
        };
        let one = first("nobody", &decoy());
        assert_eq!(one, first("nobody", &decoy()), "the answer is not always the same");
        assert_ne!(one, first("somebody", &decoy()));
        assert_ne!(one, first("nobody", &Decoy::new([8; 32])));
        let real = Credentials::new(mechanism, "user", "pencil", false).unwrap();
        let start = start(mechanism, "n,,n=user,r=x").unwrap();
        let (_, step) = start.begin_with(1, Some(real), &decoy(), "y");
        assert_eq!(step.payload.len(), one.len());
    }
}

#[test]
fn credentials_of_another_mechanism_do_not_count() {
    let [one, other] = Mechanism::ALL;
    let credentials = quick(one, "user", "pencil");
    assert!(log_in(other, "user", "pencil", Some(credentials), true).is_none());
}

#[test]
fn nothing_secret_is_shown() {
    let credentials = quick(Mechanism::ScramSha256, "user", "pencil");
    let shown = format!("{credentials:?} {:?}", decoy());
    assert_eq!(shown, "Credentials { mechanism: ScramSha256, .. } Decoy");
}
