//! Subscripts on any operand: PostgreSQL wants brackets around all but columns and parameters.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::edit::Edits;

/// `ARRAY['a'][1]` -> `(ARRAY['a'])[1]`
pub(super) fn subscript(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let Some(operand) = query.tree.children(node).next() else { return };
    let taken = matches!(
        query.tree.kind(operand),
        Some(
            Kind::Column
                | Kind::Parameter
                | Kind::Paren
                | Kind::Subquery
                | Kind::Subscript
                | Kind::Field
        )
    );
    if !taken {
        query.wrap(operand, edits);
    }
}
