//! Between Rust values and parameters or columns: the traits of the Rust client.
//!
//! A value that is a parameter says as which type it is sent; a type that columns are read as says from which.
//! Both hold for types of other crates, each by a feature of the crate's name (of `kecoa`, too).
//!
//! With the feature `uuid`:
//!
//! ```
//! # #[cfg(feature = "uuid")] {
//! use kecoa_types::{FromSql, ToSql, oid};
//!
//! let id = uuid::Uuid::from_u128(7);
//! assert_eq!(id.type_oid(), oid::UUID);
//! let text = b"00000000-0000-0000-0000-000000000007";
//! assert_eq!(uuid::Uuid::decode_text(oid::UUID, text), Ok(id));
//! # }
//! ```
//!
//! With the feature `chrono`:
//!
//! ```
//! # #[cfg(feature = "chrono")] {
//! use kecoa_types::{FromSql, ToSql, oid};
//!
//! use chrono::{DateTime, NaiveDate, Utc};
//!
//! let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
//! assert_eq!(day.type_oid(), oid::DATE);
//! assert_eq!(NaiveDate::decode_text(oid::DATE, b"2024-02-29"), Ok(day));
//! let at = DateTime::<Utc>::decode_text(oid::TIMESTAMPTZ, b"2024-02-29 12:00:00+02");
//! assert_eq!(at.unwrap().to_rfc3339(), "2024-02-29T10:00:00+00:00");
//! // What the type cannot hold is an error, never another value.
//! assert!(NaiveDate::decode_text(oid::DATE, b"infinity").is_err());
//! # }
//! ```
//!
//! With the feature `jiff`:
//!
//! ```
//! # #[cfg(feature = "jiff")] {
//! use kecoa_types::{FromSql, ToSql, oid};
//!
//! let day = jiff::civil::date(2024, 2, 29);
//! assert_eq!(day.type_oid(), oid::DATE);
//! assert_eq!(jiff::civil::Date::decode_text(oid::DATE, b"2024-02-29"), Ok(day));
//! let at = jiff::Timestamp::decode_text(oid::TIMESTAMPTZ, b"1970-01-01 00:00:01+00");
//! assert_eq!(at, Ok(jiff::Timestamp::from_second(1).unwrap()));
//! # }
//! ```
//!
//! With the feature `time`:
//!
//! ```
//! # #[cfg(feature = "time")] {
//! use kecoa_types::{FromSql, ToSql, oid};
//!
//! let at = time::OffsetDateTime::UNIX_EPOCH;
//! assert_eq!(at.type_oid(), oid::TIMESTAMPTZ);
//! let text = b"1970-01-01 00:00:00+00";
//! assert_eq!(time::OffsetDateTime::decode_text(oid::TIMESTAMPTZ, text), Ok(at));
//! # }
//! ```
//!
//! With the feature `rust_decimal`:
//!
//! ```
//! # #[cfg(feature = "rust_decimal")] {
//! use kecoa_types::{FromSql, ToSql, oid};
//!
//! use rust_decimal::Decimal;
//!
//! let price = Decimal::new(1250, 2);
//! assert_eq!(price.type_oid(), oid::NUMERIC);
//! assert_eq!(Decimal::decode_text(oid::NUMERIC, b"12.50"), Ok(price));
//! assert!(Decimal::decode_text(oid::NUMERIC, b"NaN").is_err());
//! # }
//! ```
//!
//! With the feature `serde_json`:
//!
//! ```
//! # #[cfg(feature = "serde_json")] {
//! use kecoa_types::{FromSql, ToSql, oid};
//!
//! let note = serde_json::json!({ "paid": true });
//! assert_eq!(note.type_oid(), oid::JSONB);
//! assert_eq!(serde_json::Value::decode_text(oid::JSON, br#"{"paid": true}"#), Ok(note));
//! # }
//! ```

mod address;
#[cfg(any(
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "serde_json",
    feature = "time",
    feature = "uuid"
))]
mod crates;
mod extension;
mod from_sql;
mod range;
mod to_sql;

pub use from_sql::FromSql;
pub use to_sql::{IsNull, StaticOid, ToSql};
