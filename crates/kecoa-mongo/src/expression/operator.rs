//! The table of all operators, by families.

use super::parser::Operator;
use super::{
    arithmetic, arrays, bits, boolean, comparison, conditional, date_add, date_diff,
    date_from_parts, date_from_string, date_parts, date_to_string, iteration, literal, objects,
    pairs, regex, rounding, sets, substring, text, trim,
};

const FAMILIES: &[&[Operator]] = &[
    arithmetic::OPERATORS,
    arrays::OPERATORS,
    bits::OPERATORS,
    boolean::OPERATORS,
    comparison::OPERATORS,
    conditional::OPERATORS,
    date_add::OPERATORS,
    date_diff::OPERATORS,
    date_from_parts::OPERATORS,
    date_from_string::OPERATORS,
    date_parts::OPERATORS,
    date_to_string::OPERATORS,
    iteration::OPERATORS,
    literal::OPERATORS,
    objects::OPERATORS,
    pairs::OPERATORS,
    regex::OPERATORS,
    rounding::OPERATORS,
    sets::OPERATORS,
    substring::OPERATORS,
    text::OPERATORS,
    trim::OPERATORS,
];

/// The operator of that name.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    FAMILIES.iter().copied().flatten().find(|operator| operator.name == name)
}
