//! CockroachDB's `PARTITION BY` with a list of partitions: it says where rows lie, and all lie in one
//! place. PostgreSQL's form, which has no such list, is refused among what CockroachDB lacks.

use kecoa_sql::Statement;

use super::plan::{Refusal, Stop};

/// Refuses the `PARTITION … BY` in `from..to`, which would do what `what` says.
pub(super) fn refuse(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    what: &str,
) -> Result<(), Stop> {
    let found = statement.find(from, to, |i| {
        statement.are(i, &["PARTITION", "BY"]) || statement.are(i, &["PARTITION", "ALL", "BY"])
    });
    let Some(at) = found else { return Ok(()) };
    let kind = at + 2 + usize::from(statement.is(at + 1, "ALL"));
    if statement.is(kind, "NOTHING") || listed(statement, kind) {
        return Err(Refusal::cluster_only(what).into());
    }
    Ok(())
}

/// `LIST (columns) (PARTITION …)`, `RANGE (columns) (PARTITION …)`.
fn listed(statement: &Statement<'_>, kind: usize) -> bool {
    statement.is_any(kind, &["LIST", "RANGE"])
        && statement.is_mark(kind + 1, "(")
        && statement.partner(kind + 1).is_some_and(|columns| {
            statement.is_mark(columns + 1, "(")
                && statement.is_any(columns + 2, &["PARTITION", "SUBPARTITION"])
        })
}
