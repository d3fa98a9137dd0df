//! What a lost answer leaves open: the one place that says of a statement's text whether it may commit.
//!
//! Every client and every entry point asks here, so that `COMMIT` in any spelling, one among several
//! statements, or a write outside of a transaction is judged alike. What cannot be told for sure may
//! commit: an outcome that is called unknown costs a look, one that is called rolled back a booking.

use kecoa_proto::{Request, Step, TransactionStatus};

mod lexer;
use lexer::{Lexer, Token};

/// Where the session is among transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Block {
    /// No transaction is open: each request commits by itself.
    Outside,
    /// A transaction is open.
    Open,
    /// A transaction is open and has failed: it can only be rolled back.
    Failed,
    /// Not known.
    Unknown,
}

impl From<TransactionStatus> for Block {
    fn from(status: TransactionStatus) -> Block {
        match status {
            TransactionStatus::Idle => Block::Outside,
            TransactionStatus::InTransaction => Block::Open,
            TransactionStatus::Failed => Block::Failed,
        }
    }
}

/// What running a text does to transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effect {
    /// Something may be committed: when the answer is lost, whether it was is not known.
    pub may_commit: bool,
    /// Where the session is when all of it has succeeded.
    pub after: Block,
}

/// The effect of a text of any number of statements, sent when the session is at `before`. A
/// CockroachDB may commit an open transaction before it changes a schema.
///
/// ```
/// use kecoa::retry::{Block, effect_of};
///
/// assert!(effect_of(b"/* done */ commit", Block::Open, false).may_commit);
/// assert!(effect_of(b"INSERT INTO t VALUES (1)", Block::Outside, false).may_commit);
/// assert!(!effect_of(b"INSERT INTO t VALUES (1)", Block::Open, false).may_commit);
/// assert!(!effect_of(b"SHOW TIME ZONE", Block::Outside, false).may_commit);
/// ```
#[must_use]
pub fn effect_of(sql: &[u8], before: Block, cockroach: bool) -> Effect {
    let mut lexer = Lexer::new(sql);
    let mut effect = Effect { may_commit: false, after: before };
    // By far the most texts: one statement in a transaction, known by its first word.
    if before == Block::Open
        && memchr::memchr(b';', sql).is_none()
        && let Some(word) = lexer.clone().leading_word()
        && is_row_word(word)
    {
        return effect;
    }
    while !lexer.is_over() {
        let statement = Statement::read(&mut lexer, effect.after);
        statement.apply(&mut effect, cockroach);
    }
    if lexer.is_doubtful() {
        // Strings may end elsewhere than it seems. Whatever looks like a commit is taken for one.
        let commits = lexer::may_hide_commit(sql);
        effect.may_commit |= commits || before == Block::Outside || before == Block::Unknown;
        effect.after = Block::Unknown;
    }
    effect
}

/// Whether a text commits a transaction that is open, or may.
#[must_use]
pub fn is_commit(sql: &[u8]) -> bool {
    effect_of(sql, Block::Open, false).may_commit
}

/// The effect of a request. `named` is the text of a statement that the server knows by a name which
/// the request does not define.
pub(crate) fn effect_of_request(
    request: &Request<'_>,
    named: Option<&[u8]>,
    before: Block,
    cockroach: bool,
) -> Effect {
    match request {
        Request::Query(sql) => effect_of(sql, before, cockroach),
        Request::FunctionCall { .. } => {
            Effect { may_commit: matches!(before, Block::Outside | Block::Unknown), after: before }
        }
        Request::Extended(steps) => effect_of_steps(steps, named, before, cockroach),
    }
}

