//! What a `SHOW` becomes.

use kecoa_sql::Statement;

use crate::dialect::catalog::Context;
use crate::dialect::plan::{Refusal, Stop};
use crate::dialect::quote::{quote, quote_name};

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

/// What a `SHOW` was found to be; `None` when it is another one.
pub(super) type Found = Result<Option<Shown>, Stop>;

/// A query whose tag has the row count behind it.
pub(super) fn rows(sql: impl Into<String>, tag: &'static str) -> Found {
    Ok(Some(Shown { sql: sql.into(), tag, counted: true }))
}

/// A query whose tag stands alone.
pub(super) fn uncounted(sql: impl Into<String>, tag: &'static str) -> Found {
    Ok(Some(Shown { sql: sql.into(), tag, counted: false }))
}

/// A query without rows, for what there is none of here: `name type, …`.
pub(super) fn none(columns: &str, tag: &'static str) -> Found {
    let columns: Vec<String> = columns
        .split(", ")
        .filter_map(|column| column.split_once(' '))
        .map(|(name, kind)| format!("NULL::{kind} AS {}", quote_name(name)))
        .collect();
    rows(format!("SELECT {} WHERE false", columns.join(", ")), tag)
}

/// The words of a `SHOW` without its `WITH COMMENT`, and whether it had one.
pub(super) fn with_comment(statement: &Statement<'_>, at: usize, end: usize) -> (usize, bool) {
    let comment = end >= at + 2 && statement.are(end - 2, &["WITH", "COMMENT"]);
    (if comment { end - 2 } else { end }, comment)
}

/// A relation that a `SHOW` names.
pub(super) struct Relation {
    /// The oid, as an expression.
    pub(super) oid: String,
    /// The name as CockroachDB repeats it, as a literal.
    pub(super) name: String,
    /// One past its last token.
    pub(super) end: usize,
}

/// The relation named at `at`; `None` if there is no name before `end`.
pub(super) fn relation(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Result<Option<Relation>, Stop> {
    let Some(last) = statement.qualified_name(at).filter(|last| *last <= end) else {
        return Ok(None);
    };
    let name = quote(&written(statement, at, last));
    let own = statement.name(at).as_deref() == Some(context.database);
    // PostgreSQL takes the current database in front, but no CockroachDB version of it.
    let oid = if last == at + 3 && own {
        let public = quote(&format!("public.{}", statement.slice(at + 2, last)));
        format!(
            "coalesce(pg_catalog.to_regclass({})::oid, crdb_internal.shown_relation({public}))",
            quote(&statement.slice(at, last))
        )
    } else {
        if last == at + 5 && !own {
            return Err(other_database(&statement.name(at).unwrap_or_default()).into());
        }
        let from = if last == at + 5 { at + 2 } else { at };
        format!("crdb_internal.shown_relation({})", quote(&statement.slice(from, last)))
    };
    Ok(Some(Relation { oid, name, end: last }))
}

/// A name as CockroachDB writes it: folded, and quoted where it must be.
fn written(statement: &Statement<'_>, from: usize, to: usize) -> String {
    let parts: Vec<String> = (from..to)
        .step_by(2)
        .map(|at| {
            let name = statement.name(at).unwrap_or_default();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if name.bytes().all(plain) { name } else { quote_name(&name) }
        })
        .collect();
    parts.join(".")
}

/// What `FROM name` or `FROM database.schema` means where schemas are listed.
pub(super) enum Scope {
    /// All schemas of the session's database that are users'.
    Database,
    /// This one.
    Schema(String),
}

impl Scope {
    /// The condition on the schema's name `column`.
    pub(super) fn condition(&self, column: &str) -> String {
        match self {
            Self::Database => format!("crdb_internal.is_users({column})"),
            Self::Schema(name) => format!("{column} = {}", quote(name)),
        }
    }
}

/// The scope behind the `FROM` or `IN` at `at`, if there is one before `end`.
pub(super) fn scope(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Result<Scope, Stop> {
    if at >= end || !statement.is_any(at, &["FROM", "IN"]) {
        return Ok(Scope::Database);
    }
    let name = statement.name(at + 1).unwrap_or_default();
    if statement.is_mark(at + 2, ".") {
        let schema = statement.name(at + 3).unwrap_or_default();
        if name != context.database {
            return Err(elsewhere(&name, context)?.into());
        }
        return if context.catalog.schema(&schema)? {
            Ok(Scope::Schema(schema))
        } else {
            Err(missing().into())
        };
    }
    if context.catalog.schema(&name)? {
        return Ok(Scope::Schema(name));
    }
    if name == context.database {
        return Ok(Scope::Database);
    }
    Err(elsewhere(&name, context)?.into())
}

/// That the database named at `at` is the session's, if one is named before `end`.
pub(super) fn own_database(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Result<(), Stop> {
    match statement.name(at).filter(|_| at < end) {
        Some(name) if name != context.database => Err(elsewhere(&name, context)?.into()),
        _ => Ok(()),
    }
}

/// The error for a name that is neither the session's database nor a schema.
pub(super) fn elsewhere(name: &str, context: &Context<'_>) -> Result<Refusal, Stop> {
    Ok(if context.catalog.database(name)? { other_database(name) } else { missing() })
}

/// The error for a schema that is not there.
pub(super) fn missing() -> Refusal {
    Refusal::new("3F000", "target database or schema does not exist")
}

fn other_database(name: &str) -> Refusal {
    Refusal {
        detail: String::new(),
        code: "0A000",
        message: "the local endpoint sees one database at a time".to_owned(),
        hint: format!("run USE {} first", quote_name(name)),
    }
}
