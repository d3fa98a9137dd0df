//! What is not shown here, and why.

use kecoa_sql::Statement;

use crate::dialect::plan::Refusal;

/// The error for a `SHOW` whose answer only a cluster has, if it is one.
pub(super) fn refusal(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    let is = |words: &[&str]| statement.are(at + 1, words);
    if at > 0 && is(&["SAVEPOINT", "STATUS"]) {
        let message = "cannot use SHOW SAVEPOINT STATUS as a statement source";
        return Some(Refusal::new("0A000", message));
    }
    THINGS.iter().find(|(words, _)| is(words)).map(|(_, what)| Refusal::cluster_only(what))
}

const THINGS: &[(&[&str], &str)] = &[
    (&["BACKUP"], "take backups"),
    (&["BACKUPS"], "take backups"),
    (&["CREATE", "EXTERNAL"], "keep external connections"),
    (&["CREATE", "SCHEDULE"], "run schedules"),
    (&["CREATE", "ALL", "SCHEDULES"], "run schedules"),
    (&["CREATE", "LOGICAL"], "replicate between clusters"),
    (&["COMMIT", "TIMESTAMP"], "say when a transaction was committed"),
    (&["COMPLETIONS"], "complete statements"),
    (&["GRANTS", "ON", "EXTERNAL"], "keep external connections"),
    (&["EXPERIMENTAL_FINGERPRINTS"], "show fingerprints of tables"),
    (&["EXPERIMENTAL_RANGES"], "show ranges"),
    (&["EXPERIMENTAL_REPLICA"], "trace sessions"),
    (&["EXTERNAL", "CONNECTION"], "keep external connections"),
    (&["EXTERNAL", "CONNECTIONS"], "keep external connections"),
    (&["FINGERPRINTS"], "show fingerprints of tables"),
    (&["HISTOGRAM"], "show histograms (PostgreSQL's are in pg_stats)"),
    (&["KV", "TRACE"], "trace sessions"),
    (&["LAST", "QUERY", "STATISTICS"], "say how long the last statement took"),
    (&["LOGICAL", "REPLICATION"], "replicate between clusters"),
    (&["RANGE"], "show ranges"),
    (&["RANGES"], "show ranges"),
    (&["CLUSTER", "RANGES"], "show ranges"),
    (&["STATISTICS", "USING"], "show statistics as JSON"),
    (&["SYNTAX"], "check the syntax of a text"),
    (&["COMPACT", "TRACE"], "trace sessions"),
    (&["COMPACT", "KV"], "trace sessions"),
    (&["TENANT"], "hold virtual clusters"),
    (&["TENANTS"], "hold virtual clusters"),
    (&["TRACE"], "trace sessions"),
    (&["TRANSFER"], "move a session to another node"),
    (&["VIRTUAL", "CLUSTER"], "hold virtual clusters"),
    (&["VIRTUAL", "CLUSTERS"], "hold virtual clusters"),
    (&["ZONE"], "configure zones"),
    (&["ZONES"], "configure zones"),
    (&["ALL", "ZONE"], "configure zones"),
    (&["PREPARED", "TRANSACTIONS"], "prepare transactions"),
];
