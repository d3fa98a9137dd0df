//! CockroachDB's session variables.
//!
//! Those PostgreSQL knows too pass through. Those only CockroachDB has are kept by PostgreSQL as
//! customized options `kecoa.<name>`: `SET LOCAL`, `RESET`, `DISCARD ALL` and the end of a failed
//! transaction treat them as any other.

use super::quote::quote;

/// How a variable's value is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `on` or `off`.
    Boolean,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A number.
    Number,
    /// Anything.
    Text,
    /// Cannot be set.
    ReadOnly,
}

/// The variables only CockroachDB has: name, default, form. `SHOW` answers the default until a
/// session sets another. Those of [`settings`](super::settings) act; the others change nothing here.
pub const VARIABLES: &[(&str, &str, Form)] = &[
    ("allow_ordinal_column_references", "off", Form::Boolean),
    ("allow_prepare_as_opt_plan", "off", Form::Boolean),
    ("always_distribute_full_scans", "off", Form::Boolean),
    ("autocommit_before_ddl", "on", Form::Boolean),
    ("avoid_buffering", "off", Form::Boolean),
    ("copy_fast_path_enabled", "on", Form::Boolean),
    ("copy_from_atomic_enabled", "on", Form::Boolean),
    ("copy_from_retries_enabled", "on", Form::Boolean),
    ("copy_transaction_quality_of_service", "background", Form::OneOf(QUALITIES)),
    ("cost_scans_with_default_col_size", "off", Form::Boolean),
    ("crdb_version", concat!("CockroachDB OSS ", "v25.2.0", " (kecoa local)"), Form::ReadOnly),
    ("datestyle_enabled", "on", Form::Boolean),
    ("declare_cursor_statement_timeout_enabled", "on", Form::Boolean),
    ("default_int_size", "8", Form::OneOf(&["4", "8"])),
    ("default_transaction_priority", "normal", Form::OneOf(&["low", "normal", "high"])),
    ("default_transaction_quality_of_service", "regular", Form::OneOf(QUALITIES)),
    ("default_transaction_use_follower_reads", "off", Form::Boolean),
    ("disable_changefeed_replication", "off", Form::Boolean),
    ("disable_hoist_projection_in_join_limitation", "off", Form::Boolean),
    ("disable_partially_distributed_plans", "off", Form::Boolean),
    ("disable_plan_gists", "off", Form::Boolean),
    ("disallow_full_table_scans", "off", Form::Boolean),
    ("distribute_group_by_row_count_threshold", "1000", Form::Text),
    ("distribute_scan_row_count_threshold", "10000", Form::Number),
    ("distribute_sort_row_count_threshold", "1000", Form::Number),
    ("distsql", "auto", Form::OneOf(&["off", "auto", "on", "always"])),
    ("enable_auto_rehoming", "off", Form::Boolean),
    ("enable_create_stats_using_extremes", "on", Form::Boolean),
    ("enable_drop_enum_value", "off", Form::Boolean),
    ("enable_durable_locking_for_serializable", "off", Form::Boolean),
    ("enable_experimental_alter_column_type_general", "off", Form::Boolean),
    ("enable_implicit_fk_locking_for_serializable", "off", Form::Boolean),
    ("enable_implicit_select_for_update", "on", Form::Boolean),
    ("enable_implicit_transaction_for_batch_statements", "on", Form::Boolean),
    ("enable_insert_fast_path", "on", Form::Boolean),
    ("enable_multiple_modifications_of_table", "off", Form::Boolean),
    ("enable_multiregion_placement_policy", "off", Form::Boolean),
    ("enable_shared_locking_for_serializable", "off", Form::Boolean),
    ("enable_super_regions", "off", Form::Boolean),
    ("enable_zigzag_join", "on", Form::Boolean),
    ("enforce_home_region", "off", Form::Boolean),
    ("enforce_home_region_follower_reads_enabled", "off", Form::Boolean),
    ("expect_and_ignore_not_visible_columns_in_copy", "off", Form::Boolean),
    ("experimental_distsql_planning", "off", Form::OneOf(&["off", "on", "always"])),
    ("experimental_enable_hash_sharded_indexes", "off", Form::Boolean),
    ("experimental_enable_temp_tables", "off", Form::Boolean),
    ("experimental_enable_unique_without_index_constraints", "off", Form::Boolean),
    ("force_savepoint_restart", "off", Form::Boolean),
    ("foreign_key_cascades_limit", "10000", Form::Number),
    ("index_join_streamer_batch_size", "8.0 MiB", Form::Text),
    ("index_recommendations_enabled", "on", Form::Boolean),
    ("inject_retry_errors_enabled", "off", Form::Boolean),
    ("inject_retry_errors_on_commit_enabled", "off", Form::Boolean),
    ("intervalstyle_enabled", "on", Form::Boolean),
    ("join_reader_ordering_strategy_batch_size", "100 KiB", Form::Text),
    ("kecoa_strict", "on", Form::Boolean),
    ("kv_transaction_buffered_writes_enabled", "off", Form::Boolean),
    ("large_full_scan_rows", "0", Form::Number),
    ("legacy_varchar_typing", "off", Form::Boolean),
    ("locality", "", Form::ReadOnly),
    ("locality_optimized_partitioned_index_scan", "on", Form::Boolean),
    ("max_identifier_length", "128", Form::ReadOnly),
    ("max_retries_for_read_committed", "100", Form::Number),
    ("multiple_active_portals_enabled", "off", Form::Boolean),
    ("node_id", "1", Form::ReadOnly),
    ("null_ordered_last", "off", Form::Boolean),
    ("on_update_rehome_row_enabled", "on", Form::Boolean),
    ("opt_split_scan_limit", "2048", Form::Number),
    ("optimizer", "on", Form::OneOf(&["on"])),
    ("optimizer_merge_joins_enabled", "on", Form::Boolean),
    ("optimizer_push_offset_into_index_join", "on", Form::Boolean),
    ("optimizer_use_forecasts", "on", Form::Boolean),
    ("optimizer_use_histograms", "on", Form::Boolean),
    ("optimizer_use_improved_multi_column_selectivity_estimate", "on", Form::Boolean),
    ("optimizer_use_improved_zigzag_join_costing", "on", Form::Boolean),
    ("optimizer_use_lock_op_for_serializable", "off", Form::Boolean),
    ("optimizer_use_merged_partial_statistics", "on", Form::Boolean),
    ("optimizer_use_multicol_stats", "on", Form::Boolean),
    ("optimizer_use_not_visible_indexes", "off", Form::Boolean),
    ("optimizer_use_virtual_computed_column_stats", "on", Form::Boolean),
    ("override_multi_region_zone_config", "off", Form::Boolean),
    ("parallelize_multi_key_lookup_joins_enabled", "off", Form::Boolean),
    ("plpgsql_use_strict_into", "off", Form::Boolean),
    ("prefer_lookup_joins_for_fks", "off", Form::Boolean),
    ("prepared_statements_cache_size", "0 B", Form::Text),
    ("propagate_input_ordering", "off", Form::Boolean),
    ("reorder_joins_limit", "8", Form::Number),
    ("require_explicit_primary_keys", "off", Form::Boolean),
    ("results_buffer_size", "524288", Form::ReadOnly),
    ("serial_normalization", "rowid", Form::OneOf(SERIALS)),
    ("server_version", "13.0.0", Form::ReadOnly),
    ("server_version_num", "130000", Form::ReadOnly),
    ("show_primary_key_constraint_on_not_visible_columns", "on", Form::Boolean),
    ("sql_safe_updates", "off", Form::Boolean),
    ("ssl_renegotiation_limit", "0", Form::OneOf(&["0"])),
    ("streamer_enabled", "on", Form::Boolean),
    ("strict_ddl_atomicity", "off", Form::Boolean),
    ("stub_catalog_tables", "on", Form::Boolean),
    ("system_identity", "root", Form::ReadOnly),
    ("testing_optimizer_disable_rule_probability", "0", Form::Text),
    ("testing_optimizer_random_seed", "0", Form::Text),
    ("tracing", "off", Form::ReadOnly),
    ("transaction_priority", "normal", Form::OneOf(&["low", "normal", "high"])),
    ("transaction_rows_read_err", "0", Form::Number),
    ("transaction_rows_read_log", "0", Form::Number),
    ("transaction_rows_written_err", "0", Form::Number),
    ("transaction_rows_written_log", "0", Form::Number),
    ("troubleshooting_mode", "off", Form::Boolean),
    ("unconstrained_non_covering_index_scan_enabled", "off", Form::Boolean),
    (
        "use_declarative_schema_changer",
        "on",
        Form::OneOf(&["off", "on", "unsafe", "unsafe_always"]),
    ),
    ("variable_inequality_lookup_join_enabled", "on", Form::Boolean),
    ("vector_search_beam_size", "32", Form::Text),
    ("vectorize", "on", Form::OneOf(&["off", "on", "experimental_always"])),
    ("virtual_cluster_name", "default", Form::ReadOnly),
];

