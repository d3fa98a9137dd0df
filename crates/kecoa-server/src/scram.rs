//! SCRAM-SHA-256, the server's half (RFC 5802, RFC 7677).
//!
//! Each attempt takes the same steps up to the comparison, which takes the same time whatever it finds.
//! A user has the one password that all have, and may have one of its own: the client says which it
//! knows only by its proof, so both are made ready under the salt that it is told.

use std::io;

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::secret::random;

/// The one mechanism; channel binding needs TLS.
pub const MECHANISM: &str = "SCRAM-SHA-256";

/// RFC 7677's least, which clients hold servers to; a password made of chance needs no more.
const ITERATIONS: u32 = 4096;

type Key = [u8; 32];

/// More would hold up others while a password is made ready.
const MOST_ITERATIONS: u32 = 100_000;

/// What a password is checked by.
#[derive(Clone)]
pub struct Verifier {
    salt: Vec<u8>,
    iterations: u32,
    keys: Keys,
    /// Of another password under the same salt.
    other: Option<Keys>,
}

#[derive(Clone, Copy)]
struct Keys {
    stored: Key,
    server: Key,
}

/// The password that all users have.
#[derive(Clone)]
pub struct Password {
    text: String,
    verifier: Verifier,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    /// A password of ASCII characters.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn new(text: &str) -> io::Result<Self> {
        Ok(Self { text: text.to_owned(), verifier: Verifier::new(text)? })
    }

    /// What a user is checked by who has no other.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// What a user is checked by who has one of its own, too.
    pub fn beside(&self, own: Verifier) -> Verifier {
        let other = Keys::of(self.text.as_bytes(), &own.salt, own.iterations);
        Verifier { other: Some(other), ..own }
    }
}

/// Which password a client has proved that it knows, and the server's last message.
#[derive(Debug, PartialEq, Eq)]
pub struct Proved {
    /// It is the verifier's first, and not the one that stands beside.
    pub first: bool,
    /// server-final-message.
    pub answer: String,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

/// Why a client has not proved that it knows the password.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    /// Its message does not follow the rules: a phrase says which.
    Malformed(&'static str),
    /// It has another password.
    WrongPassword,
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Key {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn salted(password: &[u8], salt: &[u8], iterations: u32) -> Key {
    let mut last = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut all = last;
    for _ in 1..iterations {
        last = hmac(password, &[&last]);
        all.iter_mut().zip(last).for_each(|(byte, other)| *byte ^= other);
    }
    all
}

impl Keys {
    fn of(password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let salted = salted(password, salt, iterations);
        let client = hmac(&salted, &[b"Client Key"]);
        Self { stored: Sha256::digest(client).into(), server: hmac(&salted, &[b"Server Key"]) }
    }
}

impl Verifier {
    /// The verifier of a password of ASCII characters.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn new(password: &str) -> io::Result<Self> {
        let salt = random::<16>()?.to_vec();
        let keys = Keys::of(password.as_bytes(), &salt, ITERATIONS);
        Ok(Self { salt, iterations: ITERATIONS, keys, other: None })
    }

    /// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, which PostgreSQL takes for a role's password.
    #[must_use]
    pub fn text(&self) -> String {
        let salt = Base64::encode_string(&self.salt);
        let stored = Base64::encode_string(&self.keys.stored);
        let server = Base64::encode_string(&self.keys.server);
        format!("{MECHANISM}${}:{salt}${stored}:{server}", self.iterations)
    }

    /// Reads `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, as PostgreSQL keeps a role's; `None`
    /// when it is none, or one that would take too long.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(MECHANISM)?.strip_prefix('$')?;
        let (salted, keys) = rest.split_once('$')?;
        let (iterations, salt) = salted.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let iterations = iterations.parse().ok().filter(|n| (1..=MOST_ITERATIONS).contains(n))?;
        let key = |text| Base64::decode_vec(text).ok()?.try_into().ok();
        let keys = Keys { stored: key(stored)?, server: key(server)? };
        Some(Self { salt: Base64::decode_vec(salt).ok()?, iterations, keys, other: None })
    }
}

/// An exchange whose first message was answered.
#[derive(Debug)]
pub struct Exchange {
    header: Vec<u8>,
    client_first: Vec<u8>,
    server_first: String,
    nonce: String,
}

impl Exchange {
    /// Takes client-first-message; the answer is [`server_first`](Self::server_first).
    ///
    /// # Errors
    /// [`Failed::Malformed`].
    pub fn begin(verifier: &Verifier, message: &[u8]) -> Result<Self, Failed> {
        let nonce = random::<18>().map_err(|_| Failed::Malformed("no nonce is to be had"))?;
        Self::begin_with(verifier, message, &Base64::encode_string(&nonce))
    }

