//! `json`: its text.

pub use crate::text::json::{decode, encode};
