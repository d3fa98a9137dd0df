//! What the endpoint does for a statement.

use std::collections::HashMap;

use super::edit::{Edits, Sql};
use super::statement::Statement;
use super::transaction::Control;

/// One statement for PostgreSQL, and what its reply becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What is sent.
    pub sql: Sql,
    /// What the client sees of the reply.
    pub reply: Reply,
    /// What a failure of this piece means beyond a failed statement.
    pub on_error: OnError,
    /// A notice for the client once the piece has completed.
    pub say: Option<String>,
}

/// What the client sees of a piece's reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// All of it.
    Forward,
    /// Errors and notices only.
    Hide,
    /// All of it, with this command tag; the row count is kept behind it if the flag is set.
    Tag(String, bool),
}

/// What a failure of a piece means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The statement failed.
    Fail,
    /// The piece exists to fail: the error is ours, with its message and hint and nothing else.
    Raised,
    /// An injected retry error: counts as one failed attempt.
    Injected,
    /// `CREATE DATABASE IF NOT EXISTS`: somebody else made it in the meantime, which is as good.
    Exists,
    /// `RELEASE SAVEPOINT cockroach_restart`: the transaction is over for PostgreSQL, but the
    /// client's is only aborted.
    Release,
}

impl Piece {
    /// A piece whose reply is the client's.
    pub fn forward(sql: Sql) -> Self {
        Self { sql, reply: Reply::Forward, on_error: OnError::Fail, say: None }
    }

    /// The statement with the edits made, whose reply is the client's.
    pub fn edited(statement: &Statement<'_>, edits: Edits) -> Self {
        let say = edits.told();
        let sql = edits.apply(statement.sql(), statement.offset());
        Self { say, ..Self::forward(sql) }
    }

    /// A piece of our own whose reply the client does not see.
    pub fn hidden(sql: &str) -> Self {
        Self { reply: Reply::Hide, ..Self::forward(Sql::made(sql)) }
    }

    /// A piece of our own, answered with a fixed tag.
    pub fn tagged(sql: impl Into<Vec<u8>>, tag: &str) -> Self {
        let reply = Reply::Tag(tag.to_owned(), false);
        Self { reply, ..Self::forward(Sql::made(sql)) }
    }

    /// A piece that does nothing, answered with a fixed tag.
    pub fn nothing(tag: &str) -> Self {
        Self::tagged(format!("DO {}", quote("BEGIN END")), tag)
    }

    /// A piece that raises an error.
    pub fn raise(error: &Refusal) -> Self {
        let on_error = OnError::Raised;
        Self { reply: Reply::Hide, on_error, ..Self::forward(Sql::made(error.sql())) }
    }

    /// A piece that says something and answers with a tag.
    pub fn notice(message: &str, tag: &str) -> Self {
        Self { say: Some(message.to_owned()), ..Self::nothing(tag) }
    }
}

/// A string literal that reads the same with `standard_conforming_strings` on or off.
pub fn quote(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// A quoted identifier.
pub fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An error of the endpoint's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE.
    pub code: &'static str,
    /// The message.
    pub message: String,
    /// What to do instead; may be empty.
    pub hint: String,
}

impl Refusal {
    /// An error without a hint.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: String::new() }
    }

    /// What only a CockroachDB cluster can do.
    pub fn cluster_only(what: &str) -> Self {
        Self {
            code: "0A000",
            message: format!("the local endpoint cannot {what}: PostgreSQL lies underneath"),
            hint: "point DATABASE_URL at a CockroachDB cluster to use this".to_owned(),
        }
    }

    /// SQL that raises this error inside PostgreSQL, so that the state of the transaction and of
    /// the protocol is what a real error leaves.
    fn sql(&self) -> String {
        let mut using = format!("ERRCODE = '{}', MESSAGE = {}", self.code, quote(&self.message));
        if !self.hint.is_empty() {
            using.push_str(&format!(", HINT = {}", quote(&self.hint)));
        }
        format!("DO {}", quote(&format!("BEGIN RAISE EXCEPTION USING {using}; END")))
    }
}

/// How the endpoint's own rules look at a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reads or sets session state; retry errors are never injected here.
    Session,
    /// Begins, ends or marks a transaction.
    Control,
    /// May change the schema: what was learned of tables is out of date after it.
    Schema,
    /// Changes the schema, and commits an open transaction first while `autocommit_before_ddl` is
    /// on.
    Definition,
    /// A query that touches no table.
    Constant,
    /// Anything else.
    Work,
}

impl Class {
    /// Whether the schema may be another afterwards.
    pub fn changes_schema(self) -> bool {
        matches!(self, Self::Schema | Self::Definition)
    }
}

/// A statement understood, independent of the state of the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// How the rules look at it.
    pub class: Class,
    /// What depends on the state of the transaction; decided when it runs.
    pub control: Option<Control>,
    /// What is sent otherwise. In the extended protocol the first one is what is parsed under the
    /// client's name. Never empty.
    pub pieces: Vec<Piece>,
}

impl Analysis {
    /// One piece, forwarded.
    pub fn plain(class: Class, sql: Sql) -> Self {
        Self { class, control: None, pieces: vec![Piece::forward(sql)] }
    }