    fn begin_with(verifier: &Verifier, message: &[u8], nonce: &str) -> Result<Self, Failed> {
        let text =
            std::str::from_utf8(message).map_err(|_| Failed::Malformed("it is not UTF-8"))?;
        let mut fields = text.splitn(3, ',');
        let (flag, authzid) = (fields.next().unwrap_or(""), fields.next());
        let bare = fields.next().ok_or(Failed::Malformed("it has no header"))?;
        if !matches!(flag, "n" | "y") {
            return Err(Failed::Malformed("it asks for channel binding, which needs TLS"));
        }
        if authzid.is_some_and(|id| !id.is_empty()) {
            return Err(Failed::Malformed("it asks for another identity"));
        }
        let mut attributes = bare.split(',');
        let user = attributes.next().filter(|name| name.starts_with("n="));
        let theirs = attributes.next().and_then(|field| field.strip_prefix("r="));
        let (Some(_), Some(theirs)) = (user, theirs.filter(|nonce| !nonce.is_empty())) else {
            return Err(Failed::Malformed("it has no name or no nonce"));
        };
        let nonce = format!("{theirs}{nonce}");
        let salt = Base64::encode_string(&verifier.salt);
        Ok(Self {
            header: format!("{flag},,").into_bytes(),
            client_first: bare.as_bytes().to_vec(),
            server_first: format!("r={nonce},s={salt},i={}", verifier.iterations),
            nonce,
        })
    }

    /// The answer to the first message.
    pub fn server_first(&self) -> &str {
        &self.server_first
    }

