//! Functions that PostgreSQL knows without brackets only: `current_date()`.

use kecoa_grammar::NodeId;

use super::parsed::Query;
use crate::dialect::edit::Edits;

const WITHOUT_BRACKETS: [&str; 7] = [
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "CURRENT_USER",
    "SESSION_USER",
];

/// Takes empty brackets away.
pub(super) fn rewrite(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (first, end) = query.tree.tokens(node);
    let statement = query.statement;
    if end == first + 3 && statement.is_any(first, &WITHOUT_BRACKETS) {
        edits.replace(statement.start(first + 1), statement.end(first + 2), "");
    }
}
