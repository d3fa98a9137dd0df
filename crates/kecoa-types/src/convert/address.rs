//! Addresses of Rust's standard library.

use std::net::IpAddr;

use super::from_sql::FromSql;
use super::to_sql::{IsNull, StaticOid, ToSql};
use crate::{DecodeError, EncodeError, Inet, oid};

/// The address of an `inet` or `cidr`, without the bits of its network.
impl FromSql for IpAddr {
    fn accepts(oid: u32) -> bool {
        Inet::accepts(oid)
    }

    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        Inet::decode_binary(oid, bytes).map(|inet| inet.address())
    }

    fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        Inet::decode_text(oid, bytes).map(|inet| inet.address())
    }
}

impl StaticOid for IpAddr {
    const OID: u32 = oid::INET;
}

/// A host of its own.
impl ToSql for IpAddr {
    fn type_oid(&self) -> u32 {
        oid::INET
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        Inet::from(*self).encode_binary(out)
    }
}
