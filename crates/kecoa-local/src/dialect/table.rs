//! `CREATE TABLE`: types, families, indexes inside, hash sharding.

use std::collections::HashSet;

use kecoa_sql::Statement;

use super::catalog::{Context, TableName};
use super::constraint_names::CheckNames;
use super::definition::{CONSTRAINTS, Definitions, KEYS, is_family, leave_out};
use super::edit::{Edits, Sql};
use super::index_names::{Taken, perform, room_for};
use super::plan::{Analysis, Class, Piece, Refusal, Reply, Stop};
use super::quote::quote;
use super::{expression, hidden_key, index, index_clauses, partition, region, table_as, upsert};

/// The index of the table's name in `CREATE … TABLE [IF NOT EXISTS] name`, and whether the
/// statement has `IF NOT EXISTS`.
fn created(statement: &Statement<'_>) -> Option<(usize, bool)> {
    let mut at = 1;
    while statement.is_any(at, &["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED"]) {
        at += 1;
    }
    if !statement.is(0, "CREATE") || !statement.is(at, "TABLE") {
        return None;
    }
    let lenient = statement.are(at + 1, &["IF", "NOT", "EXISTS"]);
    Some((if lenient { at + 4 } else { at + 1 }, lenient))
}

/// Analyses `CREATE TABLE`; `None` for other statements.
pub(super) fn create(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Stop> {
    let Some((name, lenient)) = created(statement) else {
        return Ok(None);
    };
    let Some(open) = statement.qualified_name(name) else {
        return Ok(None);
    };
    let of_session = (1..name).any(|at| statement.is_any(at, &["TEMP", "TEMPORARY"]));
    let table = upsert::table_name(statement, name, open, context)?;
    let exists = match &table {
        Some(table) if lenient => !context.catalog.table(table)?.is_empty(),
        _ => false,
    };
    let mut edits = Edits::under(context.settings);
    expression::rewrite(statement, context, &mut edits)?;
    let closing = statement.partner(open).filter(|_| statement.is_mark(open, "("));
    let mut definitions = Definitions::new(context, table.clone().filter(|_| !exists));
    let mut indexes = Indexes::default();
    let query = table_as::query(statement, closing.unwrap_or(open - 1));
    if let Some(closing) = closing {
        let is_query = statement.is_any(open + 1, &["SELECT", "WITH", "VALUES", "TABLE"]);
        if let Some(query) = query {
            // Names of columns without types.
            let key = table_as::columns(statement, (name, open), closing, &mut edits);
            definitions.after.extend(key);
            trailer(statement, closing + 1, query, &mut edits)?;
        } else {
            if !is_query {
                let written = statement.slice(name, open);
                indexes.find(statement, open + 1, closing, &written)?;
                definitions.indexed = indexed(statement, open + 1, closing);
                definitions.checks = checks(statement, open + 1, closing);
                let named = table.as_ref().filter(|_| !exists);
                let names = indexes.names(statement, open + 1, closing, named, context);
                if let Some(table) = named.filter(|_| !of_session) {
                    // All names are asked for at once.
                    let others = given(statement, open + 1, closing).into_iter().chain(names);
                    definitions.before.extend(room_for(table, others.collect(), context)?);
                }
                body(statement, open + 1, closing, &mut definitions, &indexes, &mut edits)?;
            }
            trailer(statement, closing + 1, statement.len(), &mut edits)?;
        }
    } else if let Some(table) = table.as_ref().filter(|_| !exists && !of_session) {
        definitions.before.extend(room_for(table, Vec::new(), context)?);
    }
    let mut pieces = std::mem::take(&mut definitions.before);
    pieces.push(Piece::edited(statement, edits));
    if !exists {
        if let (Some(closing), None, Some(table)) = (closing, query, &table) {
            pieces.extend(like_names(statement, open + 1, closing, table));
        }
        indexes.create(context, &mut pieces)?;
        pieces.append(&mut definitions.behind());
    }
    Piece::answer_last(&mut pieces, "CREATE TABLE");
    if query.is_some()
        && let Some(last) = pieces.last_mut()
    {
        last.reply = Reply::Tag("CREATE TABLE AS".to_owned(), false);
    }
    Ok(Some(Analysis { class: Class::Definition, control: None, pieces }))
}

/// What gives the indexes of `LIKE original INCLUDING INDEXES` the names of the originals.
fn like_names(statement: &Statement<'_>, from: usize, to: usize, table: &TableName) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (start, end) in statement.elements(from, to) {
        let Some(options) =
            statement.qualified_name(start + 1).filter(|_| statement.is(start, "LIKE"))
        else {
            continue;
        };
        // The last word counts.
        let mut words = (options..end).filter(|at| statement.is_any(at + 1, &["INDEXES", "ALL"]));
        if words.next_back().is_some_and(|at| statement.is(at, "INCLUDING")) {
            let original = quote(&statement.slice(start + 1, options));
            let call = format!("crdb_internal.like_names({}, {original})", quote(&table.quoted()));
            pieces.push(perform(&call));
        }
    }
    pieces
}

