//! The table of all operators, by families.

use super::parser::Operator;
use super::{boolean, comparison, literal};

const FAMILIES: &[&[Operator]] = &[boolean::OPERATORS, comparison::OPERATORS, literal::OPERATORS];

/// The operator of that name.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    FAMILIES.iter().copied().flatten().find(|operator| operator.name == name)
}
