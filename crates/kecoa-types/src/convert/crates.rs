//! Values of the types of other crates, each behind a feature of that crate's name.
//!
//! Each goes through a type of ours, which has the forms on the wire; so a Rust type of another crate reads
//! the columns that ours reads, in both forms, and is sent as the same type. What their types cannot hold
//! (`infinity`, NaN, days before Christ where they have none) is an error that names the type of ours that can.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "rust_decimal")]
mod rust_decimal;
#[cfg(feature = "serde_json")]
mod serde_json;
#[cfg(feature = "time")]
mod time;
#[cfg(feature = "uuid")]
mod uuid;

/// Lets a type of another crate be a parameter and a column, through one of ours.
///
/// `read` makes theirs of ours, `send` makes ours of a reference to theirs.
macro_rules! through {
    ($($(#[$doc:meta])* $theirs:ty, $ours:ty: read $read:expr, send $send:expr;)*) => {
        $(
            $(#[$doc])*
            impl $crate::FromSql for $theirs {
                fn accepts(oid: u32) -> bool {
                    <$ours as $crate::FromSql>::accepts(oid)
                }

                fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, $crate::DecodeError> {
                    let read: fn($ours) -> Result<$theirs, $crate::DecodeError> = $read;
                    read(<$ours as $crate::FromSql>::decode_binary(oid, bytes)?)
                }

                fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, $crate::DecodeError> {
                    let read: fn($ours) -> Result<$theirs, $crate::DecodeError> = $read;
                    read(<$ours as $crate::FromSql>::decode_text(oid, bytes)?)
                }
            }

            impl $crate::StaticOid for $theirs {
                const OID: u32 = <$ours as $crate::StaticOid>::OID;
            }

            $(#[$doc])*
            impl $crate::ToSql for $theirs {
                fn type_oid(&self) -> u32 {
                    <$ours as $crate::StaticOid>::OID
                }

                fn encode_binary(
                    &self,
                    out: &mut Vec<u8>,
                ) -> Result<$crate::IsNull, $crate::EncodeError> {
                    let send: fn(&$theirs) -> Result<$ours, $crate::EncodeError> = $send;
                    send(self)?.encode_binary(out)
                }
            }
        )*
    };
}

use through;

/// The finite one of a date or timestamp, where theirs knows no infinity.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn finite<T>(finite: Option<T>, expected: &'static str) -> Result<T, crate::DecodeError> {
    finite.ok_or_else(|| crate::DecodeError::new(expected, "infinity or -infinity"))
}

/// A date or timestamp of ours that is outside of what theirs can hold.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
#[cold]
fn outside(expected: &'static str, year: i32) -> crate::DecodeError {
    crate::DecodeError::new(expected, format!("one of the year {year}"))
}

/// Seconds from 1970-01-01, where the other crates count from, to 2000-01-01, where PostgreSQL does.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// Microseconds after 2000-01-01, of those after 1970-01-01.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn from_unix(microseconds: i128) -> Result<i64, crate::EncodeError> {
    i64::try_from(microseconds - i128::from(EPOCH_MICROSECONDS)).map_err(|_| {
        crate::EncodeError::Other(format!(
            "expected a timestamp from 4714-11-24 BC to 294276-12-31, found one {microseconds} microseconds after 1970"
        ))
    })
}
