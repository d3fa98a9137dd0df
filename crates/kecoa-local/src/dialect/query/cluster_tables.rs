//! Tables in which a cluster keeps or shows what it is: the database `system`, and `crdb_internal`.
//!
//! Some are views here. Of the others the client is told what to ask instead, since an error of a table that
//! does not exist would send it looking for a mistake of its own.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::edit::Edits;
use crate::dialect::plan::Refusal;

/// The tables of `system` that are views here: `crdb_internal.system_…`.
const OF_SYSTEM: [&str; 6] =
    ["comments", "namespace", "role_members", "role_options", "settings", "users"];

/// What says it here, of the tables of `system` that are none.
const INSTEAD_OF_SYSTEM: &[(&str, &str)] = &[
    ("database_role_settings", "pg_catalog.pg_db_role_setting has the defaults of roles"),
    ("descriptor", "SHOW CREATE and crdb_internal.tables say what there is"),
    ("eventlog", NOTHING_LOGGED),
    ("external_connections", ONLY_CLUSTER),
    ("job_info", NO_JOBS),
    ("job_message", NO_JOBS),
    ("job_progress", NO_JOBS),
    ("job_progress_history", NO_JOBS),
    ("job_status", NO_JOBS),
    ("jobs", NO_JOBS),
    ("lease", ONLY_CLUSTER),
    ("locations", ONLY_CLUSTER),
    ("privileges", "SHOW GRANTS says who may do what"),
    ("protected_ts_records", ONLY_CLUSTER),
    ("rangelog", ONE_NODE),
    ("replication_stats", ONE_NODE),
    ("reports_meta", ONE_NODE),
    ("scheduled_jobs", "there are no schedules here: SHOW SCHEDULES"),
    ("span_configurations", ONE_NODE),
    ("sql_instances", ONE_NODE),
    ("sqlliveness", ONE_NODE),
    ("statement_activity", STATISTICS),
    ("statement_bundle_chunks", STATISTICS),
    ("statement_diagnostics", STATISTICS),
    ("statement_diagnostics_requests", STATISTICS),
    ("statement_statistics", STATISTICS),
    ("table_metadata", "crdb_internal.tables lists tables"),
    ("table_statistics", "SHOW STATISTICS FOR TABLE t"),
    ("tenants", ONLY_CLUSTER),
    ("transaction_activity", STATISTICS),
    ("transaction_statistics", STATISTICS),
    ("ui", ONLY_CLUSTER),
    ("web_sessions", ONLY_CLUSTER),
    ("zones", ONE_NODE),
];

/// The same of `crdb_internal`.
const INSTEAD: &[(&str, &str)] = &[
    ("active_range_feeds", ONE_NODE),
    ("backward_dependencies", DEPENDENCIES),
    ("builtin_functions", "pg_catalog.pg_proc, or SHOW FUNCTIONS"),
    ("cluster_contended_indexes", CONTENTION),
    ("cluster_contended_keys", CONTENTION),
    ("cluster_contended_tables", CONTENTION),
    ("cluster_contention_events", CONTENTION),
    ("cluster_database_privileges", "SHOW GRANTS ON DATABASE d"),
    ("cluster_distsql_flows", ONE_NODE),
    ("cluster_execution_insights", STATISTICS),
    ("cluster_inflight_traces", STATISTICS),
    ("cluster_locks", CONTENTION),
    ("cluster_statement_statistics", STATISTICS),
    ("cluster_transaction_statistics", STATISTICS),
    ("cluster_txn_execution_insights", STATISTICS),
    ("eventlog", NOTHING_LOGGED),
    ("feature_usage", ONLY_CLUSTER),
    ("forward_dependencies", DEPENDENCIES),
    ("gossip_alerts", ONE_NODE),
    ("gossip_liveness", ONE_NODE),
    ("gossip_network", ONE_NODE),
    ("gossip_nodes", ONE_NODE),
    ("index_spans", ONE_NODE),
    ("kv_catalog_comments", "pg_catalog.pg_description has comments"),
    ("kv_catalog_descriptor", "SHOW CREATE and crdb_internal.tables say what there is"),
    ("kv_catalog_namespace", "system.namespace"),
    ("kv_catalog_zones", ONE_NODE),
    ("kv_dropped_relations", ONLY_CLUSTER),
    ("kv_node_liveness", ONE_NODE),
    ("kv_node_status", ONE_NODE),
    ("kv_protected_ts_records", ONLY_CLUSTER),
    ("kv_session_based_leases", ONLY_CLUSTER),
    ("kv_store_status", ONE_NODE),
    ("kv_system_privileges", "SHOW SYSTEM GRANTS"),
    ("leases", ONLY_CLUSTER),
    ("lost_descriptors_with_data", ONLY_CLUSTER),
    ("node_contention_events", CONTENTION),
    ("node_distsql_flows", ONE_NODE),
    ("node_execution_insights", STATISTICS),
    ("node_inflight_trace_spans", STATISTICS),
    ("node_memory_monitors", STATISTICS),
    ("node_metrics", STATISTICS),
    ("node_runtime_info", ONE_NODE),
    ("node_statement_statistics", STATISTICS),
    ("node_transaction_statistics", STATISTICS),
    ("node_txn_execution_insights", STATISTICS),
    ("node_txn_stats", STATISTICS),
    ("ranges", ONE_NODE),
    ("ranges_no_leases", ONE_NODE),
    ("session_trace", STATISTICS),
    ("statement_activity", STATISTICS),
    ("statement_statistics", STATISTICS),
    ("statement_statistics_persisted", STATISTICS),
    ("system_jobs", NO_JOBS),
    ("table_spans", ONE_NODE),
    ("transaction_activity", STATISTICS),
    ("transaction_contention_events", CONTENTION),
    ("transaction_statistics", STATISTICS),
    ("transaction_statistics_persisted", STATISTICS),
    ("zones", ONE_NODE),
];

