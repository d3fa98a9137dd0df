//! CockroachDB's dialect: text in, a plan out.
//!
//! Nothing here does I/O. What a plan must know of the database (the primary key of a table, say)
//! it asks for, and the caller answers.
//!
//! The way of a statement: [`kecoa_sql::split`] cuts a batch, [`analyse`] understands one statement
//! whatever the state of the transaction, [`transaction::Transaction::plan`] says what is sent in
//! the state at hand. Queries and writes are rewritten on their tree, by the grammar of
//! [`kecoa_grammar`], all else on tokens: what lies in strings, comments and dollar quotes stays as it is.

mod alter_table;
mod audit;
mod body;
mod bootstrap;
mod bytes;
pub mod catalog;
mod conditionals;
mod constraint_names;
mod control;
mod database;
mod defaults;
mod definition;
pub mod edit;
mod enumeration;
mod escapes;
mod explain;
mod expression;
mod extension;
mod grant;
mod hidden_key;
mod index;
mod index_clauses;
mod index_commands;
mod index_names;
mod key_order;
mod lenient;
mod limited;
mod literals;
pub mod long_names;
mod materialized;
mod moments;
mod names;
mod on_update;
mod operators;
mod own_names;
mod partition;
mod password;
pub mod plan;
mod plpgsql;
mod query;
pub(crate) mod quote;
mod quoted_words;
mod refused;
mod refused_options;
mod region;
mod relation;
mod safe;
mod sequence;
pub(crate) mod set;
pub mod settings;
pub(crate) mod shared_values;
mod show;
mod signature;
mod sql_json;
mod statistics;
pub mod steady;
mod strings;
pub(crate) mod syntax;
mod system_time;
mod table;
mod table_as;
mod tags;
mod texts;
pub mod transaction;
mod types;
mod unsupported;
mod upsert;
pub mod variables;
mod vector_index;
mod version;

pub use bootstrap::BOOTSTRAP_SQL;
pub use version::{COCKROACHDB_VERSION, RETRY_HINT};

use kecoa_sql::{Statement, TokenKind};

use catalog::{Context, Need};
use edit::{Edits, Sql};
use plan::{Analysis, Class, Control, Piece, Reply, Stop};

/// Understands one statement.
///
/// # Errors
/// What must be asked of the database first; ask, note the answer in the catalog, and come again.
pub fn analyse(statement: &Statement<'_>, context: &Context<'_>) -> Result<Analysis, Need> {
    if !statement.is_understood() {
        // PostgreSQL gets it as it is, and says what is wrong with it.
        let sql = Sql::copied(statement.sql(), statement.offset());
        return Ok(Analysis::plain(Class::Session, sql));
    }
    match understand(statement, context) {
        Ok(mut analysis) => {
            let usual = |reply: &Reply| match reply {
                Reply::Forward => true,
                Reply::Tag(tag, _) => matches!(tag.as_str(), "ALTER TABLE" | "ALTER INDEX"),
                _ => false,
            };
            if let Some(last) = analysis.pieces.last_mut()
                && usual(&last.reply)
                && let Some(reply) = tags::reply(statement)
            {
                last.reply = reply;
            }
            if !context.settings.temporary_tables
                && statement.is(0, "CREATE")
                && (1..3).any(|at| statement.is_any(at, &["TEMP", "TEMPORARY"]))
                && let Some(last) = analysis.pieces.last_mut().filter(|last| last.notice.is_none())
            {
                last.notice = Some(
                    "a cluster takes temporary tables only where experimental_enable_temp_tables is on"
                        .to_owned(),
                );
            }
            if analysis.control.is_none() && sets_any(statement) {
                analysis.control = Some(Control::SetAny);
            }
            Ok(analysis)
        }
        Err(Stop::Refuse(refusal)) => Ok(Analysis::refuse(&refusal)),
        Err(Stop::Need(need)) => Err(need),
    }
}

/// Whether it calls `set_config()` for a variable that the rules obey, or for one that nobody can tell.
fn sets_any(statement: &Statement<'_>) -> bool {
    let others = |at: usize| {
        statement.is_mark(at + 1, "(")
            && statement.kind(at + 2) == Some(TokenKind::String)
            && statement
                .value(at + 2)
                .map(|name| name.to_ascii_lowercase())
                .is_some_and(|name| !name.starts_with("kecoa") && variables::find(&name).is_none())
    };
    (0..statement.len()).any(|at| statement.is(at, "set_config") && !others(at))
}

