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
    let mut effect = Effect { may_commit: false, after: before };
    run_text(sql, &mut effect, cockroach, None, &mut Sets::default(), &mut Beginning::default());
    effect
}

/// Whether a text commits a transaction that is open, or may.
#[must_use]
pub fn is_commit(sql: &[u8]) -> bool {
    effect_of(sql, Block::Open, false).may_commit
}

/// What one reading of a request's text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) effect: Effect,
    /// It commits a transaction where one is open, or may.
    pub(crate) commits_open: bool,
    /// It is a simple query without a semicolon: one statement.
    pub(crate) is_single: bool,
    /// Its statements `SET`.
    pub(crate) sets: Sets,
}

/// Statements `SET` of a request, in order: which of them end with their transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sets {
    count: u32,
    /// A bit for each, from the lowest on. Beyond the last one none is local.
    local: u32,
}

impl Sets {
    fn note(&mut self, statement: &Statement<'_>) {
        // The tags of these say more than SET.
        let others = ["constraints", "cluster", "tracing"];
        if !statement.is("set") || is_one_of(statement.second(), &others) {
            return;
        }
        let is_local = statement.then("local") || statement.then("transaction");
        self.local |= u32::from(is_local).checked_shl(self.count).unwrap_or_default();
        self.count += 1;
    }

    /// Whether the next one ends with its transaction.
    pub(crate) fn next_is_local(&mut self) -> bool {
        let is_local = self.local & 1 == 1;
        self.local >>= 1;
        is_local
    }
}

/// How the last text began, where nothing behind that changes what it does: programs run the same
/// statements again and again, with other values.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    text: Vec<u8>,
    /// The longest that is kept, in bytes.
    longest: usize,
}

impl Beginning {
    /// Keeps those of up to so many bytes.
    pub(crate) fn of(longest: usize) -> Beginning {
        Beginning { text: Vec::new(), longest }
    }

    fn is_of(&self, sql: &[u8]) -> bool {
        !self.text.is_empty() && sql.starts_with(&self.text)
    }

    fn keep(&mut self, beginning: &[u8]) {
        if beginning.len() <= self.longest {
            self.text.clear();
            self.text.extend_from_slice(beginning);
        }
    }
}

/// Reads a request. `named` is the text of a statement that the server knows by a name which the
/// request does not define; `last` is of the request before.
pub(crate) fn read_request(
    request: &Request<'_>,
    named: Option<&[u8]>,
    before: Block,
    cockroach: bool,
    last: &mut Beginning,
) -> Reading {
    let mut effect = Effect { may_commit: false, after: before };
    // In an open transaction the one effect is the other, but for what a CockroachDB does.
    let mut open =
        (before != Block::Open).then_some(Effect { may_commit: false, after: Block::Open });
    let mut sets = Sets::default();
    let is_single = match request {
        Request::Query(sql) => {
            run_text(sql, &mut effect, cockroach, open.as_mut(), &mut sets, last)
        }
        Request::FunctionCall { .. } => {
            effect.may_commit = matches!(before, Block::Outside | Block::Unknown);
            false
        }
        Request::Extended(steps) => {
            run_steps(steps, named, &mut effect, cockroach, open.as_mut(), &mut sets, last);
            false
        }
    };
    let commits_open = open.map_or(effect.may_commit, |open| open.may_commit);
    Reading { effect, commits_open, is_single, sets }
}

/// Runs a text on what is known so far; on `open`, where given, as without a CockroachDB. Whether it
/// has no semicolon.
fn run_text(
    sql: &[u8],
    effect: &mut Effect,
    cockroach: bool,
    open: Option<&mut Effect>,
    sets: &mut Sets,
    last: &mut Beginning,
) -> bool {
    let is_open =
        effect.after == Block::Open && open.as_ref().is_none_or(|open| open.after == Block::Open);
    let is_single = memchr::memchr(b';', sql).is_none();
    let lexer = Lexer::new(sql, is_single);
    // By far the most texts: one statement, known by its first word, or by what it plainly reads from.
    if is_single && (last.is_of(sql) || is_plain(&lexer, is_open, last)) {
        for effect in [Some(effect), open].into_iter().flatten() {
            effect.may_commit |= matches!(effect.after, Block::Outside | Block::Unknown);
        }
        return is_single;
    }
    run_tokens(lexer, effect, cockroach, open, sets);
    is_single
}

