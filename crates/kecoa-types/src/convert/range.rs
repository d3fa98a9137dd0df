//! Ranges and multiranges: sent as the built-in type of their bounds, or as whatever the server expects.

use super::from_sql::FromSql;
use super::to_sql::{IsNull, StaticOid, ToSql};
use crate::error::{DecodeError, EncodeError};
use crate::range::{Multirange, Range};
use crate::{oid, range};

/// The type of the bounds of a range or multirange that `T` reads, checked.
fn bound_of<T: FromSql>(range: u32) -> Result<u32, DecodeError> {
    oid::bound_of(range).filter(|bound| T::accepts(*bound)).ok_or_else(|| {
        let name = oid::name_of(range).unwrap_or("a type");
        DecodeError::new(
            "a range whose bounds can be read as asked",
            format!("{name} (oid {range})"),
        )
    })
}

impl<T: FromSql> FromSql for Range<T> {
    fn accepts(oid: u32) -> bool {
        oid::is_range(oid) && oid::bound_of(oid).is_some_and(T::accepts)
    }

    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        let bound = bound_of::<T>(oid)?;
        range::binary::decode(bytes, |bytes| T::decode_binary(bound, bytes))
    }

    fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        let bound = bound_of::<T>(oid)?;
        range::text::decode(bytes, |bytes| T::decode_text(bound, bytes))
    }
}

impl<T: FromSql> FromSql for Multirange<T> {
    fn accepts(oid: u32) -> bool {
        !oid::is_range(oid) && oid::bound_of(oid).is_some_and(T::accepts)
    }

    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        let bound = bound_of::<T>(oid)?;
        range::binary::decode_multirange(bytes, |bytes| T::decode_binary(bound, bytes))
    }

    fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        let bound = bound_of::<T>(oid)?;
        range::text::decode_multirange(bytes, |bytes| T::decode_text(bound, bytes))
    }
}

fn push_bound<T: ToSql>(bound: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match bound.encode_binary(out)? {
        IsNull::No => Ok(()),
        IsNull::Yes => Err(EncodeError::Other(
            "expected a bound of a range, found NULL (Bound::Unbounded is no bound)".to_owned(),
        )),
    }
}

/// Sent as the built-in range of its bounds' type; as what the server expects where there is none.
impl<T: ToSql + StaticOid> ToSql for Range<T> {
    fn type_oid(&self) -> u32 {
        Self::OID
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        range::binary::encode(self, out, push_bound).map(|()| IsNull::No)
    }
}

impl<T: StaticOid> StaticOid for Range<T> {
    const OID: u32 = oid::ranges_of(T::OID).0;
}

/// Sent as the built-in multirange of its bounds' type; as what the server expects where there is none.
impl<T: ToSql + StaticOid> ToSql for Multirange<T> {
    fn type_oid(&self) -> u32 {
        Self::OID
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        range::binary::encode_multirange(self, out, push_bound).map(|()| IsNull::No)
    }
}

impl<T: StaticOid> StaticOid for Multirange<T> {
    const OID: u32 = oid::ranges_of(T::OID).1;
}
