//! The messages of SCRAM, the server's half (RFC 5802, RFC 7677).

use base64ct::{Base64, Encoding as _};
use thiserror::Error;

use super::credentials::Credentials;

/// Why a client has not shown who it is. Clients are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// A message does not follow the rules.
    #[error("expected {0}")]
    Malformed(&'static str),
    /// It has another password.
    #[error("the proof does not fit the credentials")]
    WrongPassword,
}

/// A client's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientFirst {
    /// The header, with its commas.
    header: String,
    /// What follows the header.
    bare: String,
    pub(super) user: String,
    nonce: String,
}

/// An exchange whose first message was answered.
#[derive(Debug)]
pub(super) struct Exchange {
    first: ClientFirst,
    server_first: String,
    nonce: String,
    credentials: Credentials,
}

type Checked<T> = Result<T, ExchangeError>;

impl ClientFirst {
    pub(super) fn parse(message: &[u8]) -> Checked<Self> {
        let wrong = ExchangeError::Malformed;
        let text = std::str::from_utf8(message).map_err(|_| wrong("text in UTF-8"))?;
        let mut fields = text.splitn(3, ',');
        let (flag, identity) = (fields.next(), fields.next());
        let bare = fields.next().ok_or(wrong("a header"))?;
        let flag = flag
            .filter(|flag| matches!(*flag, "n" | "y"))
            .ok_or(wrong("a header without channel binding"))?;
        if identity != Some("") {
            return Err(wrong("a header without another identity"));
        }
        let mut attributes = bare.split(',');
        let user = attributes.next().and_then(|name| name.strip_prefix("n="));
        let nonce = attributes.next().and_then(|nonce| nonce.strip_prefix("r="));
        let nonce = nonce.filter(|nonce| !nonce.is_empty() && nonce.bytes().all(is_printable));
        Ok(Self {
            header: format!("{flag},,"),
            bare: bare.to_owned(),
            user: user.and_then(unescaped).ok_or(wrong("a user's name"))?,
            nonce: nonce.ok_or(wrong("a nonce"))?.to_owned(),
        })
    }
}

fn is_printable(byte: u8) -> bool {
    (0x21..=0x7e).contains(&byte)
}

/// A name without its escapes: `=2C` is a comma, `=3D` is `=`, any other `=` is wrong, and so is no name.
fn unescaped(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (sign, rest) = part
            .strip_prefix("2C")
            .map(|rest| (',', rest))
            .or_else(|| part.strip_prefix("3D").map(|rest| ('=', rest)))?;
        plain.push(sign);
        plain.push_str(rest);
    }
    (!plain.is_empty()).then_some(plain)
}

impl Exchange {
    /// Answers the first message; `nonce` is the server's part, of printable characters without a comma.
    pub(super) fn new(first: ClientFirst, credentials: Credentials, nonce: &str) -> Self {
        let nonce = format!("{}{nonce}", first.nonce);
        let salt = Base64::encode_string(&credentials.salt);
        let server_first = format!("r={nonce},s={salt},i={}", credentials.iterations);
        Self { first, server_first, nonce, credentials }
    }

    /// The answer to the first message.
    pub(super) fn server_first(&self) -> &str {
        &self.server_first
    }

    /// Takes the client's last message; gives the server's.
    pub(super) fn finish(&self, message: &[u8]) -> Checked<String> {
        let wrong = ExchangeError::Malformed("a last message that continues the first");
        let text = std::str::from_utf8(message).map_err(|_| wrong)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(wrong)?;
        let mut fields = without_proof.split(',');
        let binding = fields.next().and_then(|field| field.strip_prefix("c=")).ok_or(wrong)?;
        let nonce = fields.next().and_then(|field| field.strip_prefix("r=")).ok_or(wrong)?;
        let Credentials { mechanism, stored_key, server_key, .. } = &self.credentials;
        let proof = Base64::decode_vec(proof)
            .ok()
            .filter(|proof| proof.len() == mechanism.hash_length())
            .ok_or(wrong)?;
        let header = Base64::decode_vec(binding).map_err(|_| wrong)?;
        if header != self.first.header.as_bytes() || nonce != self.nonce {
            return Err(wrong);
        }
        let conversation = [&self.first.bare, &self.server_first, without_proof].join(",");
        let signature = mechanism.hmac(stored_key, &[conversation.as_bytes()]);
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if !is_same(&mechanism.hash(&client_key), stored_key) {
            return Err(ExchangeError::WrongPassword);
        }
        let answer = mechanism.hmac(server_key, &[conversation.as_bytes()]);
        Ok(format!("v={}", Base64::encode_string(&answer)))
    }
}

/// Compares all of it whatever it finds.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}
