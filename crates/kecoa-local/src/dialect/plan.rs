//! What the endpoint does for a statement.

use kecoa_sql::Statement;

use super::catalog::Need;
use super::edit::{Edits, Sql};
use super::quote::quote;
use super::settings::Change;
use super::syntax;

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
    pub notice: Option<String>,
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
    /// All of it; in between, the client sends rows.
    CopyIn(CopyForm),
}

/// The form of the rows that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyForm {
    /// CSV with the usual quotes, in which CockroachDB takes a last line `\.` for the end.
    Csv,
    /// Any other, in which the server finds the end.
    Other,
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
        Self { sql, reply: Reply::Forward, on_error: OnError::Fail, notice: None }
    }

    /// The statement with the edits made, whose reply is the client's.
    pub fn edited(statement: &Statement<'_>, edits: Edits) -> Self {
        let notice = edits.notice();
        let sql = edits.apply(statement.sql(), statement.offset());
        Self { notice, ..Self::forward(sql) }
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

    /// Makes pieces one statement's: the last one answers, with this tag when others go before it.
    pub fn answer_last(pieces: &mut [Self], tag: &str) {
        if let [before @ .., last] = pieces
            && !before.is_empty()
        {
            for piece in before {
                piece.reply = Reply::Hide;
            }
            last.reply = Reply::Tag(tag.to_owned(), false);
        }
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

    /// A piece that does nothing but answer with a notice and a tag.
    pub fn notice(message: &str, tag: &str) -> Self {
        Self { notice: Some(message.to_owned()), ..Self::nothing(tag) }
    }
}

/// An error of the endpoint's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE.
    pub code: &'static str,
    /// The message.
    pub message: String,
    /// What it is about, as CockroachDB's DETAIL; may be empty.
    pub detail: String,
    /// What to do instead; may be empty.
    pub hint: String,
}

impl Refusal {
    /// An error without a hint.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: String::new(), hint: String::new() }
    }

    /// What only a CockroachDB cluster can do.
    pub fn cluster_only(what: &str) -> Self {
        Self {
            detail: String::new(),
            code: "0A000",
            message: format!("the local endpoint cannot {what}: PostgreSQL lies underneath"),
            hint: "point DATABASE_URL at a CockroachDB cluster to use this".to_owned(),
        }
    }

    /// What lies in another database than the session's.
    pub fn other_database(name: &str) -> Self {
        Self {
            detail: String::new(),
            code: "0A000",
            message: format!(
                "the local endpoint sees one database at a time, and \"{name}\" is another"
            ),
            hint: format!("USE {name} first, outside a transaction"),
        }
    }

    /// What CockroachDB refuses, and PostgreSQL could do.
    pub fn strict(code: &'static str, what: &str) -> Self {
        let kind = if code == "42601" { "syntax error" } else { "unimplemented" };
        Self {
            code,
            message: format!("{kind}: CockroachDB does not have {what}"),
            detail: String::new(),
            hint: "SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster".to_owned(),
        }
    }

    /// The same of what CockroachDB's grammar has no place for, or only to say that it is not there; it
    /// starts at the token `at`.
    pub fn syntax(statement: &Statement<'_>, at: usize, code: &'static str, what: &str) -> Self {
        let start = statement.start(at);
        let near = syntax::near(statement, start);
        let refusal = Self::strict(code, what);
        let said = refusal.message.strip_prefix("syntax error: ").unwrap_or(&refusal.message);
        Self {
            message: format!("{near}: syntax error: {said}"),
            detail: syntax::detail(statement, start).unwrap_or_default(),
            ..refusal
        }
    }

    /// A field of a row, whose name has no brackets around it.
    pub fn field_of_row(row: &str, field: &str) -> Self {
        let message = format!("no data source matches prefix: {row} in this context");
        let hint = format!(
            "to access a field of a composite-typed column or variable, surround the column/variable name \
             in parentheses: ({row}).{field}"
        );
        Self { hint, ..Self::new("42P01", message) }
    }

    /// SQL that raises this error inside PostgreSQL, so that the state of the transaction and of
    /// the protocol is what a real error leaves.
    fn sql(&self) -> String {
        let mut using = format!("ERRCODE = '{}', MESSAGE = {}", self.code, quote(&self.message));
        if !self.detail.is_empty() {
            using.push_str(&format!(", DETAIL = {}", quote(&self.detail)));
        }
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

/// What depends on the state of the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// `BEGIN`, with PostgreSQL's options and CockroachDB's priority.
    Begin(String, Option<&'static str>),
    /// `SET TRANSACTION`, with PostgreSQL's options.
    SetTransaction(String),
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK`.
    Rollback,
    /// `SAVEPOINT name`.
    Savepoint(String),
    /// `ROLLBACK TO SAVEPOINT name`.
    RollbackTo(String),
    /// `RELEASE SAVEPOINT name`.
    Release(String),
    /// `SHOW TRANSACTION STATUS`.
    Status,
    /// `SHOW SAVEPOINT STATUS`.
    Savepoints,
    /// Sets a session variable that the endpoint's own rules obey.
    Set(Change),
    /// May set any of them.
    SetAny,
    /// `USE name`; `None` is the default database.
    Use(Option<String>),
    /// What PostgreSQL runs only outside a transaction: an open one is committed before, as
    /// CockroachDB's `autocommit_before_ddl` does.
    Detached,
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
