//! `SHOW`, with CockroachDB's columns, from PostgreSQL's catalog.
//!
//! A `SHOW` becomes a `SELECT`, so that it may stand in brackets among the tables of a query too. What
//! needs more than a line of SQL is a function in the `.sql` files beside the modules: they read the
//! catalog when the query runs, so a prepared `SHOW` never shows what was.

mod cluster;
mod create;
mod databases;
mod grants;
mod refused;
mod shown;
mod source;
mod tables;
mod variables;

use kecoa_sql::Statement;
use shown::Shown;
pub(super) use source::{behind, rewrite as source};
pub(super) use variables::all as session_variables;

use super::catalog::Context;
use super::plan::Stop;

/// The query for the `SHOW` at `at..end`; `None` when PostgreSQL shall have it as it is.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Result<Option<Shown>, Stop> {
    if let Some(refusal) = refused::refusal(statement, at) {
        return Err(refusal.into());
    }
    let themes = [create::query, tables::query, databases::query, grants::query, cluster::query];
    for theme in themes {
        if let Some(shown) = theme(statement, at, end, context)? {
            return Ok(Some(shown));
        }
    }
    variables::query(statement, at, end)
}
