//! An invariant, and whether it held.

use kecoa::Row;

use crate::statements::Statements;

/// An invariant that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which one.
    pub name: &'static str,
    /// What was found; an error when it does not hold.
    pub result: Result<String, String>,
}

impl Check {
    /// One that holds.
    pub(crate) fn holds(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, result: Ok(found.into()) }
    }

    /// One that does not.
    pub(crate) fn violated(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, result: Err(found.into()) }
    }
}

/// How many violations are told one by one.
const SHOWN: usize = 5;

/// Checks that a query has no rows, each of which is a violation: `describe` says which.
pub(crate) async fn none(
    statements: &mut impl Statements,
    name: &'static str,
    holds: &str,
    sql: &str,
    describe: impl Fn(&Row) -> Result<String, kecoa::Error>,
) -> Result<Check, kecoa::Error> {
    let rows = statements.query(sql, &[]).await?;
    if rows.is_empty() {
        return Ok(Check::holds(name, holds));
    }
    let mut found = Vec::new();
    for row in rows.iter().take(SHOWN) {
        found.push(describe(row)?);
    }
    if rows.len() > SHOWN {
        found.push(format!("and {} more", rows.len() - SHOWN));
    }
    Ok(Check::violated(name, found.join("; ")))
}
