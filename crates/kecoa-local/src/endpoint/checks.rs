//! The expression of a `CHECK` constraint that a row violates: CockroachDB's message has it, and
//! PostgreSQL's only the constraint's name.

use bytes::Bytes;

use super::backend;
use super::replies::Fields;
use super::session::Session;
use crate::dialect::quote::quote;

/// The locks of the session itself may be in the way.
const OPTIONS: &str = "-c lock_timeout=200 -c statement_timeout=2000";

impl Session {
    /// Puts the error for a row that violates a check into CockroachDB's words. The session's own
    /// transaction has failed and answers nothing, so another one is asked. What it does not see, a
    /// constraint made in that transaction, is called by its name.
    pub(super) async fn reword_check(&self, error: &mut Fields) {
        let message = error.get(b'M').unwrap_or_default();
        if error.code() != "23514" || !message.starts_with(b"new row for relation ") {
            return;
        }
        let field = |name| error.get(name).and_then(|value| std::str::from_utf8(value).ok());
        let (Some(schema), Some(table), Some(name)) = (field(b's'), field(b't'), field(b'n'))
        else {
            return;
        };
        let sql = format!(
            "SELECT crdb_internal.shown_expression(pg_catalog.pg_get_expr(k.conbin, k.conrelid), \
               k.conrelid, NULL, ':::') \
             FROM pg_catalog.pg_constraint k \
             JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE k.contype = 'c' AND k.conname = {} AND c.relname = {} AND n.nspname = {}",
            quote(name),
            quote(table),
            quote(schema),
        );
        let what = self.asked_aside(&sql).await.unwrap_or_else(|| name.to_owned());
        error.set(b'M', &format!("failed to satisfy CHECK constraint ({what})"));
        error.remove(b"D"); // the whole row
    }

    /// The one value of a query in a session of its own.
    pub(super) async fn asked_aside(&self, sql: &str) -> Option<String> {
        let options = (Bytes::from_static(b"options"), Bytes::from_static(OPTIONS.as_bytes()));
        let address = &self.shared.options.backend;
        let database = self.database.as_bytes();
        let opened = backend::open(address, &self.user, self.version, database, &[options]).await;
        let mut backend = opened.ok()?.backend;
        let rows = backend::internal_query(&mut backend, sql.as_bytes()).await.ok()?.ok()?;
        rows.into_iter().next()?.into_iter().next()?
    }
}