/// The indexes among the elements of a table, as CockroachDB's `CREATE INDEX` statements.
#[derive(Default)]
struct Indexes {
    /// Where each element begins, and its statement.
    found: Vec<(usize, String)>,
    /// The name of each, if it is known.
    names: Vec<Option<String>>,
}

impl Indexes {
    fn find(
        &mut self,
        statement: &Statement<'_>,
        from: usize,
        to: usize,
        table: &str,
    ) -> Result<(), Stop> {
        for (start, end) in statement.elements(from, to) {
            let text = index_element(statement, start, end, table)?;
            self.found.extend(text.map(|text| (start, text)));
        }
        Ok(())
    }

    /// Finds the names of the indexes of `table`, next to those of the constraints in `from..to`.
    fn names(
        &mut self,
        statement: &Statement<'_>,
        from: usize,
        to: usize,
        table: Option<&TableName>,
        context: &Context<'_>,
    ) -> Vec<String> {
        let Some(table) = table else { return Vec::new() };
        let mut taken = Taken::default();
        for name in given(statement, from, to) {
            taken.note(name);
        }
        for (start, end) in statement.elements(from, to) {
            if !self.is(start)
                && let Some(name) = unnamed_key(statement, start, end, &table.name)
            {
                taken.note(name);
            }
        }
        for (_, text) in &self.found {
            let index = Statement::whole(text.as_bytes(), context.backslash_escapes);
            let name = index.and_then(|index| {
                index::Head::read(&index)?.name(&index, &table.name, &mut taken, |_| false)
            });
            self.names.push(name);
        }
        self.names.iter().flatten().cloned().collect()
    }

    fn is(&self, start: usize) -> bool {
        self.found.binary_search_by_key(&start, |(at, _)| *at).is_ok()
    }

    fn is_any_unique(&self) -> bool {
        self.found.iter().any(|(_, text)| text.starts_with("CREATE UNIQUE"))
    }

    fn create(&self, context: &Context<'_>, pieces: &mut Vec<Piece>) -> Result<(), Stop> {
        for (number, (_, text)) in self.found.iter().enumerate() {
            let name = self.names.get(number).and_then(Option::as_deref);
            if let Some(index) = Statement::whole(text.as_bytes(), context.backslash_escapes)
                && let Some(made) = index::create(&index, context, name)?
            {
                // No position in them means anything to the client.
                let made = made.into_iter();
                pieces.extend(made.map(|p| Piece { sql: Sql::made(p.sql.text), ..p }));
            }
        }
        Ok(())
    }
}

/// Whether the element `from..to` is a foreign key to the very table.
fn refers_to(statement: &Statement<'_>, from: usize, to: usize, table: Option<&TableName>) -> bool {
    let kind = if statement.is(from, "CONSTRAINT") { from + 2 } else { from };
    if !statement.are(kind, &["FOREIGN", "KEY"]) {
        return false;
    }
    let referred = statement
        .find(kind, to, |at| statement.is(at, "REFERENCES"))
        .and_then(|at| statement.qualified_name(at + 1))
        .and_then(|end| statement.name(end - 1));
    referred.is_some() && referred.as_ref() == table.map(|table| &table.name)
}

/// The names that the client gives to constraints in `from..to` which are indexes.
fn given(statement: &Statement<'_>, from: usize, to: usize) -> Vec<String> {
    (from..to)
        .filter(|at| statement.is(*at, "CONSTRAINT") && statement.is_any(at + 2, KEYS))
        .filter_map(|at| statement.name(at + 1))
        .collect()
}

/// The name that PostgreSQL gives to the unique constraint of the element `from..to`.
fn unnamed_key(statement: &Statement<'_>, from: usize, to: usize, table: &str) -> Option<String> {
    if statement.is(from, "UNIQUE") && statement.is_mark(from + 1, "(") {
        let closing = statement.partner(from + 1)?;
        return Some(index_clauses::implicit_name(statement, table, from + 2, closing, "key"));
    }
    let unique = statement.find(from + 1, to, |i| statement.is(i, "UNIQUE"))?;
    let given = statement.is(unique - 2, "CONSTRAINT") || statement.is_any(from, &CONSTRAINTS);
    let column = statement.name(from).filter(|_| !given)?;
    Some(format!("{table}_{column}_key"))
}

/// The names in the indexes and keys among the elements `from..to`, columns and others.
fn indexed(statement: &Statement<'_>, from: usize, to: usize) -> HashSet<String> {
    let mut names = HashSet::new();
    for (start, end) in statement.elements(from, to) {
        const FIRST: &[&str] = &["INDEX", "UNIQUE", "INVERTED", "PRIMARY", "FOREIGN"];
        let kind = if statement.is(start, "CONSTRAINT") { start + 2 } else { start };
        if statement.is_any(kind, FIRST) {
            names.extend((kind + 1..end).filter_map(|at| statement.name(at)));
        }
    }
    names
}

/// The names of the CHECK constraints of a new table.
fn checks(statement: &Statement<'_>, from: usize, to: usize) -> CheckNames {
    let columns = statement
        .elements(from, to)
        .into_iter()
        .filter(|(start, _)| !statement.is_any(*start, &CONSTRAINTS))
        .filter_map(|(start, _)| statement.name(start))
        .collect();
    let mut names = CheckNames::new(columns, HashSet::new());
    names.note_given(statement, from, to);
    names
}

