//! NegotiateProtocolVersion: the server supports less than was asked for.

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{ProtocolError, UsageError};
use crate::message::read::Reader;
use crate::message::write;

/// The server does not know the version, or some of the `_pq_.` parameters, that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NegotiateProtocolVersion {
    /// The newest version that it supports, as an Int32.
    pub newest: u32,
    /// Names of the parameters that it does not know.
    pub unrecognized: Vec<Bytes>,
}

impl NegotiateProtocolVersion {
    pub(super) fn read(r: &mut Reader) -> Result<NegotiateProtocolVersion, ProtocolError> {
        let newest = r.u32("a protocol version")?;
        let count = r.u32("a number of parameters")?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > r.remaining() {
            return Err(r.malformed(
                format!("{count} parameter names"),
                format!("{} bytes, too few for them", r.remaining()),
            ));
        }
        let mut unrecognized = Vec::new();
        for _ in 0..count {
            unrecognized.push(r.string("a parameter's name")?);
        }
        Ok(NegotiateProtocolVersion { newest, unrecognized })
    }

    pub(super) fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        out.put_u32(self.newest);
        let Ok(count) = i32::try_from(self.unrecognized.len()) else {
            return Err(UsageError::TooMany {
                what: "parameters",
                found: self.unrecognized.len(),
                limit: usize::from(u16::MAX),
            });
        };
        out.put_i32(count);
        for name in &self.unrecognized {
            write::string(out, name, "a parameter's name")?;
        }
        Ok(())
    }
}
