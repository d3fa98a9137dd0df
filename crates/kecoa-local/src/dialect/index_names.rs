//! Names of indexes and of constraints that are indexes. They are one table's in CockroachDB and one
//! schema's in PostgreSQL: an index whose name something else of the schema has is set aside, in no
//! schema at all (`index_names.sql`), which changes nothing but how it is named in a statement.

use std::collections::HashMap;

use super::catalog::{Context, Need, TableName};
use super::plan::Piece;
use super::quote::{quote, quote_name};

/// PostgreSQL cuts longer names.
pub(super) const LONGEST: usize = 63;

/// The names that the statement at hand gives, and the next number to try behind each.
#[derive(Debug, Default)]
pub(super) struct Taken(HashMap<String, usize>);

impl Taken {
    /// Notes a name that the client gives.
    pub(super) fn note(&mut self, name: String) {
        self.0.entry(name).or_insert(1);
    }

    /// The name itself, or with the first number behind it that nothing has, as CockroachDB names what
    /// has no name.
    pub(super) fn free(&mut self, name: String, is_used: impl Fn(&str) -> bool) -> String {
        let mut number = self.0.get(&name).copied().unwrap_or(0);
        loop {
            let found = if number == 0 { name.clone() } else { format!("{name}{number}") };
            number += 1;
            if is_used(&found) || found != name && self.0.contains_key(&found) {
                continue;
            }
            self.0.insert(name.clone(), number);
            self.0.entry(found.clone()).or_insert(1);
            return found;
        }
    }
}

/// How an index comes to its name.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The name that the statement must have instead, in quotes.
    pub(super) instead: Option<String>,
    /// What runs before.
    pub(super) before: Option<Piece>,
    /// What runs after.
    pub(super) after: Option<Piece>,
}

/// How a new index of `table`, or a constraint that is one, comes to its name.
pub(super) fn place(table: &TableName, name: &str, context: &Context<'_>) -> Result<Place, Need> {
    let names = context.catalog.names(table, &[name.to_owned()])?;
    let mut place = Place::default();
    if names.of_indexes.contains(name) && name != table.name {
        place.before = Some(make_room(table, name));
    } else if names.of_relations.contains(name) || name == table.name {
        let stand_in = TableName { name: format!("{name}@{}", table.name), ..table.clone() };
        place.instead = Some(quote_name(&stand_in.name));
        let call = format!(
            "crdb_internal.name_index({}::pg_catalog.regclass, {})",
            quote(&stand_in.quoted()),
            quote(name)
        );
        place.after = Some(perform(&call));
    }
    Ok(place)
}

/// Makes `name` free in the schema of `table` if an index has it.
pub(super) fn make_room(table: &TableName, name: &str) -> Piece {
    let schema = table.schema.as_deref().map_or_else(|| "NULL".to_owned(), quote);
    perform(&format!(
        "crdb_internal.make_room({}, {schema}, {})",
        quote(&table.quoted()),
        quote(name)
    ))
}

/// What makes room for a new table, view or sequence whose name an index has; `others` are names that
/// will be asked for.
pub(super) fn room_for(
    table: &TableName,
    mut others: Vec<String>,
    context: &Context<'_>,
) -> Result<Option<Piece>, Need> {
    others.push(table.name.clone());
    let names = context.catalog.names(table, &others)?;
    Ok(names.of_indexes.contains(&table.name).then(|| make_room(table, &table.name)))
}

/// A call of ours that the client does not see.
pub(super) fn perform(call: &str) -> Piece {
    Piece::hidden(&format!("DO {}", quote(&format!("BEGIN PERFORM {call}; END"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_the_first_free_number() {
        let mut taken = Taken::default();
        taken.note("a1".to_owned());
        let mut free = |name: &str| taken.free(name.to_owned(), |name| name == "a2");
        assert_eq!([free("a"), free("a"), free("a"), free("a1")], ["a", "a3", "a4", "a11"]);
    }
}
