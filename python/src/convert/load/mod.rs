//! From the server's values to Python objects: one loader a column, chosen once a result.

mod array;
mod binary;
mod bytea;
mod context;
mod datetime;
mod json;
mod kind;
mod loader;
mod native;
mod number;
mod uuid;

pub(super) use binary::form::Form;
pub(crate) use context::{CODEC_OF_CURSOR, Context};
pub(crate) use kind::Kind;
pub(crate) use loader::Loader;
