//! What a cluster would report of itself: sessions, queries, jobs, settings, regions.

use kecoa_sql::Statement;

use super::shown::{Shown, rows};

/// The query for the `SHOW` at `at`; `None` when it is about something else.
pub(super) fn query(statement: &Statement<'_>, at: usize) -> Option<Shown> {
    let is = |words: &[&str]| statement.are(at + 1, words);
    // SHOW CLUSTER SESSIONS, SHOW ALL LOCAL QUERIES, …
    let mut noun = at + 1;
    while statement.is_any(noun, &["ALL", "CLUSTER", "LOCAL"]) {
        noun += 1;
    }
    let (sql, tag) = if statement.is(noun, "SESSIONS") {
        (SESSIONS, "SHOW SESSIONS")
    } else if statement.is_any(noun, &["QUERIES", "STATEMENTS"]) {
        (QUERIES, "SHOW QUERIES")
    } else if statement.is_any(noun, &["JOBS", "JOB"]) {
        (JOBS, "SHOW JOBS")
    } else if is(&["CLUSTER", "SETTINGS"]) || is(&["ALL", "CLUSTER", "SETTINGS"]) {
        (SETTINGS, "SHOW CLUSTER SETTINGS")
    } else if is(&["REGIONS", "FROM", "CLUSTER"]) {
        ("SELECT region, zones FROM crdb_internal.regions", "SHOW REGIONS")
    } else if is(&["REGIONS", "FROM", "DATABASE"]) {
        (DATABASE_REGIONS, "SHOW REGIONS")
    } else if is(&["REGIONS"]) {
        (REGIONS, "SHOW REGIONS")
    } else if is(&["SURVIVAL", "GOAL"]) {
        (SURVIVAL, "SHOW SURVIVAL GOAL")
    } else {
        return None;
    };
    rows(sql, tag)
}

const SESSIONS: &str = "SELECT * FROM crdb_internal.cluster_sessions ORDER BY session_start";

const QUERIES: &str = "SELECT * FROM crdb_internal.cluster_queries ORDER BY start";

const JOBS: &str = "SELECT * FROM crdb_internal.jobs";

const SETTINGS: &str = "SELECT variable, value, type AS setting_type, public, description, \
    default_value, origin FROM crdb_internal.cluster_settings ORDER BY 1";

const REGIONS: &str = "SELECT region, zones, NULL::text[] AS database_names, \
    NULL::text[] AS primary_region_of, NULL::text[] AS secondary_region_of \
    FROM crdb_internal.regions";

const DATABASE_REGIONS: &str = "SELECT NULL::text AS database, region, NULL::bool AS primary, \
    NULL::bool AS secondary, zones FROM crdb_internal.regions";

const SURVIVAL: &str = "SELECT pg_catalog.current_database()::text AS database, \
    NULL::text AS survival_goal";