const CONTENTION: &str =
    "pg_catalog.pg_locks and pg_stat_activity say who waits for whom at the moment";
const DEPENDENCIES: &str = "pg_catalog.pg_depend says what depends on what";
const NOTHING_LOGGED: &str = "no events are logged here";
const NO_JOBS: &str = "schema changes are done at once and there are no jobs: SHOW JOBS";
const ONE_NODE: &str = "there is one node here, without ranges and zones";
const ONLY_CLUSTER: &str = "point DATABASE_URL at a CockroachDB cluster to use this";
const STATISTICS: &str =
    "EXPLAIN ANALYZE says how a statement ran; no statistics of statements are kept";

/// `system.users` -> `crdb_internal.system_users`.
///
/// # Errors
/// A table that only a cluster has.
pub(super) fn rewrite(query: &Query<'_, '_>, edits: &mut Edits) -> Result<(), Refusal> {
    let tree = query.tree;
    for source in tree.ids().filter(|node| tree.is(*node, Kind::Table)) {
        table(query, source, edits)?;
    }
    Ok(())
}

fn table(query: &Query<'_, '_>, source: NodeId, edits: &mut Edits) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let Some(name) = tree.child(source, Kind::Name) else { return Ok(()) };
    let (from, to) = tree.tokens(name);
    let parts = to - from;
    let first = statement.name(from).unwrap_or_default();
    let table = statement.name(to - 1).unwrap_or_default();
    let in_system = first == "system"
        && (parts == 3 || parts == 5 && statement.name(from + 2).as_deref() == Some("public"));
    if in_system && OF_SYSTEM.contains(&table.as_str()) {
        let alias = tree
            .child(source, Kind::Alias)
            .map_or_else(|| format!(" AS {table}"), |_| String::new());
        let text = format!("crdb_internal.system_{table}{alias}");
        edits.replace(query.start(name), query.end(name), text);
        return Ok(());
    }
    let list = match first.as_str() {
        _ if in_system => INSTEAD_OF_SYSTEM,
        "crdb_internal" if parts == 3 => INSTEAD,
        _ => return Ok(()),
    };
    let Some((_, hint)) = list.iter().find(|(known, _)| *known == table) else { return Ok(()) };
    let message = format!("the local endpoint does not have {first}.{table}");
    Err(Refusal { hint: (*hint).to_owned(), ..Refusal::new("0A000", message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_is_named_twice() {
        for list in [INSTEAD, INSTEAD_OF_SYSTEM] {
            assert!(list.is_sorted_by(|(a, _), (b, _)| a < b));
        }
        assert!(INSTEAD_OF_SYSTEM.iter().all(|(name, _)| !OF_SYSTEM.contains(name)));
    }
}