fn understand(statement: &Statement<'_>, context: &Context<'_>) -> Result<Analysis, Stop> {
    if let Some(refusal) = unsupported::refusal(statement) {
        return Err(refusal.into());
    }
    if context.settings.strict
        && let Some(refusal) = refused::refusal(statement)
            .or_else(|| refused_options::refusal(statement))
            .or_else(|| shared_values::in_statement(statement))
    {
        return Err(refusal.into());
    }
    if let Some(refusal) = safe::refusal(statement, context.settings) {
        return Err(refusal.into());
    }
    if let Some(analysis) = control::analyse(statement)? {
        return Ok(analysis);
    }
    if let Some(analysis) = database::analyse(statement, context)? {
        return Ok(analysis);
    }
    if let Some(analysis) = region::alter(statement, context)? {
        return Ok(analysis);
    }
    if let Some(analysis) = audit::alter(statement) {
        return Ok(analysis?);
    }
    if let Some(analysis) = defaults::alter(statement, context)? {
        return Ok(analysis);
    }
    if let Some(analysis) = set::analyse(statement, context.settings)? {
        return Ok(analysis);
    }
    if statement.is(0, "SHOW")
        && let Some(shown) = show::query(statement, 0, statement.len(), context)?
    {
        let mut piece = Piece::forward(Sql::made(shown.sql));
        piece.reply = Reply::Tag(shown.tag.to_owned(), shown.counted);
        return Ok(Analysis::piece(Class::Session, piece));
    }
    if let Some(piece) = show::behind(statement, context)? {
        return Ok(Analysis::piece(class(statement), piece));
    }
    if let Some(analysis) = table::create(statement, context)? {
        return Ok(analysis);
    }
    if let Some(mut pieces) = index::create(statement, context, None)? {
        Piece::answer_last(&mut pieces, "CREATE INDEX");
        return Ok(Analysis { class: Class::Definition, control: None, pieces });
    }
    if let Some(analysis) = extension::analyse(statement) {
        return Ok(analysis);
    }
    if let Some(analysis) = lenient::create(statement, context)? {
        return Ok(analysis);
    }
    if let Some(analysis) = alter_table::analyse(statement, context)? {
        return Ok(analysis);
    }
    if let Some(analysis) = index_commands::analyse(statement, context)? {
        return Ok(analysis);
    }
    if let Some(analysis) =
        statistics::create(statement).or_else(|| enumeration::drop_value(statement))
    {
        return Ok(analysis);
    }
    let mut edits = Edits::under(context.settings);
    explain::rewrite(statement, &mut edits);
    expression::rewrite(statement, context, &mut edits)?;
    if let Some(analysis) = grant::rewrite(statement, context, &mut edits)? {
        return Ok(analysis);
    }
    grant::role_options(statement, &mut edits);
    if statement.are(0, &["ALTER", "INDEX"]) {
        partition::refuse(statement, 2, statement.len(), "partition indexes")?;
        index_commands::alter(statement, &mut edits);
    } else if statement.is_any(0, &["CREATE", "ALTER"]) && sequence::is_one(statement) {
        sequence::rewrite(statement, &mut edits)?;
    } else if statement.is(0, "PREPARE") && statement.is_mark(2, "(") {
        let closing = statement.partner(2).unwrap_or(2);
        for (start, _) in statement.elements(3, closing) {
            types::rewrite(statement, start, false, &mut edits)?;
        }
    }
    materialized::refresh(statement, &mut edits);
    forward_only(statement, &mut edits);
    signature::rewrite(statement, &mut edits)?;
    body::rewrite(statement, &mut edits)?;
    let class = class(statement);
    let mut pieces: Vec<Piece> = relation::room(statement, context)?.into_iter().collect();
    pieces.push(Piece::edited(statement, edits));
    Ok(Analysis { class, control: None, pieces })
}

/// A cursor of CockroachDB's goes forward, where PostgreSQL's may go back if its plan lets it.
fn forward_only(statement: &Statement<'_>, edits: &mut Edits) {
    if !statement.is(0, "DECLARE") || !edits.settings.strict {
        return;
    }
    let cursor = statement.find(2, statement.len(), |at| statement.is(at, "CURSOR"));
    if let Some(at) = cursor.filter(|at| !statement.is(at - 1, "SCROLL")) {
        edits.insert(statement.start(at), "NO SCROLL ");
    }
}

fn class(statement: &Statement<'_>) -> Class {
    const SESSION: [&str; 9] =
        ["SET", "SHOW", "RESET", "DISCARD", "DEALLOCATE", "LISTEN", "UNLISTEN", "CLOSE", "PREPARE"];
    const DEFINITION: [&str; 8] =
        ["CREATE", "ALTER", "DROP", "COMMENT", "TRUNCATE", "GRANT", "REVOKE", "REFRESH"];
    const CONTROL: [&str; 6] = ["COMMIT", "ROLLBACK", "END", "ABORT", "BEGIN", "START"];
    if statement.is_any(0, &SESSION) {
        Class::Session
    } else if statement.is_any(0, &DEFINITION) {
        Class::Definition
    } else if statement.is_any(0, &["DO", "CALL", "REINDEX"]) {
        // A block or a procedure may change the schema too.
        Class::Schema
    } else if statement.is_any(0, &CONTROL) || statement.are(0, &["PREPARE", "TRANSACTION"]) {
        Class::Control
    } else if statement.is(0, "SELECT")
        && !(0..statement.len()).any(|at| {
            statement.kind(at) == Some(TokenKind::Word) && statement.is(at, "FROM")
                || statement.is_mark(at, "(")
        })
    {
        Class::Constant
    } else {
        Class::Work
    }
}