/// Rewrites the elements between the brackets.
fn body(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    definitions: &mut Definitions<'_>,
    indexes: &Indexes,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let mut kept_before = false;
    let hidden = hidden_key::find(statement, from, to);
    if let (Some(key), Some(table)) = (hidden.last(), &definitions.table)
        && let Some(name) = hidden_key::name(statement, *key)
        && name != format!("{}_pkey", table.name)
    {
        definitions.after.push(hidden_key::keep(table, Some(&name)));
    }
    for (start, end) in statement.elements(from, to) {
        let own =
            indexes.is_any_unique() && refers_to(statement, start, end, definitions.table.as_ref());
        if own && let Some(table) = &definitions.table {
            // What it refers to may be one of the indexes, which are made behind the table.
            let key = statement.slice(start, end);
            let add = format!("ALTER TABLE {} ADD {key}", table.quoted());
            definitions.after.push(Piece::hidden(&add));
        }
        if own || indexes.is(start) || is_family(statement, start) || hidden.contains(&start) {
            leave_out(statement, start, end, kept_before, edits);
            continue;
        }
        kept_before = true;
        if statement.is_any(start, &CONSTRAINTS) {
            definitions.constraint(statement, start, end, edits)?;
        } else {
            definitions.column(statement, start, end, edits)?;
        }
    }
    Ok(())
}

/// `[UNIQUE|INVERTED|VECTOR] INDEX [name] (…) …`, and `UNIQUE (…) WHERE …`, as a `CREATE INDEX`.
fn index_element(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    table: &str,
) -> Result<Option<String>, Stop> {
    let mut at = from;
    let mut named = None;
    if statement.is(at, "CONSTRAINT") && statement.is(at + 2, "UNIQUE") {
        named = Some(statement.slice(at + 1, at + 2).into_owned());
        at += 2;
    }
    let unique = statement.is(at, "UNIQUE");
    at += usize::from(unique);
    if unique && statement.is_mark(at, "(") {
        let partial = statement.find(at, to, |i| statement.is(i, "WHERE")).is_some();
        let closing = statement.partner(at).unwrap_or(at);
        let descends = (at..closing).any(|i| statement.is(i, "DESC"));
        if !partial && !descends {
            return Ok(None);
        }
    } else {
        let kind = statement.is_any(at, &["INVERTED", "VECTOR"]) && statement.is(at + 1, "INDEX");
        let kind = kind.then_some(at);
        at += usize::from(kind.is_some());
        if !statement.is(at, "INDEX") {
            return Ok(None);
        }
        at += 1;
        if statement.are(at, &["IF", "NOT", "EXISTS"]) {
            at += 3;
        }
        if statement.is_name(at) && statement.is_mark(at + 1, "(") {
            // "index varchar(10)" is a column.
            if statement.kind(at + 2) == Some(kecoa_sql::TokenKind::Number) {
                return Ok(None);
            }
            named = Some(statement.slice(at, at + 1).into_owned());
            at += 1;
        }
        if !statement.is_mark(at, "(") {
            return Ok(None);
        }
        if let Some(kind) = kind {
            let name = named.unwrap_or_default();
            let (kind, rest) = (statement.slice(kind, kind + 1), statement.slice(at, to));
            return Ok(Some(format!("CREATE {kind} INDEX {name} ON {table} {rest}")));
        }
    }
    let name = named.unwrap_or_default();
    let kind = if unique { "UNIQUE INDEX" } else { "INDEX" };
    Ok(Some(format!("CREATE {kind} {name} ON {table} {}", statement.slice(at, to))))
}

/// What stands behind the brackets.
fn trailer(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    edits: &mut Edits,
) -> Result<(), Stop> {
    partition::refuse(statement, from, to, "partition tables")?;
    let mut at = from;
    while at < to {
        if statement.is(at, "LOCALITY") {
            at = region::locality(statement, at, edits);
            continue;
        }
        if statement.is(at, "INTERLEAVE") {
            return Err(Refusal::cluster_only("interleave tables").into());
        }
        if statement.is(at, "WITH") && statement.is_mark(at + 1, "(") {
            let closing = statement.partner(at + 1).unwrap_or(at + 1);
            let foreign = statement
                .elements(at + 2, closing)
                .into_iter()
                .any(|(start, _)| statement.name(start).is_some_and(|n| is_storage(&n)));
            if foreign {
                edits.replace(statement.start(at), statement.end(closing), "");
                let what = statement.slice(at + 2, closing);
                edits.add_notice(format!("the local endpoint ignores storage parameters: {what}"));
            }
        }
        at = statement.skip(at);
    }
    Ok(())
}

/// CockroachDB's storage parameters, which PostgreSQL would refuse.
pub(super) fn is_storage(name: &str) -> bool {
    name.starts_with("ttl")
        || name.starts_with("sql_stats_")
        || matches!(
            name,
            "schema_locked" | "exclude_data_from_backup" | "infer_rbr_region_col_using_constraint"
        )
}
