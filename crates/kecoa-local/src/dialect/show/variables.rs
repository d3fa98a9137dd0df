//! `SHOW ALL`: the session's variables.

use crate::dialect::quote::quote;
use crate::dialect::variables;

/// `SHOW ALL`: CockroachDB's variables and PostgreSQL's.
pub(super) fn all() -> String {
    let own: Vec<String> = variables::VARIABLES
        .iter()
        .map(|(name, default, _)| {
            let option = quote(&variables::option_name(name));
            format!(
                "({}, coalesce(nullif(pg_catalog.current_setting({option}, true), ''), {}))",
                quote(name),
                quote(default)
            )
        })
        .collect();
    format!(
        "SELECT variable, value FROM (SELECT name AS variable, setting AS value \
         FROM pg_catalog.pg_settings WHERE name NOT IN ('server_version', 'server_version_num') \
         UNION ALL SELECT * FROM (VALUES {}) AS own(variable, value)) AS v ORDER BY 1",
        own.join(", ")
    )
}
