//! `UPDATE … ORDER BY … LIMIT` and `DELETE … ORDER BY … LIMIT`.
//!
//! PostgreSQL has no limit here: the rows are found by a query in front, by their place in the
//! table, and locked as they are found.

use kecoa_sql::Statement;

use super::edit::Edits;
use super::plan::{Refusal, Stop};

/// Rewrites the `UPDATE` or `DELETE` at `at`, which ends at `end` (the statement's end or the
/// bracket around), if it has a limit.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let update = statement.is(at, "UPDATE");
    let mut table = at + 1 + usize::from(!update);
    if !update && !statement.is(at + 1, "FROM") {
        return Ok(());
    }
    table += usize::from(statement.is(table, "ONLY"));
    let Some(mut named) = statement.qualified_name(table) else {
        return Ok(());
    };
    // A hint is dropped elsewhere, and belongs to neither name.
    let mut hint = named;
    if statement.is_mark(named, "@") {
        hint = statement.skip(named + 1);
    }
    let name_end = std::mem::replace(&mut named, hint);
    let mut alias = None;
    if statement.is(named, "AS") {
        alias = statement.is_name(named + 1).then_some(named + 1);
        named += 2;
    } else if statement.is_name(named) && !statement.is_any(named, &CLAUSES) {
        alias = Some(named);
        named += 1;
    }
    if update && !statement.is(named, "SET") {
        return Ok(());
    }
    let clause = |word: &str| statement.find(named, end, |i| statement.is(i, word));
    let order = statement.find(named, end, |i| statement.are(i, &["ORDER", "BY"]));
    let limit = clause("LIMIT");
    let Some(first) = order.into_iter().chain(limit).min() else {
        return Ok(());
    };
    if update && clause("FROM").is_some() || !update && clause("USING").is_some() {
        return Err(Refusal {
            detail: String::new(),
            hint: "find the rows in a subquery with the LIMIT".to_owned(),
            ..Refusal::new(
                "0A000",
                "the local endpoint cannot join other tables in an UPDATE or DELETE with a LIMIT",
            )
        }
        .into());
    }
    let name = statement.slice(table, name_end);
    let (target, whole) = match alias {
        Some(alias) => {
            let alias = statement.slice(alias, alias + 1);
            (alias.clone().into_owned(), format!("{name} AS {alias}"))
        }
        None => (name.clone().into_owned(), name.into_owned()),
    };
    let open = format!("WHERE {target}.ctid = ANY (ARRAY(SELECT {target}.ctid FROM {whole} ");
    let start = clause("WHERE").filter(|condition| *condition < first).unwrap_or(first);
    edits.insert(statement.start(start), open);
    let close = " FOR UPDATE))";
    match clause("RETURNING") {
        Some(returning) => edits.insert(statement.start(returning), format!("{close} ")),
        None => edits.insert(statement.end(end.saturating_sub(1)), close),
    }
    Ok(())
}

const CLAUSES: [&str; 8] =
    ["SET", "WHERE", "ORDER", "LIMIT", "RETURNING", "USING", "FROM", "OFFSET"];
