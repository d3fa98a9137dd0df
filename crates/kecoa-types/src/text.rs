//! The text form of values: what a type's output function prints and its input function reads.
//!
//! One module a type, each with `decode(&[u8]) -> Result<T, DecodeError>` and
//! `encode(&T, &mut Vec<u8>)`. Decoders read what servers print (DateStyle `ISO`); they look at
//! bytes and allocate only for values that own memory. Encoders print what PostgreSQL prints, byte
//! for byte, with DateStyle `ISO` and IntervalStyle `postgres`.

#![allow(
    clippy::module_inception,
    reason = "each module is named after its type, and one type is named text"
)]

pub mod bool;
pub mod bytea;
pub mod char;
pub mod cidr;
pub mod date;
mod datetime;
pub mod fields;
pub(crate) mod hex;
pub mod hstore;
pub mod inet;
pub(crate) mod integer;
pub mod interval;
pub mod json;
pub mod macaddr;
pub mod macaddr8;
pub mod money;
mod numbers;
pub mod numeric;
pub(crate) mod real;
mod system;
pub mod text;
pub mod time;
pub mod timestamp;
pub mod timestamptz;
pub mod timetz;
pub mod uuid;
pub mod varbit;
mod vectors;

pub use json as jsonb;
pub use numbers::{float4, float8, int2, int4, int8, oid};
pub use system::{pg_lsn, tid, xid8};
pub use text as bpchar;
pub use text as name;
pub use text as unknown;
pub use text as varchar;
pub use varbit as bit;
pub use vectors::{halfvec, sparsevec, vector};
