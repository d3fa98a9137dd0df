//! SASL: the choice of a mechanism, and the client's half of a SCRAM exchange (RFC 5802).

use bytes::Bytes;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};

use super::error::HandshakeError;
use super::secret::Secret;
use crate::error::ProtocolError;

/// A SASL mechanism that is there.
pub(super) enum Mechanism {
    /// SCRAM-SHA-256 without channel binding.
    Plain {
        /// The client could bind and the server announced that it cannot: it detects a forged announcement.
        could_bind: bool,
    },
    /// SCRAM-SHA-256-PLUS, bound to this hash of the server's certificate.
    Bound(Vec<u8>),
}

impl Mechanism {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Mechanism::Plain { .. } => SCRAM_SHA_256,
            Mechanism::Bound(_) => SCRAM_SHA_256_PLUS,
        }
    }

    /// Refuses what is not bound to the TLS stream, in libpq's words.
    pub(super) fn require_bound(&self, encrypted: bool) -> Result<(), HandshakeError> {
        let reason = match self {
            Mechanism::Bound(_) => return Ok(()),
            Mechanism::Plain { .. } if !encrypted => "channel binding required, but SSL not in use",
            Mechanism::Plain { .. } => {
                "channel binding is required, but server did not offer an authentication method \
                 that supports channel binding"
            }
        };
        Err(HandshakeError::ChannelBinding { reason })
    }
}

/// Chooses among what the server offers: the bound form if both sides can.
pub(super) fn choose(
    offered: &[Bytes],
    binding: Option<Vec<u8>>,
    encrypted: bool,
) -> Result<Mechanism, HandshakeError> {
    let offers = |name: &str| offered.iter().any(|mechanism| mechanism == name.as_bytes());
    match binding {
        Some(hash) if encrypted && offers(SCRAM_SHA_256_PLUS) => Ok(Mechanism::Bound(hash)),
        binding if offers(SCRAM_SHA_256) => {
            Ok(Mechanism::Plain { could_bind: encrypted && binding.is_some() })
        }
        _ => {
            let names: Vec<_> =
                offered.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            Err(HandshakeError::UnsupportedAuthentication {
                method: format!("SASL ({})", names.join(", ")),
                advice: "let the server offer SCRAM-SHA-256 (scram-sha-256 in pg_hba.conf)",
            })
        }
    }
}

/// The client's half of a SCRAM exchange.
pub(super) struct Exchange {
    scram: ScramSha256,
    mechanism: &'static str,
    limit: u32,
}

impl Exchange {
    pub(super) fn new(secret: &Secret, mechanism: Mechanism, limit: u32) -> Exchange {
        let name = mechanism.name();
        let binding = match mechanism {
            Mechanism::Bound(hash) => ChannelBinding::tls_server_end_point(hash),
            Mechanism::Plain { could_bind: true } => ChannelBinding::unrequested(),
            Mechanism::Plain { could_bind: false } => ChannelBinding::unsupported(),
        };
        Exchange { scram: ScramSha256::new(secret.expose(), binding), mechanism: name, limit }
    }

    pub(super) fn mechanism(&self) -> &'static str {
        self.mechanism
    }

    /// Whether the exchange is tied to the TLS stream.
    pub(super) fn is_bound(&self) -> bool {
        self.mechanism == SCRAM_SHA_256_PLUS
    }

    /// What is to be sent now. Not after a failure: the exchange is over then.
    pub(super) fn message(&self) -> &[u8] {
        self.scram.message()
    }

    /// Takes the server's challenge. The number of iterations is checked before any is done.
    pub(super) fn answer(&mut self, challenge: &[u8]) -> Result<(), HandshakeError> {
        let Some(iterations) = iterations(challenge) else {
            return Err(ProtocolError::malformed(
                "AuthenticationSASLContinue",
                "a SCRAM challenge r=…,s=…,i=… with a number of iterations",
                format!("{} bytes without one", challenge.len()),
            )
            .into());
        };
        if iterations == 0 || iterations > u64::from(self.limit) {
            return Err(HandshakeError::TooManyIterations { found: iterations, limit: self.limit });
        }
        self.scram.update(challenge).map_err(failed)
    }

    /// Takes the server's proof that it knows the password's verifier.
    pub(super) fn verify(&mut self, last: &[u8]) -> Result<(), HandshakeError> {
        self.scram.finish(last).map_err(failed)
    }
}

fn failed(error: std::io::Error) -> HandshakeError {
    HandshakeError::Scram { reason: error.to_string() }
}

/// The number after `i=` in a server's first SCRAM message (RFC 5802, section 7).
fn iterations(challenge: &[u8]) -> Option<u64> {
    let field =
        challenge.split(|byte| *byte == b',').find_map(|field| field.strip_prefix(b"i="))?;
    if field.is_empty() || !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // More digits than fit are more iterations than anyone wants.
    Some(std::str::from_utf8(field).ok()?.parse().unwrap_or(u64::MAX))
}
