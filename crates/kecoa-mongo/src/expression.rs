//! Aggregation's expressions: field paths, variables, literals, and some 170 operators.
//!
//! [`Expression::parse`] reads one and refuses what can't be evaluated on any document; [`Expression::evaluate`]
//! gives its value on a document. A value may be *missing* (`None`), which is not `null`: objects drop a missing
//! value, arrays turn it into `null`.
//!
//! The operators are tables, a file a family: an operator is a name and how its arguments are read.
//! Fields are borrowed from the document and never copied to be looked at.

mod accumulation;
mod arguments;
mod arithmetic;
mod arrays;
mod binary_text;
mod bits;
mod boolean;
mod cast;
mod coercion;
mod collated;
mod command_let;
mod comparison;
mod conditional;
mod context;
mod conversion;
mod date_add;
mod date_diff;
mod date_format;
mod date_from_parts;
mod date_from_string;
mod date_parts;
mod date_text;
mod date_to_string;
mod describe;
mod field_path;
mod fields;
mod hashed;
mod inspection;
mod instant;
mod integers;
mod iteration;
mod literal;
mod naming;
mod node;
mod objects;
mod operator;
mod outcome;
mod pairs;
mod parsed;
mod parser;
mod percentiles;
mod powers;
mod ranked;
mod reduction;
mod regex;
mod rounding;
mod scope;
mod sets;
mod size;
mod substring;
mod target;
mod text;
mod time_unit;
mod trigonometry;
mod trim;
mod unsupported;
mod variables;
mod zone;
mod zone_abbreviation;

use ::bson::RawBsonRef;

pub use accumulation::{Spread, Sum};
pub use date_add::date_plus;
pub use hashed::hash as index_hash;
pub(crate) use naming::is_of_reference;
pub use parsed::Expression;
pub use percentiles::{parts as percentile_parts, percentile};
pub use scope::Scope;
pub use time_unit::Unit as TimeUnit;
pub use variables::Variables;

/// Whether a value counts as true: all but `false`, zero, `null`, `undefined` and a missing one.
#[must_use]
pub fn is_true(value: Option<RawBsonRef<'_>>) -> bool {
    boolean::is_true(value)
}

/// The name of a value's type, as `$type` and messages say it: `missing` for none.
#[must_use]
pub fn type_name(value: Option<RawBsonRef<'_>>) -> &'static str {
    describe::type_name(value)
}

/// A value as messages show it, cut where it is long.
#[must_use]
pub fn shown(value: RawBsonRef<'_>) -> String {
    describe::value(Some(value))
}
