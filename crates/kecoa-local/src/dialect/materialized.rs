//! `REFRESH MATERIALIZED VIEW`.

use kecoa_sql::Statement;

use super::edit::Edits;

/// `CONCURRENTLY`, which PostgreSQL has for views with a unique index alone: dropped, as it says nothing in
/// CockroachDB.
pub(super) fn refresh(statement: &Statement<'_>, edits: &mut Edits) {
    if statement.are(0, &["REFRESH", "MATERIALIZED", "VIEW", "CONCURRENTLY"]) {
        edits.replace(statement.start(3), statement.end(3), "");
        edits.add_notice(
            "CONCURRENTLY is not required as views are refreshed concurrently; the local endpoint's \
             readers wait until it is done",
        );
    }
}
