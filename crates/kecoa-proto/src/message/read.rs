//! Reading a message's body, every step checked.

use bytes::{Buf, Bytes};
use memchr::memchr;

use super::format::Format;
use crate::error::ProtocolError;

/// The rest of a message's body, and the message's name for errors.
pub(crate) struct Reader {
    body: Bytes,
    message: &'static str,
}

impl Reader {
    pub(crate) fn new(message: &'static str, body: Bytes) -> Reader {
        Reader { body, message }
    }

    pub(crate) fn malformed(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> ProtocolError {
        ProtocolError::malformed(self.message, expected, found)
    }

    pub(crate) fn remaining(&self) -> usize {
        self.body.len()
    }

    fn need(&self, count: usize, what: &str) -> Result<(), ProtocolError> {
        if self.body.len() < count {
            return Err(self.malformed(
                format!("{what} ({count} bytes)"),
                format!("{} bytes", self.body.len()),
            ));
        }
        Ok(())
    }

    pub(crate) fn u8(&mut self, what: &str) -> Result<u8, ProtocolError> {
        self.need(1, what)?;
        Ok(self.body.get_u8())
    }

    pub(crate) fn i16(&mut self, what: &str) -> Result<i16, ProtocolError> {
        self.need(2, what)?;
        Ok(self.body.get_i16())
    }

    /// A count: sent as Int16, but PostgreSQL reads it without a sign.
    pub(crate) fn count(&mut self, what: &str) -> Result<usize, ProtocolError> {
        self.need(2, what)?;
        Ok(usize::from(self.body.get_u16()))
    }

    pub(crate) fn i32(&mut self, what: &str) -> Result<i32, ProtocolError> {
        self.need(4, what)?;
        Ok(self.body.get_i32())
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32, ProtocolError> {
        self.need(4, what)?;
        Ok(self.body.get_u32())
    }

    pub(crate) fn bytes(&mut self, count: usize, what: &str) -> Result<Bytes, ProtocolError> {
        self.need(count, what)?;
        Ok(self.body.split_to(count))
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ProtocolError> {
        self.need(N, what)?;
        let mut array = [0; N];
        self.body.copy_to_slice(&mut array);
        Ok(array)
    }

    /// A string up to its NUL, which is left out.
    pub(crate) fn string(&mut self, what: &str) -> Result<Bytes, ProtocolError> {
        let Some(end) = memchr(0, &self.body) else {
            return Err(self.malformed(
                format!("{what} that ends with NUL"),
                format!("{} bytes without one", self.body.len()),
            ));
        };
        let string = self.body.split_to(end);
        self.body.advance(1);
        Ok(string)
    }

    /// A value with its Int32 length in front; -1 is NULL.
    pub(crate) fn value(&mut self, what: &str) -> Result<Option<Bytes>, ProtocolError> {
        let length = self.i32(what)?;
        if length == -1 {
            return Ok(None);
        }
        let Ok(length) = usize::try_from(length) else {
            return Err(self.malformed(format!("{what} of length -1 or more"), length.to_string()));
        };
        self.bytes(length, what).map(Some)
    }

    pub(crate) fn values(&mut self, what: &str) -> Result<Vec<Option<Bytes>>, ProtocolError> {
        let count = self.count(what)?;
        self.need(count.saturating_mul(4), what)?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(self.value(what)?);
        }
        Ok(values)
    }

    pub(crate) fn format(&mut self) -> Result<Format, ProtocolError> {
        match self.i16("a format code")? {
            0 => Ok(Format::Text),
            1 => Ok(Format::Binary),
            other => Err(self.malformed("format code 0 or 1", other.to_string())),
        }
    }

    pub(crate) fn formats(&mut self) -> Result<Vec<Format>, ProtocolError> {
        let count = self.count("format codes")?;
        self.need(count.saturating_mul(2), "format codes")?;
        let mut formats = Vec::with_capacity(count);
        for _ in 0..count {
            formats.push(self.format()?);
        }
        Ok(formats)
    }

    pub(crate) fn oids(&mut self) -> Result<Vec<u32>, ProtocolError> {
        let count = self.count("oids")?;
        self.need(count.saturating_mul(4), "oids")?;
        let mut oids = Vec::with_capacity(count);
        for _ in 0..count {
            oids.push(self.u32("an oid")?);
        }
        Ok(oids)
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.body)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), ProtocolError> {
        if self.body.is_empty() {
            return Ok(());
        }
        Err(self.malformed("the end of the message", format!("{} more bytes", self.body.len())))
    }
}
