//! SCRAM-SHA-256, the server's half (RFC 5802, RFC 7677).
//!
//! Every user name has the one password, so there is none to be found out, and each attempt takes
//! the same steps up to the comparison, which takes the same time whatever it finds. What is kept
//! is the verifier; the password does not follow from it.

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

/// What a password is checked by.
#[derive(Clone)]
pub struct Verifier {
    salt: [u8; 16],
    stored_key: Key,
    server_key: Key,
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

fn salted(password: &[u8], salt: &[u8]) -> Key {
    let mut last = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut all = last;
    for _ in 1..ITERATIONS {
        last = hmac(password, &[&last]);
        all.iter_mut().zip(last).for_each(|(byte, other)| *byte ^= other);
    }
    all
}

impl Verifier {
    /// The verifier of a password of ASCII characters.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn new(password: &str) -> io::Result<Self> {
        let salt = random::<16>()?;
        let salted = salted(password.as_bytes(), &salt);
        let client_key = hmac(&salted, &[b"Client Key"]);
        let stored_key = Sha256::digest(client_key).into();
        Ok(Self { salt, stored_key, server_key: hmac(&salted, &[b"Server Key"]) })
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
            server_first: format!("r={nonce},s={salt},i={ITERATIONS}"),
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
    pub fn finish(self, verifier: &Verifier, message: &[u8]) -> Result<String, Failed> {
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
        let signature = hmac(&verifier.stored_key, &conversation);
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(byte, other)| *byte ^= other);
        let shown: Key = Sha256::digest(client_key).into();
        if !same(&shown, &verifier.stored_key) {
            return Err(Failed::WrongPassword);
        }
        let answer = hmac(&verifier.server_key, &conversation);
        Ok(format!("v={}", Base64::encode_string(&answer)))
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
        let mut salt = [0; 16];
        salt.copy_from_slice(&Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap());
        let salted = salted(b"pencil", &salt);
        let stored_key = Sha256::digest(hmac(&salted, &[b"Client Key"])).into();
        Verifier { salt, stored_key, server_key: hmac(&salted, &[b"Server Key"]) }
    }

    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_example_of_the_rfc() {
        let verifier = pencil();
        let exchange = Exchange::begin_with(&verifier, FIRST, NONCE).unwrap();
        assert_eq!(
            exchange.server_first(),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let answer = exchange.finish(&verifier, FINAL.as_bytes()).unwrap();
        assert_eq!(answer, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
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
