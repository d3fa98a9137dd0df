//! The types of extensions: their oids differ from database to database, so they are read from any type
//! that is not built in and sent as whatever the server expects.

use super::from_sql::FromSql;
use super::to_sql::{IsNull, StaticOid, ToSql};
use crate::{
    DecodeError, EncodeError, HalfVector, Hstore, SparseVector, Vector, binary, oid, text,
};

macro_rules! of_extension {
    ($($type:ty, $module:ident, $built_in:expr;)*) => {
        $(
            impl FromSql for $type {
                fn accepts(oid: u32) -> bool {
                    oid::is_own(oid) || $built_in == Some(oid)
                }

                fn decode_binary(_: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
                    binary::$module::decode(bytes)
                }

                fn decode_text(_: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
                    text::$module::decode(bytes)
                }
            }

            impl StaticOid for $type {
                const OID: u32 = 0;
            }

            impl ToSql for $type {
                fn type_oid(&self) -> u32 {
                    0
                }

                fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
                    binary::$module::encode(self, out);
                    Ok(IsNull::No)
                }

                fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
                    text::$module::encode(self, out);
                    Ok(IsNull::No)
                }
            }
        )*
    };
}

of_extension! {
    Hstore, hstore, None;
    Vector, vector, Some(oid::PGVECTOR);
    HalfVector, halfvec, None;
    SparseVector, sparsevec, None;
}
