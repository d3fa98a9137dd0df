//! Reads the statements that begin, end or mark a transaction.

use kecoa_sql::Statement;

use super::edit::Sql;
use super::plan::Control;
use super::plan::{Analysis, Class, Piece, Refusal};
use super::quote::quote_name;
use super::system_time;
use super::transaction::{Phase, savepoints, status};

/// Analyses the statements that begin, end or mark a transaction; `None` for the others.
pub(super) fn analyse(statement: &Statement<'_>) -> Result<Option<Analysis>, Refusal> {
    let with = |control, text: String| Ok(Some(Analysis::control(control, Sql::made(text))));
    let with_notice = |mut analysis: Analysis, options: &Options| {
        for piece in &mut analysis.pieces {
            piece.notice = options.stale.then(|| system_time::PRESENT.to_owned());
        }
        Ok(Some(analysis))
    };
    let noise = |at| at + usize::from(statement.is_any(at, &["WORK", "TRANSACTION"]));
    let length = statement.len();
    if statement.is(0, "BEGIN") || statement.are(0, &["START", "TRANSACTION"]) {
        let Some(options) = options(statement, noise(1))? else {
            return Ok(None);
        };
        let sql = Sql::made(format!("BEGIN{}", options.text));
        let control = Control::Begin(options.text.clone(), options.priority);
        return with_notice(Analysis::control(control, sql), &options);
    }
    let session = statement.are(0, &["SET", "SESSION", "CHARACTERISTICS", "AS", "TRANSACTION"]);
    if statement.are(0, &["SET", "TRANSACTION"]) || session {
        let Some(options) = options(statement, if session { 5 } else { 2 })? else {
            return Ok(None);
        };
        let tag = if session { "SET" } else { "SET TRANSACTION" };
        let priority = options.priority.map(|priority| {
            let set = if session { "SET kecoa.default_" } else { "SET LOCAL kecoa." };
            Piece::tagged(format!("{set}transaction_priority TO '{priority}'"), tag)
        });
        if options.text.is_empty() {
            let piece = priority.unwrap_or_else(|| Piece::nothing(tag));
            return Ok(Some(Analysis::piece(Class::Session, piece)));
        }
        let words = if session { "SESSION CHARACTERISTICS AS " } else { "" };
        let sql = Sql::made(format!("SET {words}TRANSACTION{}", options.text));
        let mut analysis = if session {
            Analysis::plain(Class::Session, sql)
        } else {
            Analysis::control(Control::SetTransaction(options.text.clone()), sql)
        };
        analysis.pieces.extend(priority);
        Piece::answer_last(&mut analysis.pieces, tag);
        return with_notice(analysis, &options);
    }
    if statement.are(0, &["SHOW", "TRANSACTION", "STATUS"])
        || statement.are(0, &["SHOW", "TRANSACTION_STATUS"])
    {
        return Ok(Some(Analysis {
            class: Class::Session,
            control: Some(Control::Status),
            pieces: vec![status(Phase::Idle)],
        }));
    }
    if statement.are(0, &["SHOW", "SAVEPOINT", "STATUS"]) && length == 3 {
        return Ok(Some(Analysis {
            class: Class::Session,
            control: Some(Control::Savepoints),
            pieces: vec![savepoints(&[], &[])],
        }));
    }
    if statement.is_any(0, &["COMMIT", "END"]) && noise(1) == length {
        return with(Control::Commit, "COMMIT".to_owned());
    }
    if statement.is_any(0, &["ROLLBACK", "ABORT"]) {
        let at = noise(1);
        if at == length {
            return with(Control::Rollback, "ROLLBACK".to_owned());
        }
        if statement.is(at, "TO") {
            let at = at + 1 + usize::from(statement.is(at + 1, "SAVEPOINT"));
            if let Some(name) = statement.name(at).filter(|_| at + 1 == length) {
                let text = format!("ROLLBACK TO SAVEPOINT {}", quote_name(&name));
                return with(Control::RollbackTo(name), text);
            }
        }
    }
    if statement.is(0, "SAVEPOINT")
        && let Some(name) = statement.name(1).filter(|_| length == 2)
    {
        let text = format!("SAVEPOINT {}", quote_name(&name));
        return with(Control::Savepoint(name), text);
    }
    if statement.is(0, "RELEASE") {
        let at = 1 + usize::from(statement.is(1, "SAVEPOINT") && length > 2);
        if let Some(name) = statement.name(at).filter(|_| at + 1 == length) {
            let text = format!("RELEASE SAVEPOINT {}", quote_name(&name));
            return with(Control::Release(name), text);
        }
    }
    Ok(None)
}

/// A transaction's options.
struct Options {
    /// PostgreSQL's form, each with a blank before it.
    text: String,
    /// Whether it may read what is a little stale.
    stale: bool,
    /// CockroachDB's, which is kept and shown: nothing here competes by priority.
    priority: Option<&'static str>,
}

/// Reads a transaction's options; `None` when one is not known, for PostgreSQL to report.
fn options(statement: &Statement<'_>, from: usize) -> Result<Option<Options>, Refusal> {
    let mut wanted: Vec<&str> = Vec::new();
    let mut stale = false;
    let mut priority = None;
    let mut at = from;
    while at < statement.len() {
        if statement.is_mark(at, ",") {
            at += 1;
            continue;
        }
        let (option, words) = if statement.are(at, &["ISOLATION", "LEVEL"]) {
            let level = at + 2;
            if statement.are(level, &["READ", "UNCOMMITTED"])
                || statement.are(level, &["READ", "COMMITTED"])
            {
                // The first is the second, in CockroachDB by name, too.
                (" ISOLATION LEVEL READ COMMITTED", 4)
            } else if statement.are(level, &["REPEATABLE", "READ"]) {
                (" ISOLATION LEVEL REPEATABLE READ", 4)
            } else if statement.is(level, "SNAPSHOT") {
                (" ISOLATION LEVEL REPEATABLE READ", 3)
            } else if statement.is(level, "SERIALIZABLE") {
                (" ISOLATION LEVEL SERIALIZABLE", 3)
            } else {
                return Ok(None);
            }
        } else if statement.is(at, "PRIORITY")
            && let Some(word) =
                ["low", "normal", "high"].into_iter().find(|word| statement.is(at + 1, word))
        {
            priority = Some(word);
            ("", 2)
        } else if statement.are(at, &["READ", "ONLY"]) {
            (" READ ONLY", 2)
        } else if statement.are(at, &["READ", "WRITE"]) {
            (" READ WRITE", 2)
        } else if statement.are(at, &["NOT", "DEFERRABLE"]) {
            (" NOT DEFERRABLE", 2)
        } else if statement.is(at, "DEFERRABLE") {
            (" DEFERRABLE", 1)
        } else if statement.are(at, &["AS", "OF", "SYSTEM", "TIME"]) {
            if statement.is_any(at + 4, &["with_max_staleness", "with_min_timestamp"]) {
                let message = "cannot use a bounded staleness query in a transaction";
                return Err(Refusal::new("0A000", message));
            }
            let end = system_time::end(statement, at + 4)?;
            stale = true;
            (" READ ONLY", end - at)
        } else {
            return Ok(None);
        };
        if !option.is_empty() && !wanted.contains(&option) {
            wanted.push(option);
        }
        at += words;
    }
    Ok(Some(Options { text: wanted.join(","), stale, priority }))
}
