//! Types of PostgreSQL and CockroachDB: object identifiers, the text and binary form of values in
//! both directions, SQL literals and identifiers.
//!
//! Nothing here does I/O. Bytes that come from a server are checked: no input makes a decoder
//! panic, or allocate more than a small multiple of its length (a `numeric` with an exponent: than
//! the 150 KB of the longest value).
//!
//! ```
//! use kecoa_types::{Date, literal, text};
//!
//! let date = text::date::decode(b"0044-03-15 BC")?;
//! assert_eq!(date, Date::new(-43, 3, 15).unwrap());
//!
//! let error = text::date::decode(b"15.03.2024").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "expected a date as YYYY-MM-DD[ BC] (DateStyle ISO), found \"15.03.2024\""
//! );
//!
//! assert_eq!(literal::quote_literal(b"it's").unwrap(), b"'it''s'");
//! # Ok::<(), kecoa_types::DecodeError>(())
//! ```

#![forbid(unsafe_code)]

pub mod array;
pub mod binary;
mod bits;
pub mod civil;
pub mod client_encoding;
pub mod composite;
pub mod convert;
mod error;
mod hstore;
mod info;
mod json;
pub mod literal;
mod money;
pub mod net;
pub mod numeric;
pub mod oid;
mod quoting;
pub mod range;
mod system;
pub mod text;
mod uuid;
pub mod vector;

pub use array::Array;
pub use bits::BitString;
pub use civil::{Date, Interval, Time, TimeTz, Timestamp, TimestampTz};
pub use client_encoding::ClientEncoding;
pub use convert::{FromSql, IsNull, StaticOid, ToSql};
pub use error::{DecodeError, EncodeError, RangeError};
pub use hstore::Hstore;
pub use info::{TypeInfo, TypeKind};
pub use json::Json;
pub use money::Money;
pub use net::{Inet, MacAddr, MacAddr8};
pub use numeric::Numeric;
pub use range::{Multirange, Range};
pub use system::{PgLsn, Tid, Xid8};
pub use uuid::Uuid;
pub use vector::{HalfVector, SparseVector, Vector};
