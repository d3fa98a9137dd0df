//! Savepoints, and the protocol of retries that is made of them.

use super::{Phase, Planned, Transaction, injected, quote, quote_name, raise};
use crate::dialect::plan::{OnError, Piece, Refusal, Reply};
use crate::dialect::version::RETRY_HINT;

fn is_restart(name: &str) -> bool {
    name.get(..17).is_some_and(|start| start.eq_ignore_ascii_case("cockroach_restart"))
}

impl Transaction {
    pub(super) fn savepoint(&mut self, name: &str, as_is: impl Fn() -> Planned) -> Planned {
        if self.phase == Phase::Open && is_restart(name) {
            if self.restart.as_deref() == Some(name) && !self.worked {
                // Said once more at the same place: sqlalchemy-cockroachdb's retry loop does so
                // after ROLLBACK TO.
                return as_is();
            }
            if self.restart.is_some() {
                let message = format!("SAVEPOINT \"{name}\" cannot be nested");
                return raise(&Refusal::new("42601", message));
            }
            if self.worked || !self.initial.is_empty() {
                let message = format!(
                    "SAVEPOINT \"{name}\" needs to be the first statement in a transaction"
                );
                return raise(&Refusal::new("42601", message));
            }
            self.restart = Some(name.to_owned());
        }
        if self.phase == Phase::Open {
            let list = if self.worked { &mut self.later } else { &mut self.initial };
            list.push(name.to_owned());
        }
        as_is()
    }

    pub(super) fn rollback_to(&mut self, name: &str, as_is: impl Fn() -> Planned) -> Planned {
        self.end_later(name, 1);
        let open = matches!(self.phase, Phase::Open | Phase::Failed);
        let restart = self.restart.as_deref() == Some(name);
        let place = self.initial.iter().rposition(|initial| initial == name);
        if let Some(place) = place
            && open
            && (restart || self.retryable)
        {
            // PostgreSQL's snapshot outlives a savepoint: only a new transaction sees what the
            // others committed meanwhile.
            let retryable = self.retryable;
            let restart = self.restart.clone();
            let mut initial = std::mem::take(&mut self.initial);
            initial.truncate(place + 1);
            self.end(false);
            self.begin(self.options.clone());
            self.retryable = false;
            if !retryable {
                self.failed_attempts = 0;
                self.first_failure = None;
            }
            self.restart = restart;
            let mut planned = self.begin_pieces("ROLLBACK");
            for piece in &mut planned.pieces {
                piece.reply = Reply::Hide;
            }
            planned.pieces.insert(0, Piece::hidden("ROLLBACK"));
            for name in &initial {
                let savepoint = format!("SAVEPOINT {}", quote_name(name));
                planned.pieces.push(Piece::hidden(&savepoint));
            }
            if let Some(last) = planned.pieces.last_mut() {
                last.reply = Reply::Tag("ROLLBACK".to_owned(), false);
            }
            self.initial = initial;
            return planned;
        }
        if let Some(place) = place {
            self.initial.truncate(place + 1);
        }
        if self.phase == Phase::Failed && self.retryable && !self.initial.is_empty() {
            // The savepoint lies behind reads that are out of date; only the first one helps.
            let error = Piece::raise(&Refusal {
                detail: String::new(),
                code: "40001",
                message: format!(
                    "restart transaction: TransactionRetryWithProtoRefreshError: cannot rollback \
                     to savepoint \"{name}\" after a transaction retry error"
                ),
                hint: RETRY_HINT.to_owned(),
            });
            let first = quote_name(self.initial.first().map_or("", String::as_str));
            let back = Piece::hidden(&format!("ROLLBACK TO SAVEPOINT {first}"));
            return vec![back, error].into();
        }
        if self.phase == Phase::Failed {
            self.phase = Phase::Open;
        }
        self.settings.undone_in_part();
        as_is()
    }

    pub(super) fn release(&mut self, name: &str, as_is: impl Fn() -> Planned) -> Planned {
        if self.phase == Phase::Open && self.restart.as_deref() == Some(name) {
            if self.injects(self.settings.now().inject_commit) {
                return injected("inject_retry_errors_on_commit_enabled");
            }
            let mut commit = Piece::tagged("COMMIT", "COMMIT");
            commit.on_error = OnError::Release;
            // The client's transaction stays open until its COMMIT.
            let open = Piece::hidden("BEGIN");
            self.phase = Phase::Released;
            return vec![commit, open].into();
        }
        if !self.end_later(name, 0)
            && let Some(place) = self.initial.iter().rposition(|initial| initial == name)
        {
            self.initial.truncate(place);
        }
        as_is()
    }

    /// Ends the savepoints inside of this one, but for the first `kept` of what ends; whether it was
    /// set after work.
    fn end_later(&mut self, name: &str, kept: usize) -> bool {
        let place = self.later.iter().rposition(|later| later == name);
        if place.is_some() || self.initial.iter().any(|initial| initial == name) {
            self.later.truncate(place.map_or(0, |place| place + kept));
        }
        place.is_some()
    }

    /// SQL that gives back to a client whose `RELEASE` failed the failed transaction it must see.
    /// A retry error leaves it the savepoint to roll back to.
    pub fn after_failed_release(&mut self) -> Vec<String> {
        if !self.retryable {
            self.restart = None;
        }
        self.phase = Phase::Failed;
        let mut sql = vec![format!("BEGIN{}", self.options)];
        if let Some(name) = &self.restart {
            sql.push(format!("SAVEPOINT {}", quote_name(name)));
        }
        sql.push(format!("DO {}", quote("BEGIN RAISE EXCEPTION 'released'; END")));
        sql
    }
}
