//! The table of all operators, by families.

use super::parser::Operator;
use super::{
    accumulation, arithmetic, arrays, bits, boolean, comparison, conditional, conversion, date_add,
    date_diff, date_from_parts, date_from_string, date_parts, date_to_string, inspection,
    iteration, literal, objects, pairs, percentiles, powers, ranked, reduction, regex, rounding,
    sets, substring, text, trigonometry, trim, unsupported,
};

const FAMILIES: &[&[Operator]] = &[
    accumulation::OPERATORS,
    arithmetic::OPERATORS,
    arrays::OPERATORS,
    bits::OPERATORS,
    boolean::OPERATORS,
    comparison::OPERATORS,
    conditional::OPERATORS,
    conversion::OPERATORS,
    date_add::OPERATORS,
    date_diff::OPERATORS,
    date_from_parts::OPERATORS,
    date_from_string::OPERATORS,
    date_parts::OPERATORS,
    date_to_string::OPERATORS,
    inspection::OPERATORS,
    iteration::OPERATORS,
    literal::OPERATORS,
    objects::OPERATORS,
    pairs::OPERATORS,
    percentiles::OPERATORS,
    powers::OPERATORS,
    ranked::OPERATORS,
    reduction::OPERATORS,
    regex::OPERATORS,
    rounding::OPERATORS,
    sets::OPERATORS,
    substring::OPERATORS,
    text::OPERATORS,
    trigonometry::OPERATORS,
    trim::OPERATORS,
    unsupported::OPERATORS,
];

/// The operator of that name.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    FAMILIES.iter().copied().flatten().find(|operator| operator.name == name)
}
