//! The binary form of values: what a type's send function makes and its receive function reads.
//!
//! One module a type, each with `decode(&[u8]) -> Result<T, DecodeError>` and
//! `encode(&T, &mut Vec<u8>)`. Numbers are big-endian; dates and timestamps count from 2000-01-01.

#![allow(
    clippy::module_inception,
    reason = "each module is named after its type, and one type is named text"
)]

pub mod bool;
pub mod bytea;
pub mod char;
pub mod date;
mod fixed;
pub mod interval;
pub mod json;
pub mod jsonb;
pub mod numeric;
pub mod time;
pub mod timestamp;
pub mod timestamptz;
pub mod timetz;
pub mod uuid;

pub use crate::text::text;
pub use fixed::{float4, float8, int2, int4, int8, oid};
pub use text as bpchar;
pub use text as name;
pub use text as unknown;
pub use text as varchar;

pub(crate) use fixed::array;
