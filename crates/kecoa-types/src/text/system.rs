//! `pg_lsn`, `tid` and `xid8`, a module each.

/// `pg_lsn`.
pub mod pg_lsn {
    use crate::{DecodeError, PgLsn};

    /// Decodes two hexadecimal numbers of up to eight digits with a slash between them.
    ///
    /// # Errors
    /// It is not that.
    pub fn decode(bytes: &[u8]) -> Result<PgLsn, DecodeError> {
        parse(bytes).ok_or_else(|| DecodeError::text("a pg_lsn as 16/B374D848", bytes))
    }

    fn parse(bytes: &[u8]) -> Option<PgLsn> {
        let (high, low) = std::str::from_utf8(bytes).ok()?.split_once('/')?;
        let half = |text: &str| {
            // A sign is a digit to nobody but from_str_radix.
            let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            u32::from_str_radix(text, 16).ok().filter(|_| plain && text.len() <= 8)
        };
        Some(PgLsn(u64::from(half(high)?) << 32 | u64::from(half(low)?)))
    }

    /// Appends the numbers.
    pub fn encode(value: &PgLsn, out: &mut Vec<u8>) {
        let text = format!("{:X}/{:X}", value.0 >> 32, value.0 & 0xffff_ffff);
        out.extend_from_slice(text.as_bytes());
    }
}

/// `tid`.
pub mod tid {
    use crate::text::integer;
    use crate::{DecodeError, Tid};

    /// Decodes `(block,offset)`.
    ///
    /// # Errors
    /// It is not that.
    pub fn decode(bytes: &[u8]) -> Result<Tid, DecodeError> {
        parse(bytes).ok_or_else(|| DecodeError::text("a tid as (block,offset)", bytes))
    }

    fn parse(bytes: &[u8]) -> Option<Tid> {
        let inside = bytes.strip_prefix(b"(")?.strip_suffix(b")")?;
        let comma = memchr::memchr(b',', inside)?;
        let number = |bytes: Option<&[u8]>| integer::parse_unsigned(bytes?);
        Some(Tid {
            block: number(inside.get(..comma))?.try_into().ok()?,
            offset: number(inside.get(comma + 1..))?.try_into().ok()?,
        })
    }

    /// Appends `(block,offset)`.
    pub fn encode(value: &Tid, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("({},{})", value.block, value.offset).as_bytes());
    }
}

/// `xid8`.
pub mod xid8 {
    use crate::text::integer;
    use crate::{DecodeError, Xid8};

    /// Decodes digits.
    ///
    /// # Errors
    /// It is no number of 64 bits.
    pub fn decode(bytes: &[u8]) -> Result<Xid8, DecodeError> {
        integer::parse_unsigned(bytes)
            .map(Xid8)
            .ok_or_else(|| DecodeError::text("an xid8 as a number from 0 to 2^64 - 1", bytes))
    }

    /// Appends the digits.
    pub fn encode(value: &Xid8, out: &mut Vec<u8>) {
        integer::push_unsigned(value.0, out);
    }
}