    /// One piece of our own.
    pub fn piece(class: Class, piece: Piece) -> Self {
        Self { class, control: None, pieces: vec![piece] }
    }

    /// An error.
    pub fn refuse(error: &Refusal) -> Self {
        Self::piece(Class::Work, Piece::raise(error))
    }

    /// What depends on the transaction. `stand_in` is parsed in the extended protocol so that
    /// Describe and Bind have something to talk about.
    pub fn control(control: Control, stand_in: Sql) -> Self {
        Self {
            class: Class::Control,
            control: Some(control),
            pieces: vec![Piece::forward(stand_in)],
        }
    }
}

/// A table's name as written, folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The schema, if one was named.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it is part of the primary key.
    pub key: bool,
    /// Whether only the server may write it.
    pub generated: bool,
}

/// What analysis must know of the database first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// The columns of a table, if there is one.
    Table(TableName),
    /// Whether a database exists.
    Database(String),
    /// Whether the session's database has a schema.
    Schema(String),
}

impl Need {
    /// The query that answers. Each row is a column for a table (name, is key, is generated: `t`
    /// or `f`, the table's schema), any row at all for a database or schema.
    pub fn sql(&self) -> String {
        match self {
            Self::Table(table) => {
                let visible = match &table.schema {
                    Some(schema) => format!("n.nspname = {}", quote(schema)),
                    None => "pg_catalog.pg_table_is_visible(c.oid)".to_owned(),
                };
                format!(
                    "SELECT a.attname, a.attnum = ANY (coalesce(k.conkey, '{{}}')), \
                     a.attgenerated <> '' OR a.attidentity = 'a', n.nspname \
                     FROM pg_catalog.pg_class c \
                     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                     JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
                     LEFT JOIN pg_catalog.pg_constraint k \
                       ON k.conrelid = c.oid AND k.contype = 'p' \
                     WHERE c.relname = {} AND {visible} AND c.relkind IN ('r', 'p', 'v', 'f') \
                       AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
                    quote(&table.name)
                )
            }
            Self::Database(name) => {
                let name = quote(name);
                format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {name}")
            }
            Self::Schema(name) => {
                let name = quote(name);
                format!("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {name}")
            }
        }
    }
}

#[derive(Debug, Default)]
struct Table {
    schema: Option<String>,
    columns: Vec<Column>,
}

/// What is known of the database. It holds for as long as nothing runs: the next statement may
/// find other tables under the same names.
#[derive(Debug, Default)]
pub struct Catalog {
    tables: HashMap<TableName, Table>,
    databases: HashMap<String, bool>,
    schemas: HashMap<String, bool>,
}

/// More tables than this are not remembered at once.
const CATALOG_CAP: usize = 1024;

impl Catalog {
    /// Notes the rows that answered `need`.
    pub fn answer(&mut self, need: Need, rows: &[Vec<Option<String>>]) {
        match need {
            Need::Table(table) => {
                if self.tables.len() >= CATALOG_CAP {
                    self.tables.clear();
                }
                let flag = |row: &[Option<String>], index: usize| {
                    row.get(index).is_some_and(|value| value.as_deref() == Some("t"))
                };
                let columns = rows
                    .iter()
                    .map(|row| Column {
                        name: row.first().cloned().flatten().unwrap_or_default(),
                        key: flag(row, 1),
                        generated: flag(row, 2),
                    })
                    .collect();
                let schema = rows.first().and_then(|row| row.get(3).cloned().flatten());
                self.tables.insert(table, Table { schema, columns });
            }
            Need::Database(name) => {
                self.databases.insert(name, !rows.is_empty());
            }
            Need::Schema(name) => {
                self.schemas.insert(name, !rows.is_empty());
            }
        }
    }

    /// Forgets everything: the schema may have changed.
    pub fn clear(&mut self) {
        self.tables.clear();
        self.databases.clear();
        self.schemas.clear();
    }

    /// The columns of a table; none when there is no such table.
    pub fn table(&self, name: &TableName) -> Result<&[Column], Need> {
        let table = self.tables.get(name).ok_or_else(|| Need::Table(name.clone()))?;
        Ok(&table.columns)
    }

    /// The schema that a table was found in, if it was.
    pub fn schema_of(&self, name: &TableName) -> Option<&str> {
        self.tables.get(name)?.schema.as_deref()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.databases.is_empty() && self.schemas.is_empty()
    }

    /// Whether the session's database has a schema.
    pub fn schema(&self, name: &str) -> Result<bool, Need> {
        self.schemas.get(name).copied().ok_or_else(|| Need::Schema(name.to_owned()))
    }

    /// Whether a database exists.
    pub fn database(&self, name: &str) -> Result<bool, Need> {
        self.databases.get(name).copied().ok_or_else(|| Need::Database(name.to_owned()))
    }
}

/// Why a statement is not understood yet, or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Something must be asked first.
    Need(Need),
    /// It cannot be done here.
    Refuse(Refusal),
}

impl From<Need> for Stop {
    fn from(need: Need) -> Self {
        Self::Need(need)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

/// What analysis knows of the session.
#[derive(Debug)]
pub struct Context<'a> {
    /// The database the session is in.
    pub database: &'a str,
    /// What is known of it.
    pub catalog: &'a Catalog,
    /// `standard_conforming_strings` is off.
    pub backslash_escapes: bool,
}
