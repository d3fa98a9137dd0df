//! MongoDB's rules for BSON values: order, numbers, keys, paths, validation.
//!
//! Everything works on raw documents of crate `bson` and copies only what it must. Documents from outside go
//! through [`validate`] once; the other modules take documents that passed. One that did not pass gives some
//! order and some key, which mean nothing.

pub mod compare;
pub mod decimal128;
pub mod depth;
mod exact;
pub mod field;
pub mod key;
pub mod limits;
pub mod number;
pub mod path;
mod pointer;
pub mod type_class;
pub mod validate;
mod wide;
