//! What columns and constraints have in common in `CREATE TABLE` and `ALTER TABLE`.

use std::collections::HashSet;

use kecoa_sql::Statement;

use super::catalog::{Context, TableName};
use super::constraint_names::CheckNames;
use super::edit::Edits;
use super::index_names::{LONGEST, place};
use super::plan::{Piece, Refusal, Stop};
use super::quote::quote_name;
use super::{index_clauses, key_order, moments, on_update, strings, types};

/// What begins a table's constraint, or something else that is no column.
pub(super) const CONSTRAINTS: [&str; 7] =
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"];

/// The definitions of one statement.
pub(super) struct Definitions<'a> {
    pub(super) context: &'a Context<'a>,
    /// The table, if its name was understood.
    pub(super) table: Option<TableName>,
    /// The names of its CHECK constraints.
    pub(super) checks: CheckNames,
    /// The columns that an index or a key needs: PostgreSQL has none on virtual columns.
    pub(super) indexed: HashSet<String>,
    /// The columns whose type is `STRING(n)`.
    strings: Vec<String>,
    /// The pieces before the statement.
    pub(super) before: Vec<Piece>,
    /// The pieces behind it.
    pub(super) after: Vec<Piece>,
}

impl<'a> Definitions<'a> {
    pub(super) fn new(context: &'a Context<'a>, table: Option<TableName>) -> Self {
        Self {
            context,
            table,
            checks: CheckNames::default(),
            indexed: HashSet::new(),
            strings: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// The pieces behind the statement.
    pub(super) fn behind(mut self) -> Vec<Piece> {
        let mark = self.table.as_ref().and_then(|table| strings::mark(table, &self.strings));
        self.after.extend(mark);
        self.after
    }

    /// The type at `kind` that the column named at `column` has from now on. `new` when it is defined here.
    ///
    /// # Errors
    /// A type that CockroachDB does not have.
    pub(super) fn type_of(
        &mut self,
        statement: &Statement<'_>,
        column: usize,
        kind: usize,
        new: bool,
        edits: &mut Edits,
    ) -> Result<(), Refusal> {
        types::rewrite(statement, kind, new, edits)?;
        if strings::is_limited(statement, kind) {
            self.strings.extend(statement.name(column));
        }
        Ok(())
    }

    /// A column's definition: name, type, qualifiers.
    pub(super) fn column(
        &mut self,
        statement: &Statement<'_>,
        from: usize,
        to: usize,
        edits: &mut Edits,
    ) -> Result<(), Stop> {
        if !statement.is_name(from) {
            return Ok(());
        }
        self.type_of(statement, from, from + 1, true, edits)?;
        let mut at = from + 2;
        while at < to {
            if statement.is(at, "AS") && statement.is_mark(at + 1, "(") {
                if !statement.is(at - 1, "ALWAYS") {
                    edits.insert(statement.start(at), "GENERATED ALWAYS ");
                }
            } else if statement.is(at, "VIRTUAL") && statement.is_mark(at - 1, ")") {
                self.stored(statement, from, at, to, edits);
            } else if statement.is(at, "FAMILY") {
                at = family(statement, at, to, edits);
            } else if statement.is(at, "DEFAULT") {
                empty_array(statement, at + 1, edits);
                moments::annotated(statement, at + 1, edits);
            } else if statement.is(at, "CHECK") {
                self.checks.name(statement, at, edits);
            } else if statement.is(at, "CONSTRAINT") && statement.is_any(at + 2, KEYS) {
                self.place(statement, at + 1, edits)?;
            } else if let Some(end) = on_update::end(statement, at, to) {
                let column = statement.name(from).unwrap_or_default();
                let text = statement.slice(at + 2, end).into_owned();
                edits.replace(statement.start(at), statement.end(end - 1), "");
                if let Some(table) = &self.table {
                    self.after.push(on_update::set(table, &column, &text, self.context)?);
                }
                at = end;
                continue;
            } else if statement.are(at, &["NOT", "VISIBLE"]) {
                return Err(Refusal::cluster_only("hide a column (NOT VISIBLE)").into());
            } else if statement.are(at, &["USING", "HASH"]) {
                index_clauses::hash_sharding(statement, at, to, edits);
            } else if statement.are(at, &["PRIMARY", "KEY"]) && statement.is_any(at + 2, ORDER) {
                edits.replace(statement.start(at + 2), statement.end(at + 2), "");
            }
            at = statement.skip(at);
        }
        Ok(())
    }

    /// `VIRTUAL` at `at` -> `STORED` for a column that an index or a key needs.
    fn stored(
        &self,
        statement: &Statement<'_>,
        from: usize,
        at: usize,
        to: usize,
        edits: &mut Edits,
    ) {
        let own = |i| statement.is_any(i, &["UNIQUE", "PRIMARY", "REFERENCES"]);
        let Some(name) = statement.name(from) else { return };
        if self.indexed.contains(&name) || statement.find(from, to, own).is_some() {
            edits.replace(statement.start(at), statement.end(at), "STORED");
            edits.add_notice(format!(
                "the local endpoint stores column \"{name}\": PostgreSQL has no indexes on virtual columns"
            ));
        }
    }

    /// A table constraint: its name, no order of columns in keys, `STORING` -> `INCLUDE`, no hash
    /// sharding.
    pub(super) fn constraint(
        &mut self,
        statement: &Statement<'_>,
        from: usize,
        to: usize,
        edits: &mut Edits,
    ) -> Result<(), Stop> {
        let named = statement.is(from, "CONSTRAINT");
        let kind = if named { from + 2 } else { from };
        if statement.is(kind, "CHECK") {
            self.checks.name(statement, kind, edits);
        }
        if !statement.are(kind, &["PRIMARY", "KEY"]) && !statement.is(kind, "UNIQUE") {
            return Ok(());
        }
        if named {
            self.place(statement, from + 1, edits)?;
        }
        let Some(open) = statement.find(kind, to, |i| statement.is_mark(i, "(")) else {
            return Ok(());
        };
        let Some(closing) = statement.partner(open) else { return Ok(()) };
        if !named && let Some(name) = self.storing(statement, kind, closing) {
            edits.insert(statement.start(from), format!("CONSTRAINT {name} "));
        }
        let mut descending = Vec::new();
        for (start, end) in statement.elements(open + 1, closing) {
            if statement.is_any(end - 1, ORDER) && end >= 2 {
                edits.replace(statement.end(end - 2), statement.end(end - 1), "");
                descending.extend(statement.name(start).filter(|_| statement.is(end - 1, "DESC")));
            }
        }
        if let Some(table) = &self.table
            && statement.is(kind, "PRIMARY")
        {
            self.before.extend(key_order::piece(table, &descending));
        }
        index_clauses::trailer(statement, closing + 1, to, edits);
        Ok(())
    }

    /// The name of a unique constraint that stores columns: PostgreSQL's own would have them in it.
    fn storing(&self, statement: &Statement<'_>, kind: usize, closing: usize) -> Option<String> {
        let stores = statement.is_any(closing + 1, &["STORING", "COVERING"]);
        let table = self.table.as_ref().filter(|_| stores && statement.is(kind, "UNIQUE"))?;
        let name = index_clauses::implicit_name(statement, &table.name, kind + 2, closing, "key");
        (name.len() <= LONGEST).then(|| quote_name(&name))
    }

    /// Sees to it that the constraint named at `at`, which is an index, can have its name.
    fn place(
        &mut self,
        statement: &Statement<'_>,
        at: usize,
        edits: &mut Edits,
    ) -> Result<(), Stop> {
        let (Some(table), Some(name)) = (&self.table, statement.name(at)) else { return Ok(()) };
        let placed = place(table, &name, self.context)?;
        if let Some(instead) = placed.instead {
            edits.replace(statement.start(at), statement.end(at), instead);
        }
        self.before.extend(placed.before);
        self.after.extend(placed.after);
        Ok(())
    }
}

/// A column's default `ARRAY[]` -> `'{}'`: CockroachDB gives it the column's type.
pub(super) fn empty_array(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    if statement.is(at, "ARRAY")
        && statement.is_mark(at + 1, "[")
        && statement.partner(at + 1) == Some(at + 2)
        && !matches!(statement.text(at + 3), b"::" | b":::")
    {
        edits.replace(statement.start(at), statement.end(at + 2), "'{}'");
    }
}

/// What makes a constraint an index.
pub(super) const KEYS: &[&str] = &["PRIMARY", "UNIQUE"];

const ORDER: &[&str] = &["ASC", "DESC"];

/// Drops `[CREATE [IF NOT EXISTS]] FAMILY [name]` around `at`; returns its last token.
pub(super) fn family(statement: &Statement<'_>, at: usize, to: usize, edits: &mut Edits) -> usize {
    let mut first = at;
    if first >= 3 && statement.are(first - 3, &["IF", "NOT", "EXISTS"]) {
        first -= 3;
    }
    if statement.is(first - 1, "CREATE") {
        first -= 1;
    }
    let named = at + 1 < to && statement.is_name(at + 1);
    let last = if named { at + 1 } else { at };
    edits.replace(statement.start(first), statement.end(last), "");
    last
}

/// Drops an element with the comma before it, or the one behind it while nothing was kept yet.
pub(super) fn leave_out(
    statement: &Statement<'_>,
    start: usize,
    end: usize,
    kept_before: bool,
    edits: &mut Edits,
) {
    let (first, last) = if kept_before {
        (statement.start(start - 1), statement.end(end - 1))
    } else if statement.is_mark(end, ",") {
        (statement.start(start), statement.end(end))
    } else {
        (statement.start(start), statement.end(end - 1))
    };
    edits.replace(first, last, "");
}

/// `FAMILY [name] (…)`. A column named "family" has a type behind it, or a length in brackets.
pub(super) fn is_family(statement: &Statement<'_>, at: usize) -> bool {
    let open = if statement.is_mark(at + 1, "(") { at + 1 } else { at + 2 };
    statement.is(at, "FAMILY") && statement.is_mark(open, "(") && statement.is_name(open + 1)
}