fn effect_of_steps(
    steps: &[Step<'_>],
    named: Option<&[u8]>,
    before: Block,
    cockroach: bool,
) -> Effect {
    // Few statements are defined in one request: the last of a name counts, and is found first.
    let mut defined: Vec<(&[u8], &[u8])> = Vec::new();
    let mut bound: Option<Option<&[u8]>> = None;
    let mut effect = Effect { may_commit: false, after: before };
    for step in steps {
        match step {
            Step::Parse { name, sql, .. } => {
                match defined.iter_mut().find(|(n, _)| n == name) {
                    Some(known) => known.1 = sql,
                    None => defined.push((name, sql)),
                }
                if cockroach && effect.after == Block::Open {
                    // A CockroachDB commits before a change of the schema when it is prepared.
                    let one = effect_of(sql, Block::Open, cockroach);
                    if one.may_commit && one.after == Block::Unknown {
                        effect = one;
                    }
                }
            }
            Step::Bind { statement, .. } => {
                let here = defined.iter().find(|(name, _)| name == statement);
                bound = Some(here.map(|(_, sql)| *sql).or(named));
            }
            Step::Execute { .. } => match bound.flatten() {
                Some(sql) => {
                    let one = effect_of(sql, effect.after, cockroach);
                    effect.may_commit |= one.may_commit;
                    effect.after = one.after;
                }
                // The next rows of a portal, or of a statement that somebody else prepared.
                None => {
                    effect.may_commit |= matches!(effect.after, Block::Outside | Block::Unknown)
                }
            },
            _ => {}
        }
    }
    effect
}

/// Words that begin statements which do nothing to transactions, and are the most common.
fn is_row_word(word: &[u8]) -> bool {
    is_one_of(word, &["delete", "insert", "select", "update", "upsert", "values", "with"])
}

fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// What is remembered of one statement of a text.
struct Statement<'a> {
    /// Its first words. A statement is known by no more.
    words: [&'a [u8]; 4],
    count: usize,
    /// The name that RELEASE is given.
    name: Option<&'a [u8]>,
    calls: bool,
    from: bool,
    into: bool,
    analyze: bool,
    chain: bool,
    no: bool,
    to: bool,
}

impl<'a> Statement<'a> {
    /// Reads up to the end of a statement. Further in than its first words it is only looked at
    /// where that matters.
    fn read(lexer: &mut Lexer<'a>, before: Block) -> Statement<'a> {
        let mut statement = Statement {
            words: [b""; 4],
            count: 0,
            name: None,
            calls: false,
            from: false,
            into: false,
            analyze: false,
            chain: false,
            no: false,
            to: false,
        };
        loop {
            match lexer.token() {
                None | Some(Token::Semicolon) => return statement,
                Some(Token::Word(word)) => statement.note(word),
                Some(Token::Quoted(name)) => {
                    statement.name.get_or_insert(name);
                }
                Some(Token::Open) => statement.calls |= statement.count > 0,
                Some(Token::Other) => {}
            }
            if statement.is_decided(before) && lexer.is_last_statement() {
                lexer.end();
                return statement;
            }
        }
    }

    /// Whether the rest of the statement cannot change what is known of it.
    fn is_decided(&self, before: Block) -> bool {
        self.count > 0 && is_row_word(self.first()) && {
            let certain = self.calls || self.from || self.into;
            before == Block::Open || certain || !self.is("select")
        }
    }

    fn note(&mut self, word: &'a [u8]) {
        if let Some(place) = self.words.get_mut(self.count) {
            *place = word;
        }
        self.count += 1;
        let is = |known: &str| word.eq_ignore_ascii_case(known.as_bytes());
        self.from |= is("from") || is("table");
        self.into |= is("into");
        self.analyze |= is("analyze") || is("analyse");
        self.chain |= is("chain");
        self.no |= is("no");
        self.to |= is("to");
    }

    fn first(&self) -> &'a [u8] {
        self.words[0]
    }

    fn second(&self) -> &'a [u8] {
        self.words[1]
    }

    fn is(&self, word: &str) -> bool {
        self.first().eq_ignore_ascii_case(word.as_bytes())
    }

    fn then(&self, word: &str) -> bool {
        self.second().eq_ignore_ascii_case(word.as_bytes())
    }

    fn apply(&self, effect: &mut Effect, cockroach: bool) {
        let before = effect.after;
        if self.count == 0 && !self.calls {
            return;
        }
        if self.is("commit") || self.is("end") {
            // In a failed transaction it rolls back.
            effect.may_commit |= before != Block::Failed;
            effect.after = match (self.then("prepared"), self.chain && !self.no) {
                (true, _) => before,
                (false, true) => Block::Open,
                (false, false) => Block::Outside,
            };
        } else if self.is("rollback") || self.is("abort") {
            effect.after = match (self.then("prepared"), self.to, self.chain && !self.no) {
                (true, ..) => before,
                (_, true, _) if before == Block::Failed => Block::Open,
                (_, true, _) => before,
                (_, _, true) => Block::Open,
                _ => Block::Outside,
            };
        } else if self.is("prepare") && self.then("transaction") {
            effect.may_commit |= before != Block::Failed;
            effect.after = Block::Outside;
        } else if self.is("begin") || self.is("start") && self.then("transaction") {
            effect.after = if before == Block::Failed { before } else { Block::Open };
        } else if self.is("release") {
            effect.may_commit |= before != Block::Failed && self.releases_restart();
        } else if self.changes_schema() && cockroach && before == Block::Open {
            effect.may_commit = true;
            effect.after = Block::Unknown;
        } else if matches!(before, Block::Outside | Block::Unknown) {
            effect.may_commit |= !self.only_reads();
        }
    }

    /// `RELEASE [SAVEPOINT] cockroach_restart…`, by which CockroachDB commits.
    fn releases_restart(&self) -> bool {
        let savepoint = self.then("savepoint") && (self.count > 2 || self.name.is_some());
        let word = if savepoint { self.words[2] } else { self.second() };
        let name = self.name.unwrap_or(word);
        let prefix = name.get(..17).unwrap_or_default();
        prefix.eq_ignore_ascii_case(b"cockroach_restart")
    }

    /// What a CockroachDB counts as a change of the schema; ANALYZE is one, as it writes statistics.
    fn changes_schema(&self) -> bool {
        let words = [
            "alter", "analyse", "analyze", "comment", "create", "drop", "grant", "reassign",
            "refresh", "revoke", "truncate",
        ];
        let explained = &self.words[2..];
        is_one_of(self.first(), &words)
            || self.is("explain")
                && self.analyze
                && explained.iter().any(|word| is_one_of(word, &words))
    }

    /// Whether it is sure to write nothing that outlives the session. A call may do anything, and so
    /// may a relation: it can be a view.
    fn only_reads(&self) -> bool {
        let first = self.first();
        let session = [
            "close",
            "deallocate",
            "discard",
            "fetch",
            "listen",
            "move",
            "reset",
            "savepoint",
            "set",
            "show",
            "unlisten",
        ];
        // Of a walsender.
        let streams = [
            "base_backup",
            "identify_system",
            "read_replication_slot",
            "start_replication",
            "timeline_history",
        ];
        if is_one_of(first, &session) {
            return !self.then("cluster");
        }
        if is_one_of(first, &streams) || self.is("prepare") {
            return true;
        }
        match () {
            () if self.is("select") => !self.calls && !self.from && !self.into,
            () if self.is("explain") => !self.analyze,
            () if self.is("copy") => !self.calls && self.to && !self.from,
            () if self.is("experimental") => self.then("changefeed") && !self.into,
            () if self.is("create") => self.then("changefeed") && !self.into,
            () => false,
        }
    }
}

#[cfg(test)]
mod tests;
