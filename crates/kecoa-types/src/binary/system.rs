//! `pg_lsn`, `tid` and `xid8`, a module each.

/// `pg_lsn`: eight bytes.
pub mod pg_lsn {
    use crate::{DecodeError, PgLsn};

    /// Decodes the number.
    ///
    /// # Errors
    /// There are more or fewer bytes.
    pub fn decode(bytes: &[u8]) -> Result<PgLsn, DecodeError> {
        crate::binary::array(bytes, "a pg_lsn of 8 bytes")
            .map(|bytes| PgLsn(u64::from_be_bytes(bytes)))
    }

    /// Appends the number.
    pub fn encode(value: &PgLsn, out: &mut Vec<u8>) {
        out.extend_from_slice(&value.0.to_be_bytes());
    }
}

/// `tid`: four bytes of block and two of offset.
pub mod tid {
    use crate::{DecodeError, Tid};

    /// Decodes the place.
    ///
    /// # Errors
    /// There are more or fewer bytes.
    pub fn decode(bytes: &[u8]) -> Result<Tid, DecodeError> {
        let [a, b, c, d, e, f] = crate::binary::array(bytes, "a tid of 6 bytes")?;
        Ok(Tid { block: u32::from_be_bytes([a, b, c, d]), offset: u16::from_be_bytes([e, f]) })
    }

    /// Appends the place.
    pub fn encode(value: &Tid, out: &mut Vec<u8>) {
        out.extend_from_slice(&value.block.to_be_bytes());
        out.extend_from_slice(&value.offset.to_be_bytes());
    }
}

/// `xid8`: eight bytes.
pub mod xid8 {
    use crate::{DecodeError, Xid8};

    /// Decodes the number.
    ///
    /// # Errors
    /// There are more or fewer bytes.
    pub fn decode(bytes: &[u8]) -> Result<Xid8, DecodeError> {
        crate::binary::array(bytes, "an xid8 of 8 bytes")
            .map(|bytes| Xid8(u64::from_be_bytes(bytes)))
    }

    /// Appends the number.
    pub fn encode(value: &Xid8, out: &mut Vec<u8>) {
        out.extend_from_slice(&value.0.to_be_bytes());
    }
}