const QUALITIES: &[&str] = &["background", "regular", "critical"];

const SERIALS: &[&str] = &[
    "rowid",
    "unordered_rowid",
    "virtual_sequence",
    "sql_sequence",
    "sql_sequence_cached",
    "sql_sequence_cached_node",
];

/// What CockroachDB knows of PostgreSQL's variables, as `SHOW ALL` lists it.
pub const SHARED: &[&str] = &[
    "application_name",
    "backslash_quote",
    "bytea_output",
    "check_function_bodies",
    "client_encoding",
    "client_min_messages",
    "datestyle",
    "default_tablespace",
    "default_text_search_config",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "enable_seqscan",
    "escape_string_warning",
    "extra_float_digits",
    "idle_in_session_timeout",
    "idle_in_transaction_session_timeout",
    "integer_datetimes",
    "intervalstyle",
    "lc_collate",
    "lc_ctype",
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "lock_timeout",
    "max_index_keys",
    "password_encryption",
    "plan_cache_mode",
    "role",
    "search_path",
    "server_encoding",
    "session_authorization",
    "ssl",
    "standard_conforming_strings",
    "statement_timeout",
    "synchronize_seqscans",
    "synchronous_commit",
    "timezone",
    "transaction_isolation",
    "transaction_read_only",
    "transaction_timeout",
    "xmloption",
];

