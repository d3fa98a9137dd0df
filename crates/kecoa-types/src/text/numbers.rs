//! Types whose text form is a number in decimal.

macro_rules! integers {
    ($($module:ident: $type:ty, $parse:ident, $push:ident($wide:ty), $expected:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($module), "`.")]
            pub mod $module {
                use crate::error::DecodeError;
                use crate::text::integer;

                /// Decodes a decimal number.
                ///
                /// # Errors
                /// It is not one, or it is out of range.
                #[inline]
                pub fn decode(bytes: &[u8]) -> Result<$type, DecodeError> {
                    integer::$parse(bytes)
                        .and_then(|value| <$type>::try_from(value).ok())
                        .ok_or_else(|| DecodeError::text($expected, bytes))
                }

                /// Appends a decimal number.
                pub fn encode(value: &$type, out: &mut Vec<u8>) {
                    integer::$push(<$wide>::from(*value), out);
                }
            }
        )*
    };
}

integers! {
    int2: i16, parse, push(i64), "an integer from -32768 to 32767";
    int4: i32, parse, push(i64), "an integer from -2147483648 to 2147483647";
    int8: i64, parse, push(i64), "an integer from -9223372036854775808 to 9223372036854775807";
    oid: u32, parse_unsigned, push_unsigned(u64), "an oid from 0 to 4294967295";
}

macro_rules! floats {
    ($($module:ident: $type:ty, $precision:literal, $expected:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($module), "`.")]
            pub mod $module {
                use crate::error::DecodeError;
                use crate::text::real::{Shortest, number_text};

                /// Decodes a number, `NaN`, `Infinity` or `-Infinity`.
                ///
                /// # Errors
                /// It is none of these.
                #[inline]
                pub fn decode(bytes: &[u8]) -> Result<$type, DecodeError> {
                    match bytes {
                        b"NaN" => Ok(<$type>::NAN),
                        b"Infinity" => Ok(<$type>::INFINITY),
                        b"-Infinity" => Ok(<$type>::NEG_INFINITY),
                        _ => number_text(bytes)
                            .and_then(|text| text.parse().ok())
                            // What has too large an exponent parses as infinite; the server never
                            // prints that.
                            .filter(|value: &$type| value.is_finite())
                            .ok_or_else(|| DecodeError::text($expected, bytes)),
                    }
                }

                /// Appends the fewest digits that are nearer to this number than to any other, as
                /// PostgreSQL prints them with `extra_float_digits` 1, the default, or more.
                pub fn encode(value: &$type, out: &mut Vec<u8>) {
                    Shortest::strict(*value).push($precision, false, out);
                }
            }
        )*
    };
}

floats! {
    float4: f32, 6, "a float4 number";
    float8: f64, 15, "a float8 number";
}
