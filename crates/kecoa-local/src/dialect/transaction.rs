//! Transactions with CockroachDB's rules: the savepoint protocol, injected retry errors.
//!
//! [`Transaction`] is the state the rules depend on. [`Transaction::plan`] says what a statement
//! becomes in that state and moves it to what it is once the statement has succeeded; a caller that
//! sends several statements at once plans them on a copy and keeps the copy of the last one that
//! completed.

use super::edit::Sql;
use super::plan::{Analysis, Class, Control, OnError, Piece, Refusal, Reply};
use super::quote::{quote, quote_name};
use super::settings::Tracked;
use super::system_time;
use super::version::RETRY_HINT;

/// Where the client's transaction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// None is open.
    #[default]
    Idle,
    /// One is open.
    Open,
    /// One is open and failed.
    Failed,
    /// `RELEASE SAVEPOINT cockroach_restart` committed it; only `COMMIT` is left to say.
    Released,
}

/// So many attempts fail before one succeeds while retry errors are injected. CockroachDB counts
/// the restarts of one transaction; the endpoint counts a session's consecutive transactions, so
/// that a loop of `ROLLBACK` and `BEGIN` comes to an end too.
pub const INJECTED_FAILURES: u32 = 3;

/// The notice of a schema change that commits what ran before it.
const AUTO_COMMIT: &str =
    "auto-committing transaction before processing DDL due to autocommit_before_ddl setting";

const NO_TRANSACTION: &str = "there is no transaction in progress";

/// The state that the rules of transactions depend on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transaction {
    /// Where it stands.
    pub phase: Phase,
    /// Whether a statement has read or written in it.
    worked: bool,
    /// Nothing has run in it but savepoints.
    untouched: bool,
    /// Outside of one, something has run since the client was last told that it may go on.
    implicit: bool,
    /// `BEGIN`'s options, for when it starts again.
    options: String,
    /// The priority that it was begun with.
    priority: Option<&'static str>,
    /// The savepoint of the retry protocol.
    restart: Option<String>,
    /// The savepoints that were set before any work, outermost first.
    initial: Vec<String>,
    /// Those that were set after work, outermost first.
    later: Vec<String>,
    /// Whether it failed with a retry error.
    retryable: bool,
    /// The session variables that the rules obey.
    pub settings: Tracked,
    /// Consecutive attempts that failed by injection.
    failed_attempts: u32,
    /// When the first of several attempts failed, in seconds since 1970.
    first_failure: Option<u64>,
}

/// What a statement becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// What is sent, in order.
    pub pieces: Vec<Piece>,
    /// The database the session moves to instead of sending anything.
    pub use_database: Option<Option<String>>,
    /// Whether the pieces must be sent on their own, outside an implicit transaction.
    pub detached: bool,
    /// Whether the first piece commits what ran before.
    pub commits_first: bool,
}

impl From<Vec<Piece>> for Planned {
    fn from(pieces: Vec<Piece>) -> Self {
        Self { pieces, ..Self::default() }
    }
}

fn raise(refusal: &Refusal) -> Planned {
    vec![Piece::raise(refusal)].into()
}

fn own(sql: impl Into<Vec<u8>>, tag: &str) -> Planned {
    vec![Piece::tagged(sql, tag)].into()
}

/// The answer to `SHOW TRANSACTION STATUS`. In a failed transaction PostgreSQL refuses to say.
pub(super) fn status(phase: Phase) -> Piece {
    let word = match phase {
        Phase::Idle => "NoTxn",
        Phase::Open => "Open",
        Phase::Failed => "Aborted",
        Phase::Released => "CommitWait",
    };
    Piece::tagged(format!("SELECT '{word}'::text AS \"TRANSACTION STATUS\""), "SHOW")
}

/// Whether rows of the past are asked for, which no transaction has whose time is another.
pub(crate) fn reads_past(pieces: &[Piece]) -> bool {
    let says = |piece: &Piece| {
        piece.notice.as_deref().is_some_and(|notice| notice.contains(system_time::PRESENT))
    };
    pieces.iter().any(says)
}

/// Whether `crdb_internal.force_retry` is called.
pub(crate) fn forces_retry(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| memchr::memmem::find(&piece.sql.text, b"force_retry").is_some())
}

