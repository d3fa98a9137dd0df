//! What a program does with transactions, and what the server sees of it.

use std::time::Duration;

use kecoa::config::Environment;
use kecoa::retry::{Jitter, Policy};
use kecoa::{Config, ErrorKind, TransactionOptions};
use kecoa_pgmock::{Script, Server};

/// How BEGIN travels with statements that have no parameters: in one query with the first of them, or
/// before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    Together,
    Apart,
}

pub(crate) const TOGETHER: Begin = Begin::Together;
#[cfg(feature = "tokio")]
pub(crate) const APART: Begin = Begin::Apart;

pub(crate) struct Scenario {
    /// One script a connection.
    pub(crate) servers: Vec<Script>,
    pub(crate) steps: Vec<Step>,
}

/// What the program does next.
pub(crate) enum Step {
    /// Begins a transaction, works in it and ends it.
    Transaction(&'static [Work], End),
    /// Cannot begin one.
    CannotBegin(ErrorKind),
    /// Runs a loop of attempts of its own: how many there were, or the error.
    Loop { restart: bool, outcome: Result<u32, fn(&ErrorKind) -> bool> },
    /// Gives the error of one attempt to `failed`, which allows another or has the last word; the loop
    /// is left.
    LeftLoop { restart: bool, work: &'static [Work], outcome: Result<(), ErrorKind> },
    /// Begins an attempt behind one that was committed.
    AnotherAttempt(ErrorKind),
    /// Has the client run a body, which is committed in the end.
    Commits(&'static [Work]),
    /// Has the client run a body, which fails once for all.
    Body { work: &'static [Work], error: ErrorKind, runs: u32 },
    /// Has the client run a body, where the body or the observer of its failure panics.
    Panics { restart: bool, observer: bool, work: &'static [Work] },
    /// Uses the client for something else.
    Select,
}

/// What is done in a transaction.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A statement, whose error is the body's.
    Do(&'static str),
    /// A statement whose error is kept to itself.
    Try(&'static str),
    Panic,
    PanicBehindSavepoint,
}

#[derive(Clone, Copy)]
pub(crate) enum End {
    Commit(Committed),
    RollBack,
    Drop,
}

#[derive(Clone, Copy)]
pub(crate) enum Committed {
    Done,
    Retryable,
    Failed(ErrorKind),
}

use self::Work::{Do, Panic, PanicBehindSavepoint, Try};

const UPDATE: &[Work] = &[Do("UPDATE a")];

pub(crate) fn config(server: &Server) -> Config {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable",
        server.port()
    );
    Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap()
}

pub(crate) fn at_once(cockroach_restart: bool) -> TransactionOptions {
    let policy = Policy {
        max_attempts: 3,
        first_delay: Duration::ZERO,
        jitter: Jitter::None,
        ..Policy::default()
    };
    TransactionOptions { policy, cockroach_restart, ..TransactionOptions::default() }
}

impl Begin {
    /// BEGIN and the first statement, up to the statement's answer.
    fn first(self) -> Script {
        match self {
            Begin::Together => Script::new().query("BEGIN;UPDATE a").complete("BEGIN"),
            Begin::Apart => Script::new().simple("BEGIN", "BEGIN", 'T').query("UPDATE a"),
        }
    }

    fn updated(self) -> Script {
        self.first().complete("UPDATE 1").ready('T')
    }

    fn refused(self) -> Script {
        self.first().error("40001", "restart").ready('E')
    }

    fn lost(self) -> Script {
        let sent = match self {
            Begin::Together => Script::new().query("BEGIN;UPDATE a"),
            Begin::Apart => self.first(),
        };
        sent.fatal("57P01", "bye").close()
    }
}

fn rolled_back() -> Script {
    Script::new().simple("ROLLBACK", "ROLLBACK", 'I')
}

fn selected() -> Script {
    Script::new().simple("SELECT 1", "SELECT 1", 'I')
}

pub(crate) fn a_transaction_is_begun_and_ended_by_the_program(begin: Begin) -> Scenario {
    let script = Script::new()
        .startup()
        .then(begin.updated())
        .simple("COMMIT", "COMMIT", 'I')
        .then(begin.updated())
        .then(rolled_back())
        .then(begin.updated())
        .then(rolled_back())
        .then(selected())
        .terminate();
    Scenario {
        servers: vec![script],
        steps: vec![
            Step::Transaction(UPDATE, End::Commit(Committed::Done)),
            Step::Transaction(UPDATE, End::RollBack),
            Step::Transaction(UPDATE, End::Drop),
            Step::Select,
            // Nothing was sent: there is nothing to end.
            Step::Transaction(&[], End::Commit(Committed::Done)),
        ],
    }
}

pub(crate) fn a_commit_by_the_program_says_what_became_of_it(begin: Begin) -> Scenario {
    let script = Script::new()
        .startup()
        .then(begin.updated())
        .failing("COMMIT", "40001", 'I')
        .then(begin.updated())
        .failing("UPDATE b", "42P01", 'E')
        .then(rolled_back())
        .then(begin.updated())
        .query("COMMIT")
        .close();
    let failed = |kind| End::Commit(Committed::Failed(kind));
    Scenario {
        servers: vec![script],
        steps: vec![
            Step::Transaction(UPDATE, End::Commit(Committed::Retryable)),
            Step::Transaction(&[Do("UPDATE a"), Try("UPDATE b")], failed(ErrorKind::RolledBack)),
            Step::Transaction(UPDATE, failed(ErrorKind::AmbiguousCommit)),
            Step::CannotBegin(ErrorKind::ConnectionLost),
        ],
    }
}

pub(crate) fn attempts_are_made_until_one_commits(begin: Begin) -> Scenario {
    Scenario {
        servers: vec![
            Script::new().startup().then(begin.refused()).then(rolled_back()).then(begin.lost()),
            Script::new()
                .startup()
                .then(begin.updated())
                .simple("COMMIT", "COMMIT", 'I')
                .terminate(),
        ],
        steps: vec![Step::Loop { restart: false, outcome: Ok(3) }],
    }
}

pub(crate) fn a_session_that_is_ended_between_two_statements_is_replaced(begin: Begin) -> Scenario {
    Scenario {
        servers: vec![
            // The end of the stream has not come yet.
            Script::new().startup().then(begin.updated()).fatal("57P01", "bye").may_leave(),
            Script::new()
                .startup()
                .then(begin.updated())
                .simple("UPDATE a", "UPDATE 1", 'T')
                .simple("COMMIT", "COMMIT", 'I')
                .terminate(),
        ],
        steps: vec![Step::Commits(&[Do("UPDATE a"), Do("UPDATE a")])],
    }
}

pub(crate) fn attempts_run_out(begin: Begin) -> Scenario {
    let refused = || begin.refused().then(rolled_back());
    let script = (0..3).fold(Script::new().startup(), |script, _| script.then(refused()));
    let exhausted =
        |kind: &ErrorKind| matches!(kind, ErrorKind::RetriesExhausted { attempts: 3, .. });
    Scenario {
        servers: vec![script.terminate()],
        steps: vec![Step::Loop { restart: false, outcome: Err(exhausted) }],
    }
}

pub(crate) fn attempts_go_on_behind_cockroachs_savepoint(_: Begin) -> Scenario {
    let begun = || Script::new().simple("BEGIN;SAVEPOINT cockroach_restart", "SAVEPOINT", 'T');
    let back = "ROLLBACK TO SAVEPOINT cockroach_restart";
    let script = Script::new()
        .startup_cockroach()
        .then(begun())
        .failing("UPDATE a", "40001", 'E')
        .simple(back, "ROLLBACK", 'T')
        .simple("UPDATE a", "UPDATE 1", 'T')
        .simple("RELEASE SAVEPOINT cockroach_restart", "RELEASE", 'T')
        .simple("COMMIT", "COMMIT", 'I')
        // A loop that is left behind the savepoint leaves the transaction.
        .then(begun())
        .failing("UPDATE a", "40001", 'E')
        .simple(back, "ROLLBACK", 'T')
        .then(rolled_back())
        .then(selected())
        .terminate();
    Scenario {
        servers: vec![script],
        steps: vec![
            Step::Loop { restart: true, outcome: Ok(2) },
            Step::LeftLoop { restart: true, work: UPDATE, outcome: Ok(()) },
            Step::Select,
        ],
    }
}

pub(crate) fn what_was_committed_is_not_begun_again(begin: Begin) -> Scenario {
    let script =
        Script::new().startup().then(begin.updated()).simple("COMMIT", "COMMIT", 'I').terminate();
    Scenario { servers: vec![script], steps: vec![Step::AnotherAttempt(ErrorKind::Usage)] }
}

pub(crate) fn a_body_that_panics_is_rolled_back(begin: Begin) -> Scenario {
    let script = Script::new()
        .startup()
        .then(begin.updated())
        .then(rolled_back())
        .then(begin.updated())
        .simple("SAVEPOINT kecoa_1", "SAVEPOINT", 'T')
        .then(rolled_back())
        .then(selected())
        .terminate();
    let panics = |work| Step::Panics { restart: false, observer: false, work };
    Scenario {
        servers: vec![script],
        steps: vec![
            panics(&[Do("UPDATE a"), Panic]),
            panics(&[Do("UPDATE a"), PanicBehindSavepoint]),
            Step::Select,
        ],
    }
}

pub(crate) fn an_observer_that_panics_leaves_no_transaction_open(_: Begin) -> Scenario {
    let script = Script::new()
        .startup_cockroach()
        .simple("BEGIN;SAVEPOINT cockroach_restart", "SAVEPOINT", 'T')
        .failing("UPDATE a", "40001", 'E')
        .simple("ROLLBACK TO SAVEPOINT cockroach_restart", "ROLLBACK", 'T')
        .then(rolled_back())
        .then(selected())
        .terminate();
    Scenario {
        servers: vec![script],
        steps: vec![Step::Panics { restart: true, observer: true, work: UPDATE }, Step::Select],
    }
}

/// A body that commits by itself, and what comes behind it is lost.
const COMMITS: &[Work] = &[Do("UPDATE a"), Do("COMMIT AND CHAIN"), Do("UPDATE b")];

fn committed_by_the_body(begin: Begin) -> Script {
    Script::new()
        .startup()
        .then(begin.updated())
        .simple("COMMIT AND CHAIN", "COMMIT", 'T')
        .query("UPDATE b")
        .close()
}

pub(crate) fn a_body_that_committed_by_itself_is_not_run_again(begin: Begin) -> Scenario {
    Scenario {
        servers: vec![committed_by_the_body(begin)],
        steps: vec![Step::Body { work: COMMITS, error: ErrorKind::ConnectionLost, runs: 1 }],
    }
}

pub(crate) fn attempts_at_what_was_committed_are_not_made_again(begin: Begin) -> Scenario {
    let outcome = Err(ErrorKind::ConnectionLost);
    Scenario {
        servers: vec![committed_by_the_body(begin)],
        steps: vec![Step::LeftLoop { restart: false, work: COMMITS, outcome }],
    }
}

fn hidden_doubt(begin: Begin, work: &'static [Work]) -> Scenario {
    Scenario {
        servers: vec![Script::new().startup().then(begin.updated()).query("COMMIT").close()],
        steps: vec![Step::Body { work, error: ErrorKind::AmbiguousCommit, runs: 1 }],
    }
}

pub(crate) fn the_doubt_of_a_commit_that_the_body_hides_is_told(begin: Begin) -> Scenario {
    hidden_doubt(begin, &[Do("UPDATE a"), Try("COMMIT")])
}

pub(crate) fn the_doubt_is_told_also_when_the_body_goes_on(begin: Begin) -> Scenario {
    hidden_doubt(begin, &[Do("UPDATE a"), Try("COMMIT"), Do("UPDATE a")])
}
