//! The attempts at a transaction, as its observer learns of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kecoa::{Error, ErrorKind, FailedAttempt, Observer};

use crate::event::{Attempt, Failure};

/// Writes the attempts of one worker down, a transaction after the other.
#[derive(Debug, Clone)]
pub(crate) struct Attempts {
    start: Instant,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Debug, Default)]
struct Noted {
    attempts: Vec<Attempt>,
    /// When the attempt began that is under way, or is to begin, since the start of the run.
    begun: Duration,
    /// Whether it is waited for.
    is_waiting: bool,
}

impl Attempts {
    /// `start` is that of the run.
    pub(crate) fn new(start: Instant) -> Attempts {
        Attempts { start, noted: Arc::default() }
    }

    /// What a transaction is to be observed by.
    pub(crate) fn observer(&self) -> Observer {
        let attempts = self.clone();
        Arc::new(move |failed: &FailedAttempt<'_>| {
            attempts.failed(failed.error, failed.decision.wait());
        })
    }

    /// A transaction begins; when, since the start of the run.
    pub(crate) fn begin(&self) -> Duration {
        let now = self.start.elapsed();
        *self.noted() = Noted { begun: now, ..Noted::default() };
        now
    }

    /// An attempt begins. It is early where the wait before it was cut short.
    pub(crate) fn attempt_begins(&self) {
        let now = self.start.elapsed();
        let mut noted = self.noted();
        noted.is_waiting = false;
        let early = noted.begun.saturating_sub(now);
        if let Some(wait) = noted.attempts.last_mut().and_then(|last| last.wait.as_mut()) {
            *wait = wait.saturating_sub(early);
            noted.begun = noted.begun.min(now);
        }
    }

    /// How many attempts have failed, while the next one is waited for.
    pub(crate) fn waiting_after(&self) -> Option<u32> {
        let noted = self.noted();
        let failed = u32::try_from(noted.attempts.len()).unwrap_or(u32::MAX);
        noted.is_waiting.then_some(failed)
    }

    /// How many attempts have failed so far.
    pub(crate) fn failed_so_far(&self) -> u32 {
        u32::try_from(self.noted().attempts.len()).unwrap_or(u32::MAX)
    }

    /// An attempt has failed, and the next one begins after this wait, if there is one.
    pub(crate) fn failed(&self, error: &Error, wait: Option<Duration>) {
        self.note(Some(failure(error)), wait);
    }

    /// The transaction is over, with this error if it failed in the database.
    pub(crate) fn end(&self, error: Option<&Error>) -> Vec<Attempt> {
        match error {
            None => self.note(None, None),
            // The observer was not told of what failed outside of an attempt.
            Some(error) if !self.is_given_up() => self.failed(error, None),
            // The observer was told what broke, not that COMMIT was under way.
            Some(error) if error.is_ambiguous() => {
                if let Some(last) = self.noted().attempts.last_mut() {
                    last.failure = Some(failure(error));
                }
            }
            Some(_) => {}
        }
        std::mem::take(&mut self.noted().attempts)
    }

    /// Whether the last attempt has failed and no other is to come.
    fn is_given_up(&self) -> bool {
        let noted = self.noted();
        noted.attempts.last().is_some_and(|last| last.failure.is_some() && last.wait.is_none())
    }

    fn note(&self, failure: Option<Failure>, wait: Option<Duration>) {
        let now = self.start.elapsed();
        let mut noted = self.noted();
        let took = now.saturating_sub(noted.begun);
        noted.attempts.push(Attempt { took, failure, wait });
        noted.begun = now.saturating_add(wait.unwrap_or_default());
        noted.is_waiting = wait.is_some();
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an attempt failed.
pub(crate) fn failure(error: &Error) -> Failure {
    let message = error.to_string();
    let field = error.server().and_then(|server| server.field(b'M'));
    let reported = field.map(|text| String::from_utf8_lossy(text).into_owned());
    Failure {
        sqlstate: error.sqlstate().map(str::to_owned),
        reason: reason(error, reported.as_deref().unwrap_or(&message)),
        message,
    }
}

/// What CockroachDB and PostgreSQL write into the message of an error that asks for a retry, and what to count
/// it as.
const REASONS: [(&str, &str); 18] = [
    // PostgreSQL's first: the local endpoint puts them into a message of CockroachDB's.
    ("read/write dependencies", "read/write dependencies"),
    ("concurrent update", "concurrent update"),
    ("concurrent delete", "concurrent delete"),
    ("deadlock", "deadlock"),
    ("WriteTooOld", "WriteTooOld"),
    ("RETRY_WRITE_TOO_OLD", "WriteTooOld"),
    ("ReadWithinUncertaintyInterval", "ReadWithinUncertaintyInterval"),
    ("RETRY_SERIALIZABLE", "RETRY_SERIALIZABLE"),
    ("RETRY_ASYNC_WRITE_FAILURE", "RETRY_ASYNC_WRITE_FAILURE"),
    ("RETRY_COMMIT_DEADLINE_EXCEEDED", "RETRY_COMMIT_DEADLINE_EXCEEDED"),
    ("ABORT_REASON_ABORTED_RECORD_FOUND", "ABORTED_RECORD_FOUND"),
    ("ABORT_REASON_CLIENT_REJECT", "CLIENT_REJECT"),
    ("ABORT_REASON_PUSHER_ABORTED", "PUSHER_ABORTED"),
    ("ABORT_REASON_TIMESTAMP_CACHE_REJECTED", "TIMESTAMP_CACHE_REJECTED"),
    ("ABORT_REASON_NEW_LEASE_PREVENTS_TXN", "NEW_LEASE_PREVENTS_TXN"),
    ("TransactionAborted", "TransactionAborted"),
    ("inject_retry_errors_enabled", "injected by the server"),
    ("injected by", "injected fault"),
];

/// What a message says in particular, to count it by.
pub(crate) fn reason_in(message: &str) -> Option<&'static str> {
    REASONS.iter().find(|(text, _)| message.contains(text)).map(|(_, reason)| *reason)
}

