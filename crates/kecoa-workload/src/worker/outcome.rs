//! What a worker does beside its transactions, whichever client runs them.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use kecoa::retry::{self, Policy};
use kecoa::{Error, TransactionOptions};

use crate::attempts::Attempts;
use crate::error::BodyError;
use crate::event::{Event, Finished, Outcome, Resolution};
use crate::random::of_worker;
use crate::shared::Shared;
use crate::statements::Statements;
use crate::versions::Seen;
use crate::workload::Operation;

/// A worker, but for its connection.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) number: u32,
    /// The number of the transaction that is under way.
    pub(super) sequence: i64,
    attempts: Attempts,
    random: Rng,
}

/// A transaction that is under way.
pub(super) struct UnderWay {
    pub(super) operation: Operation,
    pub(super) options: TransactionOptions,
    started: Duration,
}

/// A transaction's end, as far as its client knows.
pub(super) enum End {
    Known(Outcome, Option<Error>),
    /// COMMIT got no answer.
    Ambiguous(Error),
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, number: u32) -> Worker {
        let random = of_worker(shared.options.seed, number);
        let attempts = Attempts::new(shared.start);
        Worker { shared, number, sequence: 0, attempts, random }
    }

    /// When the next transaction may begin, since the start of the run.
    pub(super) fn due(&self) -> Duration {
        self.shared.pace.next()
    }

    /// When this worker begins.
    pub(super) fn starts(&self) -> Duration {
        self.shared.pace.start_of(self.number)
    }

    /// Begins the next transaction.
    pub(super) fn begin(&mut self) -> UnderWay {
        let operation = self.shared.workload.draw(&mut self.random, self.number);
        self.sequence += 1;
        let chosen = &self.shared.options;
        let options = TransactionOptions {
            isolation: Some(chosen.isolation),
            read_only: (!operation.writes()).then_some(true),
            policy: chosen.policy.clone(),
            observer: Some(self.attempts.observer()),
            ..TransactionOptions::default()
        };
        UnderWay { operation, options, started: self.attempts.begin() }
    }

    /// An attempt begins.
    pub(super) fn attempt_begins(&self) {
        self.attempts.attempt_begins();
    }

    /// The body of the transaction that is under way, with its row in the log of commits if it writes.
    pub(super) async fn attempt(
        &self,
        operation: &Operation,
        tx: &mut impl Statements,
    ) -> Result<Vec<Seen>, BodyError> {
        self.attempt_begins();
        let shared = &self.shared;
        let seen = shared.workload.run(operation, tx).await?;
        if operation.writes() {
            shared.log.write(tx, self.number, self.sequence, operation.written()).await?;
        }
        Ok(seen)
    }

    /// How many attempts are left, once a connection could be made: those at it count, too.
    pub(super) fn attempts_left(&self) -> u32 {
        let most = self.shared.options.policy.max_attempts;
        most.saturating_sub(self.attempts.failed_so_far()).max(1)
    }

    /// The policy of the attempts that are left, without waits, where one is waited for and the run is over:
    /// nobody is in the way any more.
    pub(super) fn hurried(&self) -> Option<Policy> {
        let failed = self.attempts.waiting_after().filter(|_| self.shared.is_ending())?;
        let chosen = &self.shared.options.policy;
        Some(Policy {
            max_attempts: chosen.max_attempts.saturating_sub(failed).max(1),
            first_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            ..chosen.clone()
        })
    }

    /// What the client's result means.
    pub(super) fn judge(&self, result: Result<Vec<Seen>, BodyError>) -> End {
        match result {
            Ok(seen) => {
                if let Err(violation) = self.shared.workload.take(seen) {
                    self.shared.report(Event::Checked {
                        at: self.shared.now(),
                        check: "versions",
                        result: Err(violation.clone()),
                    });
                    self.shared.violate(violation);
                }
                End::Known(Outcome::Committed, None)
            }
            Err(BodyError::Refused(why)) => End::Known(Outcome::Refused(why), None),
            Err(BodyError::Database(error)) if error.is_ambiguous() => End::Ambiguous(error),
            Err(BodyError::Database(error)) => {
                End::Known(Outcome::Failed(error.to_string()), Some(error))
            }
        }
    }

    /// Reports the transaction. `resolution` is what became of it where its client does not know.
    pub(super) fn finish(&self, under_way: &UnderWay, end: End, resolution: Resolution) {
        let (outcome, error) = match end {
            End::Known(outcome, error) => (outcome, error),
            End::Ambiguous(error) => (Outcome::Ambiguous(resolution), Some(error)),
        };
        let attempts = self.attempts.end(error.as_ref());
        let took = self.shared.now().saturating_sub(under_way.started);
        let finished = Finished {
            kind: under_way.operation.kind(),
            worker: self.number,
            started: under_way.started,
            took,
            attempts,
            outcome,
        };
        self.shared.finish(finished, under_way.operation.writes());
    }

    /// No connection could be made for the transaction: how long to wait before the next try. Nothing when
    /// there is none; the transaction has failed then.
    pub(super) fn unconnected(
        &self,
        tries: &mut retry::Attempts,
        error: &Error,
    ) -> Option<Duration> {
        let failure = retry::classify(error, false);
        let decision = tries.on_failure(failure, self.shared.now(), fastrand::f64());
        let wait = decision.wait().filter(|_| !self.shared.is_ending());
        self.attempts.failed(error, wait);
        wait
    }

    /// The tries at a connection, by the policy of transactions.
    pub(super) fn tries(&self) -> Result<retry::Attempts, Error> {
        retry::Attempts::new(self.shared.options.policy.clone(), self.shared.now())
    }
}

/// What became of the last transaction of a worker whose COMMIT got no answer. One that only reads has changed
/// nothing, whether it committed or not.
pub(super) fn look_up(shared: &Shared, worker: u32, sequence: i64, writes: bool) -> Resolution {
    match writes {
        true => shared.log.look_up(&shared.direct, worker, sequence),
        false => Resolution::NotCommitted,
    }
}
