//! `CREATE INDEX`.

use kecoa_sql::Statement;

use super::catalog::{Context, TableName};
use super::edit::Edits;
use super::index_clauses::{implicit_name, nulls_first, trailer};
use super::index_names::{LONGEST, Place, Taken, perform, place};
use super::plan::{Piece, Refusal, Stop};
use super::quote::quote_name;
use super::{expression, partition, refused, upsert, vector_index};

/// What stands where in `CREATE [UNIQUE] [INVERTED|VECTOR] INDEX [IF NOT EXISTS] [name] ON table (columns)`,
/// as indexes of tokens.
pub(super) struct Head {
    unique: bool,
    /// The word `INVERTED` or `VECTOR`.
    kind: Option<usize>,
    concurrently: Option<usize>,
    lenient: bool,
    /// The name, if there is one.
    name: Option<usize>,
    on: usize,
    /// The table's name, and what follows it.
    table: (usize, usize),
    /// The brackets around the columns.
    columns: (usize, usize),
}

impl Head {
    /// Reads a statement; `None` if it is another one.
    pub(super) fn read(statement: &Statement<'_>) -> Option<Self> {
        let unique = statement.is(1, "UNIQUE");
        let mut at = 1 + usize::from(unique);
        let kind = statement.is_any(at, &["INVERTED", "VECTOR"]).then_some(at);
        at += usize::from(kind.is_some());
        if !statement.is(0, "CREATE") || !statement.is(at, "INDEX") {
            return None;
        }
        at += 1;
        let concurrently = statement.is(at, "CONCURRENTLY").then_some(at);
        at += usize::from(concurrently.is_some());
        let lenient = statement.are(at, &["IF", "NOT", "EXISTS"]);
        at += if lenient { 3 } else { 0 };
        let nameless = statement.is(at, "ON") && !statement.is(at + 1, "ON");
        let on = if nameless { at } else { at + 1 };
        let from = on + 1 + usize::from(statement.is(on + 1, "ONLY"));
        let end = statement.qualified_name(from).filter(|_| statement.is(on, "ON"))?;
        let open = statement.find(end, statement.len(), |i| statement.is_mark(i, "("))?;
        let closing = statement.partner(open)?;
        let name = (!nameless).then_some(at);
        let (table, columns) = ((from, end), (open, closing));
        Some(Self { unique, kind, concurrently, lenient, name, on, table, columns })
    }

    /// The name that the index is given, or that CockroachDB finds for it: the first that is free.
    pub(super) fn name(
        &self,
        statement: &Statement<'_>,
        table: &str,
        taken: &mut Taken,
        is_used: impl Fn(&str) -> bool,
    ) -> Option<String> {
        match self.name {
            Some(at) => statement.name(at),
            None => Some(taken.free(self.implicit(statement, table), is_used)),
        }
    }

    fn implicit(&self, statement: &Statement<'_>, table: &str) -> String {
        let suffix = if self.unique { "key" } else { "idx" };
        implicit_name(statement, table, self.columns.0 + 1, self.columns.1, suffix)
    }

    /// The method, which stands before the columns.
    fn method(&self, statement: &Statement<'_>) -> Option<String> {
        let (open, _) = self.columns;
        statement.name(open - 1).filter(|_| statement.is(open - 2, "USING"))
    }
}

