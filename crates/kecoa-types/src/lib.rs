//! Types of PostgreSQL and CockroachDB: object identifiers, the text and binary form of values in
//! both directions, SQL literals and identifiers.
//!
//! Nothing here does I/O. Bytes that come from a server are checked: no input makes a decoder
//! panic, or allocate more than a small multiple of its length (a `numeric` with an exponent: than
//! the 150 KB of the longest value).

#![forbid(unsafe_code)]

pub mod array;
pub mod binary;
pub mod civil;
pub mod convert;
mod error;
mod json;
pub mod literal;
pub mod numeric;
pub mod oid;
pub mod text;
mod uuid;

pub use array::Array;
pub use civil::{Date, Interval, Time, TimeTz, Timestamp, TimestampTz};
pub use convert::{FromSql, IsNull, StaticOid, ToSql};
pub use error::{DecodeError, EncodeError, RangeError};
pub use json::Json;
pub use numeric::Numeric;
pub use uuid::Uuid;