/// Further words that may follow `SET`.
const FURTHER: &[&str] = &[
    "cluster",
    "constraints",
    "database",
    "deadlock_timeout",
    "default_table_access_method",
    "default_transaction_deferrable",
    "default_with_oids",
    "is_superuser",
    "log_timezone",
    "max_identifier_length",
    "names",
    "row_security",
    "schema",
    "seed",
    "session",
    "session_user",
    "time",
    "tracing",
    "transaction",
];

/// Whether CockroachDB knows a variable.
pub fn is_known(name: &str) -> bool {
    name.contains('.')
        || SHARED.contains(&name)
        || FURTHER.contains(&name)
        || find(name).is_some()
        || timeout(name).is_some()
}

/// PostgreSQL's name of a limit of time.
pub fn timeout(name: &str) -> Option<&'static str> {
    match name {
        "statement_timeout" => Some("statement_timeout"),
        "lock_timeout" => Some("lock_timeout"),
        "idle_in_transaction_session_timeout" => Some("idle_in_transaction_session_timeout"),
        "idle_in_session_timeout" | "idle_session_timeout" => Some("idle_session_timeout"),
        "transaction_timeout" => Some("transaction_timeout"),
        _ => None,
    }
}

/// The default and the form of one of CockroachDB's own variables.
pub fn find(name: &str) -> Option<(&'static str, Form)> {
    VARIABLES.iter().find(|(known, ..)| *known == name).map(|(_, value, form)| (*value, *form))
}

/// The name of the option that keeps the variable.
pub fn option_name(name: &str) -> String {
    format!("kecoa.{}", name.replace('.', "_"))
}

/// The value of one of CockroachDB's own variables, as an expression.
pub fn value(name: &str) -> Option<String> {
    if let Some(kept) = timeout(name) {
        // In milliseconds, as CockroachDB shows it.
        return Some(format!(
            "(SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = {})",
            quote(kept)
        ));
    }
    let (default, form) = find(name)?;
    let default = quote(default);
    if form == Form::ReadOnly {
        return Some(format!("{default}::text"));
    }
    let option = quote(&option_name(name));
    let default = match name {
        "transaction_priority" => value("default_transaction_priority")?,
        _ => default,
    };
    Some(format!("coalesce(nullif(pg_catalog.current_setting({option}, true), ''), {default})"))
}

/// Reads `on`, `true`, `yes`, `1`, `'t'` and their opposites.
pub fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "t" | "y" => Some(true),
        "off" | "false" | "no" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}

/// Whether a `client_encoding` is UTF-8, or ASCII without a claim.
pub fn is_utf8(encoding: &str) -> bool {
    let plain: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
    matches!(plain.to_ascii_lowercase().as_str(), "utf8" | "unicode" | "sqlascii")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_in_form() {
        assert!(VARIABLES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(SHARED.is_sorted());
        for (name, default, form) in VARIABLES {
            assert!(*form != Form::Boolean || matches!(*default, "on" | "off"), "{name}");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            );
        }
    }

    #[test]
    fn encodings() {
        assert!(["UTF8", "utf-8", "'unicode'", "SQL_ASCII"].into_iter().all(is_utf8));
        assert!(!is_utf8("latin1"));
    }
}