/// The injected error, with CockroachDB's wording.
fn injected(variable: &str) -> Planned {
    let message = format!(
        "restart transaction: TransactionRetryWithProtoRefreshError: \
         injected by `{variable}` session variable"
    );
    let mut piece = Piece::raise(&Refusal {
        detail: String::new(),
        code: "40001",
        message,
        hint: RETRY_HINT.to_owned(),
    });
    piece.on_error = OnError::Injected;
    vec![piece].into()
}

impl Transaction {
    /// Plans a statement in this state, and moves to the state after its success.
    pub fn plan(&mut self, analysis: &Analysis) -> Planned {
        let allowed =
            matches!(analysis.control, Some(Control::Commit | Control::Rollback | Control::Status));
        if self.phase == Phase::Released && !allowed {
            return raise(&Refusal::new(
                "25000",
                "current transaction is committed, commands ignored until end of transaction block",
            ));
        }
        if self.phase == Phase::Open && analysis.control.is_none() && reads_past(&analysis.pieces) {
            let hint = "try SET TRANSACTION AS OF SYSTEM TIME".to_owned();
            let message = "inconsistent AS OF SYSTEM TIME timestamp: the transaction has another";
            return raise(&Refusal { hint, ..Refusal::new("0A000", message) });
        }
        match &analysis.control {
            Some(control) => {
                let mut planned = self.control(control, analysis);
                if let (Some(last), Some(first)) =
                    (planned.pieces.last_mut(), analysis.pieces.first())
                    && last.notice.is_none()
                {
                    last.notice.clone_from(&first.notice);
                }
                planned
            }
            None if self.commits_before(analysis.class) => {
                if self.phase == Phase::Open && self.injects(self.settings.now().inject_commit) {
                    return self.commit();
                }
                let mut commit = Piece::hidden("COMMIT");
                commit.notice = Some(AUTO_COMMIT.to_owned());
                self.end(true);
                // It is the first one of the transaction that a batch goes on with.
                self.touch();
                let mut pieces = analysis.pieces.clone();
                pieces.insert(0, commit);
                Planned { pieces, commits_first: true, ..Planned::default() }
            }
            None => {
                self.touch();
                let counts = matches!(analysis.class, Class::Work | Class::Constant)
                    || analysis.class.changes_schema();
                if counts
                    && self.phase == Phase::Open
                    && self.injects(self.settings.now().inject_statements)
                {
                    return injected("inject_retry_errors_enabled");
                }
                self.worked(Some(analysis.class));
                let mut pieces = analysis.pieces.clone();
                if self.phase == Phase::Idle && forces_retry(&pieces) {
                    // CockroachDB retries a statement that stands alone by itself.
                    let body = "BEGIN PERFORM set_config('kecoa.implicit', 'on', true); END";
                    pieces.insert(0, Piece::hidden(&format!("DO {}", quote(body))));
                }
                pieces.into()
            }
        }
    }

    /// Whether a statement of this class must be planned although nothing of itself depends on the
    /// transaction.
    pub fn watches(&self, class: Class) -> bool {
        self.settings.now().inject_statements
            || self.phase == Phase::Released
            || self.commits_before(class)
    }

    /// Whether the open transaction, or what a batch has run so far, is committed before a statement of
    /// this class.
    fn commits_before(&self, class: Class) -> bool {
        class == Class::Definition
            && (self.phase == Phase::Open || self.phase == Phase::Idle && self.implicit)
            && self.settings.now().autocommit_before_ddl
    }

    /// Notes that a statement runs which is more than a savepoint.
    fn touch(&mut self) {
        self.untouched = false;
        self.implicit = self.phase == Phase::Idle;
    }

    /// Notes that a statement of this class completed, planned or not.
    pub fn worked(&mut self, class: Option<Class>) {
        if class.is_some() {
            self.touch();
        }
        if self.phase == Phase::Open {
            self.worked |=
                class.is_some_and(|class| class == Class::Work || class.changes_schema());
        }
    }

    fn injects(&self, enabled: bool) -> bool {
        enabled && self.failed_attempts < INJECTED_FAILURES
    }

