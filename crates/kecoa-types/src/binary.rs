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
pub mod cidr;
pub mod date;
mod fixed;
pub mod geometry;
pub mod hstore;
pub mod inet;
pub mod interval;
pub mod json;
pub mod jsonb;
pub mod macaddr;
pub mod macaddr8;
pub mod money;
pub mod numeric;
mod system;
pub mod time;
pub mod timestamp;
pub mod timestamptz;
pub mod timetz;
pub mod uuid;
pub mod varbit;
mod vectors;

pub use crate::text::text;
pub use fixed::{float4, float8, int2, int4, int8, oid};
pub use system::{pg_lsn, tid, xid8};
pub use text as bpchar;
pub use text as name;
pub use text as unknown;
pub use text as varchar;
pub use varbit as bit;
pub use vectors::{halfvec, sparsevec, vector};

pub(crate) use fixed::array;