fn reason(error: &Error, message: &str) -> String {
    if let Some(reason) = reason_in(message) {
        return reason.to_owned();
    }
    let kind = match error.kind() {
        ErrorKind::AmbiguousCommit => "COMMIT without an answer",
        ErrorKind::ConnectionLost => "connection lost",
        ErrorKind::Connect => "no connection",
        ErrorKind::Authentication => "not authenticated",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Protocol => "protocol",
        _ if error.is_connection_lost() => "connection lost",
        _ => match error.sqlstate() {
            Some(sqlstate) => return sqlstate.to_owned(),
            None => "error of the client",
        },
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_put_down_in_order() {
        let attempts = Attempts::new(Instant::now());
        attempts.begin();
        let lost = Error::connection_lost("the connection was lost");
        attempts.failed(&lost, Some(Duration::from_millis(7)));
        let noted = attempts.end(None);
        let [first, second] = noted.as_slice() else { unreachable!("{noted:?}") };
        assert_eq!(first.failure.as_ref().unwrap().reason, "connection lost");
        assert_eq!(first.wait, Some(Duration::from_millis(7)));
        assert_eq!((&second.failure, second.wait), (&None, None));
        // The next transaction has none of it, and one that failed for good has no attempt more.
        attempts.begin();
        attempts.failed(&lost, None);
        assert_eq!(attempts.end(Some(&lost)).len(), 1);
        // One that failed before its first attempt has that.
        attempts.begin();
        assert_eq!(attempts.end(Some(&lost)).len(), 1);
    }

    #[test]
    fn a_wait_that_was_cut_short_is_as_long_as_it_was() {
        let attempts = Attempts::new(Instant::now());
        attempts.begin();
        attempts.attempt_begins();
        assert_eq!(attempts.waiting_after(), None);
        attempts.failed(&Error::connection_lost("lost"), Some(Duration::from_secs(3_600)));
        assert_eq!(attempts.waiting_after(), Some(1));
        attempts.attempt_begins();
        assert_eq!(attempts.waiting_after(), None);
        let noted = attempts.end(None);
        let [first, second] = noted.as_slice() else { unreachable!("{noted:?}") };
        assert!(first.wait.unwrap() < Duration::from_secs(60), "{noted:?}");
        assert!(second.took < Duration::from_secs(60), "{noted:?}");
        // One that was not cut short stays what it is.
        attempts.begin();
        attempts.failed(&Error::connection_lost("lost"), Some(Duration::ZERO));
        attempts.attempt_begins();
        assert_eq!(attempts.end(None).first().unwrap().wait, Some(Duration::ZERO));
    }

    #[test]
    fn reasons_are_what_one_counts_by() {
        let refused = Error::connect("nobody listens");
        assert_eq!(failure(&refused).reason, "no connection");
        let text = "restart transaction: TransactionRetryWithProtoRefreshError: WriteTooOldError: write too old";
        assert_eq!(reason(&refused, text), "WriteTooOld");
        let text = "could not serialize access due to read/write dependencies among transactions";
        assert_eq!(reason(&refused, text), "read/write dependencies");
    }
}
