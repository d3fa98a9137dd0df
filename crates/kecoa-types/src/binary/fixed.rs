//! Types whose binary form is a number of fixed width.

use crate::DecodeError;

/// The bytes as an array of the length a type has.
#[inline]
pub(crate) fn array<const N: usize>(
    bytes: &[u8],
    expected: &'static str,
) -> Result<[u8; N], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::binary(expected, bytes))
}

macro_rules! fixed {
    ($($module:ident: $type:ty, $expected:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($module), "`: ", $expected, ".")]
            pub mod $module {
                use crate::DecodeError;

                /// Decodes the big-endian number.
                ///
                /// # Errors
                /// There are more or fewer bytes.
                #[inline]
                pub fn decode(bytes: &[u8]) -> Result<$type, DecodeError> {
                    super::array(bytes, $expected).map(<$type>::from_be_bytes)
                }

                /// Appends the big-endian number.
                pub fn encode(value: &$type, out: &mut Vec<u8>) {
                    out.extend_from_slice(&value.to_be_bytes());
                }
            }
        )*
    };
}

fixed! {
    int2: i16, "an integer of 2 bytes";
    int4: i32, "an integer of 4 bytes";
    int8: i64, "an integer of 8 bytes";
    oid: u32, "an oid of 4 bytes";
    float4: f32, "an IEEE 754 number of 4 bytes";
    float8: f64, "an IEEE 754 number of 8 bytes";
}
