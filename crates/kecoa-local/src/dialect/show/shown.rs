//! What a `SHOW` becomes.

use kecoa_sql::Statement;

use crate::dialect::catalog::Context;
use crate::dialect::quote::quote;

/// The query a `SHOW` becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialect) struct Shown {
    /// A `SELECT`.
    pub(in crate::dialect) sql: String,
    /// The command tag.
    pub(in crate::dialect) tag: &'static str,
    /// Whether the row count stands behind the tag.
    pub(in crate::dialect) counted: bool,
}

/// A query whose tag has the row count behind it.
pub(super) fn rows(sql: impl Into<String>, tag: &'static str) -> Option<Shown> {
    Some(Shown { sql: sql.into(), tag, counted: true })
}

/// A query whose tag stands alone.
pub(super) fn uncounted(sql: impl Into<String>, tag: &'static str) -> Option<Shown> {
    Some(Shown { sql: sql.into(), tag, counted: false })
}

/// The table named at `at`, as a `regclass` literal.
pub(super) fn table(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Option<String> {
    let last = statement.qualified_name(at)?.min(end);
    // PostgreSQL's regclass takes the current database in front, but no CockroachDB version of it.
    if last == at + 3 && statement.name(at).as_deref() == Some(context.database) {
        let name = statement.slice(at, last);
        let public = quote(&format!("public.{}", statement.slice(at + 2, last)));
        return Some(format!(
            "coalesce(pg_catalog.to_regclass({}), {public}::text::pg_catalog.regclass)",
            quote(&name)
        ));
    }
    let own = last == at + 5 && statement.name(at).as_deref() == Some(context.database);
    let name = statement.slice(if own { at + 2 } else { at }, last);
    Some(format!("{}::pg_catalog.regclass", quote(&name)))
}