    /// Takes client-final-message; the answer is server-final-message.
    ///
    /// # Errors
    /// [`Failed`]: the client is not who it says it is.
    pub fn finish(self, verifier: &Verifier, message: &[u8]) -> Result<Proved, Failed> {
        let malformed = || Failed::Malformed("its last message is not one of SCRAM-SHA-256");
        let text = std::str::from_utf8(message).map_err(|_| malformed())?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or_else(malformed)?;
        let mut fields = without_proof.split(',');
        let binding =
            fields.next().and_then(|field| field.strip_prefix("c=")).ok_or_else(malformed)?;
        let nonce =
            fields.next().and_then(|field| field.strip_prefix("r=")).ok_or_else(malformed)?;
        let proof: Key = Base64::decode_vec(proof)
            .ok()
            .and_then(|proof| proof.try_into().ok())
            .ok_or_else(malformed)?;
        if Base64::decode_vec(binding).ok().as_deref() != Some(&self.header) || nonce != self.nonce
        {
            return Err(malformed());
        }
        let conversation: [&[u8]; 5] = [
            &self.client_first,
            b",",
            self.server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        let proves = |keys: &Keys| {
            let signature = hmac(&keys.stored, &conversation);
            let mut client_key = proof;
            client_key.iter_mut().zip(signature).for_each(|(byte, other)| *byte ^= other);
            same(&Sha256::digest(client_key).into(), &keys.stored)
        };
        let first = proves(&verifier.keys);
        let other = verifier.other.filter(proves);
        let keys = match (first, other) {
            (true, _) => verifier.keys,
            (false, Some(keys)) => keys,
            (false, None) => return Err(Failed::WrongPassword),
        };
        let answer = hmac(&keys.server, &conversation);
        Ok(Proved { first, answer: format!("v={}", Base64::encode_string(&answer)) })
    }
}

/// Compares all of it whatever it finds.
fn same(one: &Key, other: &Key) -> bool {
    let difference = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    fn pencil() -> Verifier {
        let salt = Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = Keys::of(b"pencil", &salt, ITERATIONS);
        Verifier { salt, iterations: ITERATIONS, keys, other: None }
    }

    const ANSWER: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn a_verifier_is_read_as_it_is_written() {
        let made = Verifier::new("secret").unwrap();
        let read = Verifier::parse(&made.text()).unwrap();
        assert_eq!((read.salt, read.keys.stored), (made.salt, made.keys.stored));
        assert_eq!((read.iterations, read.keys.server), (made.iterations, made.keys.server));
    }

    #[test]
    fn the_example_of_the_rfc() {
        let verifier = pencil();
        let exchange = Exchange::begin_with(&verifier, FIRST, NONCE).unwrap();
        assert_eq!(
            exchange.server_first(),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let proved = exchange.finish(&verifier, FINAL.as_bytes()).unwrap();
        assert_eq!(proved.answer, ANSWER);
        assert!(proved.first);
    }

    #[test]
    fn a_password_of_one_s_own_and_the_one_that_all_have() {
        let pencil = pencil();
        let kept = format!(
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==${}:{}",
            Base64::encode_string(&pencil.keys.stored),
            Base64::encode_string(&pencil.keys.server),
        );
        let own = Verifier::parse(&kept).unwrap();
        let begin = |verifier: &Verifier| Exchange::begin_with(verifier, FIRST, NONCE).unwrap();
        let first = Proved { first: true, answer: ANSWER.to_owned() };
        assert_eq!(begin(&own).finish(&own, FINAL.as_bytes()), Ok(first));
        // The same proof, where it is the other password's.
        let all = Password::new("pencil").unwrap();
        let mut another = own.clone();
        another.keys = Keys::of(b"another", &own.salt, ITERATIONS);
        assert_eq!(begin(&another).finish(&another, FINAL.as_bytes()), Err(Failed::WrongPassword));
        let both = all.beside(another);
        let other = Proved { first: false, answer: ANSWER.to_owned() };
        assert_eq!(begin(&both).finish(&both, FINAL.as_bytes()), Ok(other));
        for wrong in [
            "",
            "md5c6c1e5e0a1b2c3d4e5f60718293a4b5c",
            "SCRAM-SHA-256$4096:x$y:z",
            &kept.replace("$4096", "$2147483647"),
            &kept.replace("$4096", "$0"),
            &kept[..kept.len() - 4],
        ] {
            assert!(Verifier::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn nothing_else_is_let_in() {
        let verifier = pencil();
        let other = Verifier::new("another").unwrap();
        let begin = || Exchange::begin_with(&verifier, FIRST, NONCE).unwrap();
        assert_eq!(begin().finish(&other, FINAL.as_bytes()), Err(Failed::WrongPassword));
        let proof = FINAL.replace("p=dHzb", "p=eHzb");
        assert_eq!(begin().finish(&verifier, proof.as_bytes()), Err(Failed::WrongPassword));
        for wrong in [
            String::new(),
            "c=biws".to_owned(),
            FINAL.replace("p=", "q="),
            FINAL.replace("biws", "eSws"),
            FINAL.replace("hNlF", "hNlG"),
            FINAL.replace("dVQ=", "dVQ"),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO,p=".to_owned(),
        ] {
            let found = begin().finish(&verifier, wrong.as_bytes());
            assert!(matches!(found, Err(Failed::Malformed(_))), "{wrong}: {found:?}");
        }
        for wrong in [
            &b""[..],
            b"n",
            b"n,,",
            b"n,,n=u",
            b"n,,r=x,n=u",
            b"p=tls-server-end-point,,n=u,r=x",
            b"n,a=root,n=u,r=x",
            b"n,,n=u,r=",
            b"\xff,,n=u,r=x",
        ] {
            assert!(matches!(Exchange::begin(&verifier, wrong), Err(Failed::Malformed(_))));
        }
    }

    #[test]
    fn each_exchange_has_a_nonce_of_its_own() {
        let verifier = pencil();
        let one = Exchange::begin(&verifier, FIRST).unwrap();
        let two = Exchange::begin(&verifier, FIRST).unwrap();
        assert_ne!(one.server_first(), two.server_first());
    }
}