/// Rewrites `CREATE [UNIQUE] [INVERTED|VECTOR] INDEX`; `None` for other statements. `given` is the name that
/// was found for it if it has none.
pub(super) fn create(
    statement: &Statement<'_>,
    context: &Context<'_>,
    given: Option<&str>,
) -> Result<Option<Vec<Piece>>, Stop> {
    if context.settings.strict
        && let Some(refusal) = refused::index(statement)
    {
        return Err(refusal.into());
    }
    let Some(head) = Head::read(statement) else { return Ok(None) };
    let mut edits = Edits::under(context.settings);
    expression::rewrite(statement, context, &mut edits)?;
    let to = statement.len();
    let (open, closing) = head.columns;
    if statement.find(closing, to, |i| statement.is(i, "INTERLEAVE")).is_some() {
        return Err(Refusal::cluster_only("interleave indexes").into());
    }
    partition::refuse(statement, closing, to, "partition indexes")?;
    let columns = statement.elements(open + 1, closing);
    if context.settings.strict {
        repeated(statement, &head, &columns)?;
    }
    let method = head.method(statement);
    let vector = vector_index::is_one(statement);
    let inverted = head.kind.filter(|_| !vector);
    if let Some(kind) = head.kind {
        edits.replace(statement.start(kind), statement.start(kind + 1), "");
    }
    if vector {
        if method.is_some() {
            edits.replace(statement.start(open - 2), statement.end(open - 1), "");
        }
        vector_index::rewrite(statement, head.unique, head.columns, &mut edits)?;
    } else if inverted.is_some() {
        edits.insert(statement.start(open), " USING gin ");
        for (_, last) in &columns {
            if *last >= 2 && statement.is_any(last - 1, &["ASC", "DESC"]) {
                edits.replace(statement.end(last - 2), statement.end(last - 1), "");
            }
        }
    } else if method.as_deref().is_none_or(|method| method == "btree") {
        nulls_first(statement, &columns, &mut edits);
    }
    trailer(statement, closing + 1, to, &mut edits);
    let (from, end) = head.table;
    let mut placed = Place::default();
    if let Some(table) = upsert::table_name(statement, from, end, context)? {
        match named(statement, &head, &table, context, given)? {
            Named::Exists(name) => {
                let notice = format!("index \"{name}\" already exists, skipping");
                return Ok(Some(vec![Piece::notice(&notice, "CREATE INDEX")]));
            }
            Named::New(Some(name)) => {
                placed = place(&table, &name, context)?;
                let written = placed.instead.clone();
                if let Some(at) = head.name {
                    if let Some(written) = written {
                        edits.replace(statement.start(at), statement.end(at), written);
                    }
                } else {
                    let written = written.unwrap_or_else(|| quote_name(&name));
                    edits.insert(statement.start(head.on), format!("{written} "));
                }
            }
            Named::New(None) => {}
        }
    }
    let gin = inverted.is_some() || method.as_deref() == Some("gin");
    let gin = (gin && columns.len() > 1).then(|| perform("crdb_internal.need_gin_columns()"));
    let before: Vec<Piece> = placed.before.into_iter().chain(gin).collect();
    if let Some(at) = head.concurrently
        && (!before.is_empty() || placed.after.is_some())
    {
        // With others around it, it is in a transaction.
        edits.replace(statement.start(at), statement.end(at), "");
    }
    let index = Piece::edited(statement, edits);
    Ok(Some(before.into_iter().chain([index]).chain(placed.after).collect()))
}

/// `(a, b, a)`, which PostgreSQL takes.
fn repeated(
    statement: &Statement<'_>,
    head: &Head,
    columns: &[(usize, usize)],
) -> Result<(), Refusal> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for (from, to) in columns {
        // A call or an expression has more behind its first token.
        let plain = from + 1 == *to || statement.is_any(from + 1, &["ASC", "DESC", "NULLS"]);
        let Some(name) = statement.name(*from).filter(|_| plain) else { continue };
        if names.contains(&name) {
            let index = head.name.and_then(|at| statement.name(at)).unwrap_or_default();
            let message = format!("index \"{index}\" contains duplicate column \"{name}\"");
            return Err(Refusal::new("42P17", message));
        }
        names.push(name);
    }
    Ok(())
}

enum Named {
    /// It is there already, as it may be.
    Exists(String),
    /// It shall have this name, or one of PostgreSQL's choice.
    New(Option<String>),
}

fn named(
    statement: &Statement<'_>,
    head: &Head,
    table: &TableName,
    context: &Context<'_>,
    given: Option<&str>,
) -> Result<Named, Stop> {
    let wanted = match (given, head.name) {
        (Some(given), None) => given.to_owned(),
        (_, Some(at)) => match statement.name(at) {
            Some(name) => name,
            None => return Ok(Named::New(None)),
        },
        (None, None) => head.implicit(statement, &table.name),
    };
    let names = context.catalog.names(table, std::slice::from_ref(&wanted))?;
    let is_used = |name: &str| names.indexes.contains(name);
    if head.name.is_none() {
        let free = Taken::default().free(wanted, is_used);
        // Longer names are cut, and PostgreSQL cuts its own in a better place.
        return Ok(Named::New((free.len() <= LONGEST).then_some(free)));
    }
    if !is_used(&wanted) {
        return Ok(Named::New(Some(wanted)));
    }
    if head.lenient {
        return Ok(Named::Exists(wanted));
    }
    let message = format!("index with name \"{wanted}\" already exists");
    Err(Refusal::new("42P07", message).into())
}
