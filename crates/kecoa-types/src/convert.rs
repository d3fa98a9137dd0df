//! Between Rust values and parameters or columns: the traits of the Rust client.

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
