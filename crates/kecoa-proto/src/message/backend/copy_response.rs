//! CopyInResponse, CopyOutResponse and CopyBothResponse, which have the same body.

use bytes::{BufMut, BytesMut};

use crate::error::{ProtocolError, UsageError};
use crate::message::format::Format;
use crate::message::read::Reader;
use crate::message::write;

/// The start of a COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyResponse {
    /// Text (or CSV), or binary.
    pub format: Format,
    /// The form of each column.
    pub columns: Vec<Format>,
}

impl CopyResponse {
    pub(super) fn read(r: &mut Reader) -> Result<CopyResponse, ProtocolError> {
        let format = match r.u8("a format")? {
            0 => Format::Text,
            1 => Format::Binary,
            other => return Err(r.malformed("format 0 or 1", other.to_string())),
        };
        Ok(CopyResponse { format, columns: r.formats()? })
    }

    pub(super) fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        out.put_u8(u8::from(self.format == Format::Binary));
        write::exact_formats(out, self.columns.iter().copied())
    }
}
