//! What LIMIT and OFFSET take: integers.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::plan::Refusal;

/// `LIMIT 1.5` is refused; PostgreSQL rounds it. `LIMIT 1.0` is an integer.
pub(super) fn check(query: &Query<'_, '_>, node: NodeId) -> Result<(), Refusal> {
    let tree = query.tree;
    let Some(value) = tree.child(node, Kind::Decimal) else { return Ok(()) };
    let text = String::from_utf8_lossy(query.statement.text(tree.first(value)));
    if text.parse::<f64>().is_ok_and(|number| number.fract() == 0.0) {
        return Ok(());
    }
    let clause = if tree.is(node, Kind::Offset) { "OFFSET" } else { "LIMIT" };
    let message = format!("argument of {clause} must be type int, not type decimal");
    Err(Refusal {
        detail: String::new(),
        hint: "SET kecoa_strict = off lets PostgreSQL round it".to_owned(),
        ..Refusal::new("42804", message)
    })
}
