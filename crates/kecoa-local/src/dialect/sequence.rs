//! `CREATE SEQUENCE` and `ALTER SEQUENCE`: CockroachDB's own options.

use kecoa_sql::Statement;

use super::edit::Edits;
use super::plan::{Refusal, Stop};

/// Whether the statement makes or changes a sequence.
pub(super) fn is_one(statement: &Statement<'_>) -> bool {
    statement.is(1, "SEQUENCE")
        || statement.is_any(1, &["TEMP", "TEMPORARY"]) && statement.is(2, "SEQUENCE")
}

/// Rewrites the options of a sequence.
///
/// The numbers that a node of CockroachDB keeps are shared by the node's sessions, where those that
/// PostgreSQL keeps are one session's: with one node the numbers are the same without.
pub(super) fn rewrite(statement: &Statement<'_>, edits: &mut Edits) -> Result<(), Stop> {
    let mut at = 3;
    while at < statement.len() {
        if statement.is(at, "VIRTUAL") {
            let mut refusal = Refusal::cluster_only("make virtual sequences");
            "take unique_rowid() for the default of the column".clone_into(&mut refusal.hint);
            return Err(refusal.into());
        }
        if statement.are(at, &["PER", "NODE", "CACHE"]) {
            edits.replace(statement.start(at), statement.end(at + 3), "");
            at += 3;
        } else if statement.are(at, &["PER", "SESSION", "CACHE"]) {
            edits.replace(statement.start(at), statement.end(at + 1), "");
            at += 2;
        }
        at += 1;
    }
    Ok(())
}
