//! What undoes all that a caller did to its session.

/// As DISCARD ALL, but for prepared statements, of which the client keeps account.
pub(super) fn discard_sql(is_cockroach: bool) -> &'static str {
    // CockroachDB has neither LISTEN nor advisory locks.
    if is_cockroach {
        "CLOSE ALL; RESET ALL"
    } else {
        "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
         SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
    }
}