/// Whether one statement is about rows, and may write some where no transaction is open. `last` learns how it
/// began, with the byte that ends the word by which that is known.
fn is_plain(lexer: &Lexer<'_>, is_open: bool, last: &mut Beginning) -> bool {
    let mut ahead = lexer.clone();
    let Some(word) = ahead.leading_word().filter(|word| is_row_word(word)) else { return false };
    if is_open {
        return true;
    }
    let read = match is_word(word, "select") {
        true => ahead.plainly_may_write(),
        false => Some(0),
    };
    let Some(read) = read else { return false };
    let sql = lexer.rest();
    let length = sql.len() - ahead.rest().len() + read + 1;
    if let Some(beginning) = sql.get(..length) {
        last.keep(beginning);
    }
    true
}

/// The same by tokens.
fn run_tokens(
    mut lexer: Lexer<'_>,
    effect: &mut Effect,
    cockroach: bool,
    mut open: Option<&mut Effect>,
    sets: &mut Sets,
) {
    let sql = lexer.rest();
    let (before, before_open) =
        (effect.after, open.as_ref().map_or(Block::Open, |open| open.after));
    while !lexer.is_over() {
        let is_open = effect.after == Block::Open
            && open.as_ref().is_none_or(|open| open.after == Block::Open);
        let statement = Statement::read(&mut lexer, is_open);
        let kind = statement.kind();
        sets.note(&statement);
        statement.apply(kind, effect, cockroach);
        if let Some(open) = open.as_deref_mut() {
            statement.apply(kind, open, false);
        }
    }
    if lexer.is_doubtful() {
        *sets = Sets::default();
        // Strings may end elsewhere than it seems. Whatever looks like a commit is taken for one.
        let commits = lexer::may_hide_commit(sql);
        effect.leave_open(before, commits);
        if let Some(open) = open {
            open.leave_open(before_open, commits);
        }
    }
}

fn run_steps(
    steps: &[Step<'_>],
    named: Option<&[u8]>,
    effect: &mut Effect,
    cockroach: bool,
    mut open: Option<&mut Effect>,
    sets: &mut Sets,
    last: &mut Beginning,
) {
    // Few statements are defined in one request: the last of a name counts, and is found first.
    let mut defined: Vec<(&[u8], &[u8])> = Vec::new();
    let mut bound: Option<Option<&[u8]>> = None;
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
                        *effect = one;
                    }
                }
            }
            Step::Bind { statement, .. } => {
                let here = defined.iter().find(|(name, _)| name == statement);
                bound = Some(here.map(|(_, sql)| *sql).or(named));
            }
            Step::Execute { .. } => match bound.flatten() {
                Some(sql) => {
                    run_text(sql, effect, cockroach, open.as_deref_mut(), sets, last);
                }
                // The next rows of a portal, or of a statement that somebody else prepared.
                None => {
                    for effect in [Some(&mut *effect), open.as_deref_mut()].into_iter().flatten() {
                        effect.may_commit |=
                            matches!(effect.after, Block::Outside | Block::Unknown);
                    }
                }
            },
            _ => {}
        }
    }
}

impl Effect {
    /// Where statements end is not known.
    fn leave_open(&mut self, before: Block, commits: bool) {
        self.may_commit |= commits || before == Block::Outside || before == Block::Unknown;
        self.after = Block::Unknown;
    }
}

/// Words that begin statements which do nothing to transactions, and are the most common.
fn is_row_word(word: &[u8]) -> bool {
    is_one_of(word, &["delete", "insert", "select", "update", "upsert", "values", "with"])
}

fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| is_word(word, known))
}

/// Whether a word is this keyword. Most words differ from it in length: those need no call.
#[inline]
fn is_word(word: &[u8], known: &str) -> bool {
    word.len() == known.len() && word.eq_ignore_ascii_case(known.as_bytes())
}

/// What a statement has to do with transactions.
#[derive(Clone, Copy)]
enum Kind {
    Nothing,
    /// It begins with one of the words that are the most common.
    Rows,
    Commit,
    Rollback,
    PrepareTransaction,
    Begin,
    Release,
    Other,
}

