//! The table of all operators, by families.

use super::parser::Operator;
use super::{
    arithmetic, arrays, bits, boolean, comparison, conditional, iteration, literal, rounding,
};

const FAMILIES: &[&[Operator]] = &[
    arithmetic::OPERATORS,
    arrays::OPERATORS,
    bits::OPERATORS,
    boolean::OPERATORS,
    comparison::OPERATORS,
    conditional::OPERATORS,
    iteration::OPERATORS,
    literal::OPERATORS,
    rounding::OPERATORS,
];

/// The operator of that name.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    FAMILIES.iter().copied().flatten().find(|operator| operator.name == name)
}