    fn control(&mut self, control: &Control, analysis: &Analysis) -> Planned {
        let as_is = || Planned::from(analysis.pieces.clone());
        match control {
            Control::Begin(options, priority) => match self.phase {
                Phase::Open => {
                    raise(&Refusal::new("25001", "there is already a transaction in progress"))
                }
                _ => {
                    self.begin(options.clone());
                    self.priority = *priority;
                    self.begin_pieces("BEGIN")
                }
            },
            Control::Commit | Control::Rollback if self.is_alone() => {
                self.without_transaction().unwrap_or_else(as_is)
            }
            Control::SetTransaction(_) if self.is_alone() => {
                self.without_transaction().unwrap_or_else(as_is)
            }
            Control::Savepoint(_) | Control::RollbackTo(_) | Control::Release(_)
                if self.is_alone() =>
            {
                let tag = match control {
                    Control::Savepoint(_) => "SAVEPOINT",
                    Control::Release(_) => "RELEASE",
                    _ => "ROLLBACK",
                };
                let warn = format!(
                    "BEGIN RAISE WARNING USING ERRCODE = '25P01', MESSAGE = '{NO_TRANSACTION}'; END"
                );
                let warn = || own(format!("DO {}", quote(&warn)), tag);
                self.without_transaction().unwrap_or_else(warn)
            }
            Control::SetTransaction(options) => {
                if self.phase == Phase::Open && !options.is_empty() {
                    let comma = if self.options.is_empty() { "" } else { "," };
                    self.options = format!("{}{comma}{options}", self.options);
                    if self.untouched && !self.initial.is_empty() {
                        return self.start_again("SET TRANSACTION");
                    }
                }
                as_is()
            }
            Control::Commit => self.commit(),
            Control::Rollback => {
                let released = self.phase == Phase::Released;
                self.end(released);
                own("ROLLBACK", if released { "COMMIT" } else { "ROLLBACK" })
            }
            Control::Status => vec![status(self.phase)].into(),
            Control::Savepoints => vec![savepoints(&self.initial, &self.later)].into(),
            Control::Savepoint(name) => self.savepoint(name, as_is),
            Control::RollbackTo(name) => self.rollback_to(name, as_is),
            Control::Release(name) => self.release(name, as_is),
            Control::Set(change) => {
                self.touch();
                self.settings.change(change, self.phase == Phase::Open);
                as_is()
            }
            Control::SetAny => {
                self.touch();
                self.settings.unsure = true;
                as_is()
            }
            Control::Use(database) => match self.phase {
                Phase::Idle => Planned {
                    use_database: Some(database.clone()),
                    detached: true,
                    ..Planned::default()
                },
                Phase::Failed => as_is(),
                _ => raise(&Refusal {
                    detail: String::new(),
                    code: "25001",
                    message: "the local endpoint cannot change the database inside a transaction"
                        .to_owned(),
                    hint: "COMMIT or ROLLBACK first, or set autocommit".to_owned(),
                }),
            },
            Control::Detached => {
                let mut pieces = analysis.pieces.clone();
                if !self.is_alone()
                    && self.settings.now().autocommit_before_ddl
                    && let Some(first) = pieces.first_mut().filter(|first| first.notice.is_none())
                {
                    first.notice = Some(AUTO_COMMIT.to_owned());
                }
                if self.phase == Phase::Open {
                    pieces.insert(0, Piece::hidden("COMMIT"));
                    self.end(true);
                }
                Planned { pieces, detached: true, ..Planned::default() }
            }
        }
    }

    /// Whether there is no transaction, not even the one that a batch is.
    fn is_alone(&self) -> bool {
        self.phase == Phase::Idle && !self.implicit
    }

    /// The error for what makes sense only in a transaction. While a schema change may have ended the
    /// client's, it is a warning.
    fn without_transaction(&self) -> Option<Planned> {
        let lenient = self.settings.now().autocommit_before_ddl;
        (!lenient).then(|| raise(&Refusal::new("25P01", NO_TRANSACTION)))
    }

    /// Whether all that ran in the open transaction can be said again.
    pub fn is_untouched(&self) -> bool {
        self.phase == Phase::Open && self.untouched
    }

