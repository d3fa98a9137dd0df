//! The messages that open a connection. They have no tag, for historical reasons: only a length
//! and a code.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::read::Reader;
use super::write;
use crate::error::{ProtocolError, UsageError};
use crate::frame::Limits;

const CANCEL: u32 = (1234 << 16) | 5678;
const TLS: u32 = (1234 << 16) | 5679;
const GSS: u32 = (1234 << 16) | 5680;

/// A version of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion(u32);

impl ProtocolVersion {
    /// 3.0: every server speaks it.
    pub const V3_0: ProtocolVersion = ProtocolVersion::new(3, 0);
    /// 3.2 (PostgreSQL 18): secrets of cancel keys up to 256 bytes long.
    pub const V3_2: ProtocolVersion = ProtocolVersion::new(3, 2);

    /// The version `major.minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> ProtocolVersion {
        // Widening, which `u32::from` cannot do in a const fn.
        ProtocolVersion(((major as u32) << 16) | minor as u32)
    }

    /// Reads the Int32 of a startup message.
    #[must_use]
    pub const fn from_code(code: u32) -> ProtocolVersion {
        ProtocolVersion(code)
    }

    /// The Int32 of a startup message.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The part before the point.
    #[must_use]
    pub fn major(self) -> u16 {
        u16::try_from(self.0 >> 16).unwrap_or(u16::MAX)
    }

    /// The part after the point.
    #[must_use]
    pub fn minor(self) -> u16 {
        u16::try_from(self.0 & 0xffff).unwrap_or(u16::MAX)
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

impl fmt::Debug for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolVersion({self})")
    }
}

/// What identifies a session to a CancelRequest. The secret never shows in Debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelKey {
    /// The process id of the session's backend, or whatever stands for it.
    pub process_id: i32,
    /// 4 bytes in protocol 3.0, up to 256 in 3.2.
    pub secret: Bytes,
}

impl CancelKey {
    /// Reads what stands after the code in a CancelRequest, and the body of BackendKeyData.
    pub(crate) fn read(reader: &mut Reader) -> Result<CancelKey, ProtocolError> {
        let process_id = reader.i32("a process id")?;
        let secret = reader.rest();
        if !(4..=256).contains(&secret.len()) {
            return Err(
                reader.malformed("a secret of 4 to 256 bytes", format!("{} bytes", secret.len()))
            );
        }
        Ok(CancelKey { process_id, secret })
    }

    pub(crate) fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        let found = self.secret.len();
        if !(4..=256).contains(&found) {
            return Err(UsageError::CancelSecret { found });
        }
        out.put_i32(self.process_id);
        out.put_slice(&self.secret);
        Ok(())
    }
}

impl fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelKey").field("process_id", &self.process_id).finish_non_exhaustive()
    }
}

/// The first message of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Startup {
    /// StartupMessage: opens a session.
    Startup {
        /// The newest version the client speaks.
        version: ProtocolVersion,
        /// `user`, `database`, `options`, … as name and value, in the order they were sent.
        parameters: Vec<(Bytes, Bytes)>,
    },
    /// SSLRequest: may the stream be encrypted? Answered by one byte, `S` or `N`.
    Tls,
    /// GSSENCRequest: the same for GSSAPI encryption, `G` or `N`.
    GssEncryption,
    /// CancelRequest: cancels what another session is doing. Never answered.
    Cancel(CancelKey),
}

impl Startup {
    /// Takes a message off the front of `buffer`. `None` if it has not arrived completely.
    ///
    /// # Errors
    /// A length below 8 or above `limits.startup`; a message that does not follow its format.
    pub fn decode(
        buffer: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Option<Startup>, ProtocolError> {
        const NAME: &str = "StartupMessage";
        let Some(first) = buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*first)).unwrap_or(usize::MAX);
        if length < 8 {
            return Err(ProtocolError::malformed(
                NAME,
                "a length of at least 8",
                length.to_string(),
            ));
        }
        if length > limits.startup {
            return Err(ProtocolError::TooLong { message: NAME, length, limit: limits.startup });
        }
        if buffer.len() < length {
            return Ok(None);
        }
        let mut body = buffer.split_to(length).freeze();
        body.advance(4);
        let code = body.get_u32();
        let mut reader = Reader::new(NAME, body);
        let message = match code {
            TLS => Startup::Tls,
            GSS => Startup::GssEncryption,
            CANCEL => {
                reader = Reader::new("CancelRequest", reader.rest());
                Startup::Cancel(CancelKey::read(&mut reader)?)
            }
            _ => {
                let version = ProtocolVersion(code);
                if version.major() != 3 {
                    return Err(ProtocolError::malformed(
                        NAME,
                        "protocol version 3",
                        version.to_string(),
                    ));
                }
                Startup::Startup { version, parameters: parameters(&mut reader)? }
            }
        };
        reader.end()?;
        Ok(Some(message))
    }

    /// Appends the message to `out`.
    ///
    /// # Errors
    /// A NUL in a parameter, an empty parameter name, a secret of a length that the protocol does
    /// not allow; `out` is then as it was.
    pub fn encode(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        write::framed(out, None, |out| {
            match self {
                Startup::Tls => out.put_u32(TLS),
                Startup::GssEncryption => out.put_u32(GSS),
                Startup::Cancel(key) => {
                    out.put_u32(CANCEL);
                    key.write(out)?;
                }
                Startup::Startup { version, parameters } => {
                    out.put_u32(version.0);
                    for (name, value) in parameters {
                        // An empty name would end the list early.
                        if name.is_empty() {
                            return Err(UsageError::Nul { what: "a parameter's name", at: 0 });
                        }
                        write::string(out, name, "a parameter's name")?;
                        write::string(out, value, "a parameter's value")?;
                    }
                    out.put_u8(0);
                }
            }
            Ok(())
        })
    }
}

fn parameters(reader: &mut Reader) -> Result<Vec<(Bytes, Bytes)>, ProtocolError> {
    let mut parameters = Vec::new();
    loop {
        let name = reader.string("a parameter's name")?;
        if name.is_empty() {
            return Ok(parameters);
        }
        parameters.push((name, reader.string("a parameter's value")?));
    }
}
