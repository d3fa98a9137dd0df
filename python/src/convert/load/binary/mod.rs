//! Values in binary form: the same Python objects as from text, with less work where it pays.
//!
//! What Python has no object for, or only by a rule of the text loaders (`infinity`, years BC, more
//! days than a timedelta holds), is written as the server would and goes through the text loader, so
//! that both forms have one answer.

pub(super) mod array;
mod float4;
pub(in crate::convert) mod form;
mod numeric;
pub(super) mod problem;
pub(super) mod to_text;
mod value;
