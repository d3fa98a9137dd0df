//! What a Describe or Close is about.

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{ProtocolError, UsageError};
use crate::message::read::Reader;
use crate::message::write;

/// What a Describe or Close is about. A [`Step`](crate::Step) borrows the name, a message that was
/// decoded owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<Name> {
    /// A prepared statement, by name.
    Statement(Name),
    /// A portal, by name.
    Portal(Name),
}

impl<Name: AsRef<[u8]>> Target<Name> {
    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Target<&[u8]> {
        match self {
            Target::Statement(name) => Target::Statement(name.as_ref()),
            Target::Portal(name) => Target::Portal(name.as_ref()),
        }
    }
}

impl Target<Bytes> {
    pub(super) fn read(reader: &mut Reader) -> Result<Target<Bytes>, ProtocolError> {
        let kind = reader.u8("S or P")?;
        let name = reader.string("a name")?;
        match kind {
            b'S' => Ok(Target::Statement(name)),
            b'P' => Ok(Target::Portal(name)),
            other => Err(reader.malformed("S or P", format!("byte {other:#04x}"))),
        }
    }
}

impl Target<&[u8]> {
    pub(super) fn write(self, out: &mut BytesMut) -> Result<(), UsageError> {
        match self {
            Target::Statement(name) => {
                out.put_u8(b'S');
                write::string(out, name, "a statement's name")
            }
            Target::Portal(name) => {
                out.put_u8(b'P');
                write::string(out, name, "a portal's name")
            }
        }
    }
}