    /// SQL that brings an untouched transaction to this point again.
    pub fn again(&self) -> Vec<Vec<u8>> {
        let begin = self.begin_pieces("BEGIN").pieces.into_iter().map(|piece| piece.sql.text);
        let savepoint = |name: &String| format!("SAVEPOINT {}", quote_name(name)).into_bytes();
        begin.chain(self.initial.iter().map(savepoint)).collect()
    }

    /// An untouched transaction anew, where PostgreSQL takes no more options: behind a savepoint.
    fn start_again(&self, tag: &str) -> Planned {
        let hidden = |sql| Piece { reply: Reply::Hide, ..Piece::forward(Sql::made(sql)) };
        let mut pieces = vec![Piece::hidden("ROLLBACK")];
        pieces.extend(self.again().into_iter().map(hidden));
        Piece::answer_last(&mut pieces, tag);
        pieces.into()
    }

    fn begin(&mut self, options: String) {
        self.phase = Phase::Open;
        self.worked = false;
        self.untouched = true;
        self.implicit = false;
        self.options = options;
        self.restart = None;
        self.initial.clear();
        self.later.clear();
        self.retryable = false;
        self.settings.begin();
    }

    /// `BEGIN`, what `SHOW` says of its priority, and for `crdb_internal.force_retry` when the first
    /// attempt failed.
    fn begin_pieces(&self, tag: &str) -> Planned {
        let mut pieces = vec![Piece::tagged(format!("BEGIN{}", self.options), tag)];
        if let Some(since) = self.first_failure {
            let set = format!("SET LOCAL kecoa.first_failure TO '{since}'");
            pieces.push(Piece::tagged(set, tag));
        }
        if let Some(priority) = self.priority {
            let set = format!("SET LOCAL kecoa.transaction_priority TO '{priority}'");
            pieces.push(Piece::tagged(set, tag));
        }
        Piece::answer_last(&mut pieces, tag);
        pieces.into()
    }

    fn end(&mut self, committed: bool) {
        self.settings.end(committed);
        if committed || !self.retryable {
            self.failed_attempts = 0;
            self.first_failure = None;
        }
        self.phase = Phase::Idle;
        self.worked = false;
        self.implicit = false;
        self.restart = None;
        self.initial.clear();
        self.later.clear();
    }

    fn commit(&mut self) -> Planned {
        match self.phase {
            Phase::Open if self.injects(self.settings.now().inject_commit) => {
                self.phase = Phase::Idle;
                let mut planned = injected("inject_retry_errors_on_commit_enabled");
                planned.pieces.insert(0, Piece::hidden("ROLLBACK"));
                planned
            }
            Phase::Released => {
                self.end(true);
                own("COMMIT", "COMMIT")
            }
            phase => {
                self.end(phase == Phase::Open);
                vec![Piece::forward(Sql::made("COMMIT"))].into()
            }
        }
    }

    /// Notes that a statement failed with `code`. `now` is in seconds since 1970.
    pub fn failed(&mut self, code: &str, on_error: OnError, now: u64) {
        if on_error == OnError::Injected {
            self.failed_attempts = self.failed_attempts.saturating_add(1);
        }
        if self.phase == Phase::Idle {
            // What stood before it in the batch is undone with it.
            self.settings.end(false);
        }
        if code == "40001" {
            self.retryable = true;
            self.first_failure.get_or_insert(now);
        }
    }

    /// Agrees with what PostgreSQL says of itself at ReadyForQuery (`I`, `T` or `E`), and returns
    /// the status for the client.
    pub fn ready(&mut self, status: u8) -> u8 {
        match (status, self.phase) {
            (b'I', Phase::Idle) => {
                self.settings.end(true);
                self.implicit = false;
            }
            (b'T', Phase::Open) | (b'E', Phase::Failed) => {}
            (b'I', _) => self.end(false),
            (_, Phase::Released) => return b'T',
            (b'E', _) => self.phase = Phase::Failed,
            (_, Phase::Idle) => {
                self.priority = None;
                self.begin(String::new());
            }
            _ => self.phase = Phase::Open,
        }
        status
    }
}

mod savepoint_status;
mod savepoints;

pub(super) use savepoint_status::savepoints;

#[cfg(test)]
mod tests;