/// What is remembered of one statement of a text.
struct Statement<'a> {
    /// Its first words. A statement is known by no more.
    words: [&'a [u8]; 4],
    count: usize,
    /// It begins as most do: with a word that does nothing to transactions.
    rows: bool,
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
    fn read(lexer: &mut Lexer<'a>, is_open: bool) -> Statement<'a> {
        let mut statement = Statement {
            words: [b""; 4],
            count: 0,
            rows: false,
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
            if statement.is_decided(is_open) && lexer.is_last_statement() {
                lexer.end();
                return statement;
            }
        }
    }

    /// Whether the rest of the statement cannot change what is known of it: in an open transaction, or
    /// wherever it may stand.
    fn is_decided(&self, is_open: bool) -> bool {
        self.rows && (is_open || self.may_write_rows())
    }

    /// Whether a statement about rows may write something. A call may do anything, and so may a
    /// relation: it can be a view.
    fn may_write_rows(&self) -> bool {
        self.calls || self.from || self.into || !self.is("select")
    }

    fn note(&mut self, word: &'a [u8]) {
        if let Some(place) = self.words.get_mut(self.count) {
            *place = word;
        }
        if self.count == 0 {
            self.rows = is_row_word(word);
        }
        self.count += 1;
        // By their lengths first: few words are any of these.
        let is = |known| is_word(word, known);
        match word.len() {
            2 => {
                self.no |= is("no");
                self.to |= is("to");
            }
            4 => {
                self.from |= is("from");
                self.into |= is("into");
            }
            5 => {
                self.from |= is("table");
                self.chain |= is("chain");
            }
            7 => self.analyze |= is("analyze") || is("analyse"),
            _ => {}
        }
    }

    fn first(&self) -> &'a [u8] {
        self.words[0]
    }

    fn second(&self) -> &'a [u8] {
        self.words[1]
    }

    fn is(&self, word: &str) -> bool {
        is_word(self.first(), word)
    }

    fn then(&self, word: &str) -> bool {
        is_word(self.second(), word)
    }

    fn kind(&self) -> Kind {
        match () {
            () if self.rows => Kind::Rows,
            () if self.count == 0 && !self.calls => Kind::Nothing,
            () if self.is("commit") || self.is("end") => Kind::Commit,
            () if self.is("rollback") || self.is("abort") => Kind::Rollback,
            () if self.is("prepare") && self.then("transaction") => Kind::PrepareTransaction,
            () if self.is("begin") || self.is("start") && self.then("transaction") => Kind::Begin,
            () if self.is("release") => Kind::Release,
            () => Kind::Other,
        }
    }

    fn apply(&self, kind: Kind, effect: &mut Effect, cockroach: bool) {
        let before = effect.after;
        let commits_by_itself = matches!(before, Block::Outside | Block::Unknown);
        match kind {
            Kind::Nothing => {}
            Kind::Rows => effect.may_commit |= commits_by_itself && self.may_write_rows(),
            Kind::Commit => {
                // In a failed transaction it rolls back.
                effect.may_commit |= before != Block::Failed;
                effect.after = match (self.then("prepared"), self.chain && !self.no) {
                    (true, _) => before,
                    (false, true) => Block::Open,
                    (false, false) => Block::Outside,
                };
            }
            Kind::Rollback => {
                let chain = self.chain && !self.no;
                effect.after = match (self.then("prepared"), self.to, chain) {
                    (true, ..) => before,
                    (_, true, _) if before == Block::Failed => Block::Open,
                    (_, true, _) => before,
                    (_, _, true) => Block::Open,
                    _ => Block::Outside,
                };
            }
            Kind::PrepareTransaction => {
                effect.may_commit |= before != Block::Failed;
                effect.after = Block::Outside;
            }
            Kind::Begin => {
                effect.after = if before == Block::Failed { before } else { Block::Open };
            }
            Kind::Release => {
                effect.may_commit |= before != Block::Failed && self.releases_restart();
            }
            Kind::Other if cockroach && before == Block::Open && self.changes_schema() => {
                effect.may_commit = true;
                effect.after = Block::Unknown;
            }
            Kind::Other => effect.may_commit |= commits_by_itself && !self.only_reads(),
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

    /// Whether it is sure to write nothing that outlives the session.
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
