//! What a cluster would report of itself: sessions, statements, transactions, jobs, regions, settings.

use kecoa_sql::Statement;

use super::shown::{Found, none, own_database, rows, uncounted};
use crate::dialect::catalog::Context;
use crate::dialect::plan::Refusal;

/// The query for a `SHOW` about what runs, or could run, on a cluster.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Found {
    let is = |words: &[&str]| statement.are(at + 1, words);
    if is(&["CLUSTER", "SETTINGS"])
        || is(&["ALL", "CLUSTER", "SETTINGS"])
        || is(&["PUBLIC", "CLUSTER", "SETTINGS"])
    {
        return rows(SETTINGS, "SHOW CLUSTER SETTINGS");
    }
    if is(&["CLUSTER", "SETTING"]) {
        if statement.slice(at + 3, end).to_ascii_lowercase() != "version" {
            return Err(Refusal::cluster_only("show cluster settings").into());
        }
        return uncounted("SELECT '25.2'::text AS version", "SHOW CLUSTER SETTING");
    }
    if statement.is(at + 1, "REGIONS") || is(&["SUPER", "REGIONS"]) || is(&["SURVIVAL", "GOAL"]) {
        return regions(statement, at, end, context);
    }
    if statement.is_any(at + 1, &["JOBS", "JOB"]) || is(&["AUTOMATIC", "JOBS"]) {
        return none(JOBS, "SHOW JOBS");
    }
    if is(&["CHANGEFEED", "JOBS"]) || is(&["CHANGEFEED", "JOB"]) {
        return none(CHANGEFEED_JOBS, "SHOW JOBS");
    }
    if statement.is_any(at + 1, &["SCHEDULES", "SCHEDULE"])
        || statement.is_any(at + 1, &["RUNNING", "PAUSED"]) && statement.is(at + 2, "SCHEDULES")
    {
        return none(SCHEDULES, "SHOW SCHEDULES");
    }
    if is(&["FULL", "TABLE", "SCANS"]) {
        return Err(Refusal::cluster_only("list the statements that scanned a whole table").into());
    }
    // SHOW CLUSTER SESSIONS, SHOW ALL LOCAL STATEMENTS, …
    let mut noun = at + 1;
    while statement.is_any(noun, &["ALL", "CLUSTER", "LOCAL"]) {
        noun += 1;
    }
    if statement.is_any(noun, &["SESSIONS", "QUERIES", "STATEMENTS"]) && noun + 1 == end {
        context.catalog.activity()?;
    }
    let all = (at + 1..noun).any(|i| statement.is(i, "ALL"));
    let visible = if all { "" } else { " AND a.application_name NOT LIKE '$ internal%'" };
    if statement.is(noun, "SESSIONS") && noun + 1 == end {
        rows(format!("{SESSIONS}{visible} ORDER BY a.backend_start"), "SHOW SESSIONS")
    } else if statement.is_any(noun, &["QUERIES", "STATEMENTS"]) && noun + 1 == end {
        rows(format!("{STATEMENTS}{visible} ORDER BY a.query_start"), "SHOW STATEMENTS")
    } else if statement.is(noun, "TRANSACTIONS") && noun + 1 == end {
        rows(format!("{TRANSACTIONS}{visible} ORDER BY a.xact_start"), "SHOW TRANSACTIONS")
    } else {
        Ok(None)
    }
}

fn regions(statement: &Statement<'_>, at: usize, end: usize, context: &Context<'_>) -> Found {
    let from = statement.find(at, end, |i| statement.is_any(i, &["FROM", "IN"]));
    let database = from.filter(|from| statement.is(from + 1, "DATABASE"));
    if let Some(from) = database {
        own_database(statement, from + 2, end, context)?;
    }
    if statement.is(at + 1, "SURVIVAL") {
        return rows(SURVIVAL, "SHOW SURVIVAL GOAL");
    }
    if statement.is(at + 1, "SUPER") {
        const COLUMNS: &str = "database_name text, super_region_name text, regions text[]";
        return none(COLUMNS, "SHOW SUPER REGIONS");
    }
    let columns = if database.is_some() {
        "database text, region text, primary bool, secondary bool, zones text[]"
    } else if from.is_some_and(|from| statement.is(from + 1, "CLUSTER")) {
        "region text, zones text[]"
    } else if from.is_some_and(|from| statement.are(from + 1, &["ALL", "DATABASES"])) {
        "database_name text, regions text[], primary_region text, secondary_region text"
    } else {
        "region text, zones text[], database_names text[], primary_region_of text[], \
         secondary_region_of text[]"
    };
    none(columns, "SHOW REGIONS")
}

const JOBS: &str = "job_id int8, job_type text, description text, user_name text, status text, \
    running_status text, created timestamptz, started timestamptz, finished timestamptz, \
    modified timestamptz, fraction_completed float8, error text, coordinator_id int8";

const CHANGEFEED_JOBS: &str = "job_id int8, description text, user_name text, status text, \
    running_status text, created timestamptz, started timestamptz, finished timestamptz, \
    modified timestamptz, high_water_timestamp numeric, readable_high_water_timestamptz timestamptz, \
    error text, sink_uri text, full_table_names text[], topics text, format text";

const SCHEDULES: &str = "id int8, label text, schedule_status text, next_run timestamptz, \
    state text, recurrence text, jobsrunning int8, owner text, created timestamptz, \
    on_previous_running text, on_execution_failure text, command jsonb";

const SETTINGS: &str = "SELECT variable, value, type AS setting_type, public, description, \
    default_value, origin FROM crdb_internal.cluster_settings ORDER BY 1";

const SURVIVAL: &str = "SELECT pg_catalog.current_database()::text AS database, \
    NULL::text AS survival_goal";

const SESSIONS: &str = "SELECT 1::int8 AS node_id, a.pid::text AS session_id, \
    CASE a.state WHEN 'active' THEN 'ACTIVE' ELSE 'IDLE' END AS status, \
    a.usename::text AS user_name, NULL::text AS authentication_method, \
    coalesce(pg_catalog.host(a.client_addr) || ':' || a.client_port, '') AS client_address, \
    a.application_name, CASE a.state WHEN 'active' THEN a.query ELSE '' END AS active_queries, \
    CASE a.state WHEN 'active' THEN '' ELSE a.query END AS last_active_query, \
    a.backend_start AS session_start, \
    CASE a.state WHEN 'active' THEN a.query_start END AS active_query_start, \
    NULL::int8 AS num_txns_executed, 0::int8 AS trace_id, 0::int8 AS goroutine_id \
    FROM crdb_internal.pg_stat_activity a WHERE a.backend_type = 'client backend'";

const STATEMENTS: &str = "SELECT a.pid::text AS query_id, 1::int8 AS node_id, \
    a.pid::text AS session_id, a.usename::text AS user_name, a.query_start AS start, a.query, \
    coalesce(pg_catalog.host(a.client_addr) || ':' || a.client_port, '') AS client_address, \
    a.application_name, false AS distributed, false AS full_scan, 'executing'::text AS phase \
    FROM crdb_internal.pg_stat_activity a \
    WHERE a.backend_type = 'client backend' AND a.state = 'active'";

const TRANSACTIONS: &str = "SELECT 1::int8 AS node_id, \
    pg_catalog.md5(a.pid::text || a.xact_start::text)::uuid AS txn_id, a.application_name, \
    NULL::int8 AS num_stmts, 0::int8 AS num_retries, 0::int8 AS num_auto_retries, \
    NULL::text AS last_auto_retry_reason FROM crdb_internal.pg_stat_activity a \
    WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL";
