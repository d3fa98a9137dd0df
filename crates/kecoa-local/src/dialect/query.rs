//! Rules on the tree of a query or of a statement that writes rows.
//!
//! [`kecoa_grammar`] makes the tree. The rules add edits to the client's text, as those on tokens do: what
//! they need is where an operand or a clause ends, which tokens alone do not say. A statement without a
//! tree is left to the rules on tokens, and to PostgreSQL.

mod arrays;
mod brackets;
mod catalogue;
mod cluster_tables;
mod conditions;
mod documents;
mod hints;
mod integers;
mod labels;
mod limits;
mod literals;
mod nulls;
mod parsed;
mod patterns;
mod precedence;
mod returning;
mod sources;
mod system_columns;
mod tuples;

use kecoa_grammar::{Error, Kind, NodeId};
use kecoa_sql::Statement;
use parsed::Query;

use super::catalog::Context;
use super::edit::Edits;
use super::plan::{Refusal, Stop};
use super::refused;

/// Collects the edits for all of `statement`, if it has a tree.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let tree = match kecoa_grammar::parse(statement) {
        Ok(tree) => tree,
        Err(Error::Foreign { token, what }) if context.settings.strict => {
            return Err(Refusal::syntax(statement, token, "42601", what).into());
        }
        Err(Error::Syntax { token, .. })
            if context.settings.strict
                && let Some(refusal) = refused::word(statement, token) =>
        {
            return Err(refusal.into());
        }
        Err(Error::TooDeep) if context.settings.strict => {
            let hint = "SET kecoa_strict = off passes it on to PostgreSQL as it is";
            let message = "the statement is nested deeper than the local endpoint looks into";
            return Err(Refusal { hint: hint.to_owned(), ..Refusal::new("54001", message) }.into());
        }
        Err(_) => {
            if statement.is_any(0, &["CREATE", "ALTER", "EXECUTE", "CALL"]) {
                integers::in_definition(statement, edits);
                arrays::in_definition(statement, edits);
                conditions::in_definition(statement, edits);
            }
            return Ok(());
        }
    };
    let query = Query::new(statement, &tree);
    edits.has_tree = true;
    // A cast of an operand's last literal stands inside the operand's bracket.
    integers::rewrite(&query, edits);
    precedence::rewrite(&query, edits);
    sources::statements(&query, edits);
    catalogue::rewrite(&query, context, edits)?;
    cluster_tables::rewrite(&query, edits)?;
    if context.settings.strict {
        for node in tree.ids() {
            match tree.kind(node) {
                Some(Kind::Array | Kind::Type) => arrays::nested(&query, node)?,
                Some(Kind::Limit | Kind::Offset | Kind::Fetch) => limits::check(&query, node)?,
                Some(Kind::Returning) => returning::check(&query, node)?,
                Some(Kind::Like) => patterns::check(&query, node)?,
                Some(Kind::IndexHint) => hints::check(&query, node, context)?,
                Some(Kind::Subscript) => literals::slice(&query, node)?,
                Some(Kind::Annotation) => literals::annotated(&query, node)?,
                Some(Kind::Target) => literals::parameter(&query, node, context)?,
                Some(Kind::Column) => system_columns::check(&query, node, context)?,
                _ => {}
            }
        }
    }
    for node in tree.ids().filter(|node| !query.is_dropped(*node)) {
        match tree.kind(node) {
            Some(Kind::SortKey) => nulls::rewrite(&query, node, context, edits),
            Some(Kind::Subscript) => brackets::subscript(&query, node, edits),
            Some(Kind::LabelledTuple) => tuples::labelled(&query, node, edits),
            Some(Kind::Tuple) => {
                tuples::strings(&query, node, edits);
                tuples::short(&query, node, edits);
            }
            Some(Kind::Row) => tuples::strings(&query, node, edits),
            Some(Kind::Field) => tuples::field(&query, node, edits)?,
            Some(Kind::Array) => arrays::rewrite(&query, node, edits),
            Some(Kind::Parameter) => arrays::parameter(&query, node, context, edits),
            Some(Kind::Quantified) => conditions::quantified(&query, node, edits),
            Some(Kind::In) => {
                conditions::empty_list(&query, node, edits);
                conditions::list_of_one(&query, node, edits);
                conditions::with_row(&query, node, edits);
            }
            Some(Kind::Is) => {
                conditions::is_nan(&query, node, edits);
                conditions::is_of(&query, node, edits)?;
            }
            Some(Kind::TableQuery) => sources::table(&query, node, edits),
            Some(Kind::Binary) => {
                conditions::rows_of_nothing(&query, node, edits);
                conditions::with_row(&query, node, edits);
                documents::rewrite(&query, node, edits);
                literals::remainder(&query, node, edits);
                literals::beside_strings(&query, node, edits);
            }
            Some(Kind::Call) => literals::of_any_type(&query, node, edits),
            Some(Kind::Special) => own_user(&query, node, edits),
            Some(Kind::JoinHint) => query.drop(node, edits),
            Some(Kind::Target) => {
                labels::rewrite(&query, node, edits);
                literals::united(&query, node, edits);
            }
            Some(Kind::Ordinality) => sources::ordinality(&query, node, edits),
            Some(Kind::SortIndex) => sources::sort_index(&query, node, context, edits)?,
            _ => {}
        }
    }
    Ok(())
}

/// `CURRENT_USER` and its kin are STRINGs, and PostgreSQL's are NAMEs.
fn own_user(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    const NAMES: [&str; 6] = [
        "CURRENT_USER",
        "CURRENT_ROLE",
        "SESSION_USER",
        "USER",
        "CURRENT_CATALOG",
        "CURRENT_SCHEMA",
    ];
    let tree = query.tree;
    let in_source = tree.parent(node).is_some_and(|around| tree.is(around, Kind::FunctionSource));
    if query.statement.is_any(tree.first(node), &NAMES) && !in_source {
        edits.insert(query.end(node), "::pg_catalog.text");
    }
}
