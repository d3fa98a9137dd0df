//! The 16 bytes of a `uuid`.

use std::fmt;
use std::str::FromStr;

use crate::DecodeError;
use crate::text;

/// A value of type `uuid`, big-endian as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Uuid {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl From<Uuid> for [u8; 16] {
    fn from(uuid: Uuid) -> Self {
        uuid.0
    }
}

impl fmt::Display for Uuid {
    /// The canonical form: lower case, in groups of 8-4-4-4-12.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Uuid {
    type Err = DecodeError;

    /// All forms PostgreSQL takes: either case, with or without braces, with or without a hyphen
    /// after any group of four digits.
    fn from_str(s: &str) -> Result<Self, DecodeError> {
        if let Ok(uuid) = text::uuid::decode(s.as_bytes()) {
            return Ok(uuid);
        }
        let refused = || DecodeError::text("a UUID of 32 hexadecimal digits", s.as_bytes());
        let inner = match s.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or_else(refused)?,
            None => s,
        };
        let mut rest = inner.as_bytes();
        let mut bytes = [0; 16];
        for (index, byte) in bytes.iter_mut().enumerate() {
            if let ([b'-', after @ ..], true) = (rest, index > 0 && index % 2 == 0) {
                rest = after;
            }
            let [high, low, after @ ..] = rest else { return Err(refused()) };
            *byte = text::hex_pair(*high, *low).ok_or_else(refused)?;
            rest = after;
        }
        if rest.is_empty() { Ok(Self(bytes)) } else { Err(refused()) }
    }
}
