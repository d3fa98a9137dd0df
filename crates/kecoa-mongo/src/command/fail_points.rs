//! Fault injection, as the tests of drivers ask for it: `configureFailPoint`. There only with test commands.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::error::{Code, Error, Label};
use crate::session::Statement;

use super::arguments::Values;

/// The fail points that are on.
#[derive(Debug, Default)]
pub struct FailPoints(Mutex<BTreeMap<String, Point>>);

#[derive(Debug)]
struct Point {
    mode: Mode,
    data: RawDocumentBuf,
    /// How often it was met while it was on.
    count: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Off,
    AlwaysOn,
    Times(i64),
    Skip(i64),
    Probability(f64),
}

/// The fail points that there are.
const NAMES: &[&str] =
    &[FAIL_COMMAND, FAIL_GET_MORE, TRANSACTIONAL_WRITE, ALWAYS_TIME_OUT, "maxTimeNeverTimeOut"];
const FAIL_COMMAND: &str = "failCommand";
/// Met by getMore after it has taken its cursor.
pub const FAIL_GET_MORE: &str = "failGetMoreAfterCursorCheckout";
/// Met by a retryable write before it commits.
pub const TRANSACTIONAL_WRITE: &str = "onPrimaryTransactionalWrite";
const ALWAYS_TIME_OUT: &str = "maxTimeAlwaysTimeOut";

/// Which command is about to run.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// All names of the command.
    pub names: [&'a str; 2],
    /// `database.collection`, or `database` where no collection is named.
    pub namespace: &'a str,
    /// The application's name of the connection.
    pub application: Option<&'a str>,
}

/// What `failCommand` does to a command.
#[derive(Clone, Debug, Default)]
pub struct Injected {
    /// How long it waits first.
    pub block: Option<Duration>,
    /// Whether the connection is closed without a reply.
    pub close: bool,
    /// The error that is answered instead of running the command.
    pub error: Option<Error>,
    /// The `writeConcernError` that stands in the reply of the command, as it was given.
    pub write_concern_error: Option<RawDocumentBuf>,
    /// The labels that the reply has, if not those by the rules.
    pub labels: Option<Vec<Label>>,
}

/// What another fail point does.
#[derive(Clone, Debug)]
pub struct Tripped {
    /// Whether the connection is closed without a reply.
    pub close: bool,
    /// What is answered instead of running the command; `None`: it runs.
    pub error: Option<Error>,
}

impl FailPoints {
    /// Turns a fail point on or off; answers how often it was met since.
    ///
    /// # Errors
    /// 15 (as MongoDB answers an unknown name), 2 for a wrong mode, 9 for wrong data.
    pub fn configure(
        &self,
        name: &str,
        mode: RawBsonRef<'_>,
        data: Option<&RawDocument>,
    ) -> Result<i64, Error> {
        if !NAMES.contains(&name) {
            return Err(Error::new(
                Code::location(2),
                format!("{name} is not a fail point of this server"),
            ));
        }
        let mode = Mode::parse(mode)?;
        let data = data.map(RawDocument::to_owned).unwrap_or_default();
        let mut points = self.lock();
        let before = points.insert(name.to_owned(), Point { mode, data, count: 0 });
        Ok(before.map_or(0, |point| point.count))
    }

    /// What happens to a command that begins.
    #[must_use]
    pub fn command(&self, subject: Subject<'_>) -> Injected {
        if subject.names.contains(&"configureFailPoint") {
            return Injected::default();
        }
        let data = self.take(FAIL_COMMAND, |data| subject.is_meant(data));
        data.as_deref().map(Injected::read).unwrap_or_default()
    }

    /// Whether every command with a time limit is out of time.
    #[must_use]
    pub fn times_out(&self) -> bool {
        self.take(ALWAYS_TIME_OUT, |_| true).is_some()
    }

    /// Whether a fail point that is on ends commands before they have run.
    #[must_use]
    pub fn fails_before(&self, name: &str) -> bool {
        let points = self.lock();
        points.get(name).is_some_and(|point| {
            point.mode != Mode::Off
                && number(&point.data, "failBeforeCommitExceptionCode").is_some()
        })
    }

    /// What happens to a getMore or to so many retryable writes, by their own fail point.
    #[must_use]
    pub fn trip(&self, name: &str, times: usize) -> Option<Tripped> {
        let mut met = (0..times).filter_map(|_| self.take(name, |_| true));
        let data = met.next()?;
        // The others meet it as well.
        met.for_each(drop);
        let code = ["errorCode", "failBeforeCommitExceptionCode"]
            .into_iter()
            .find_map(|field| number(&data, field))
            .and_then(|code| i32::try_from(code).ok());
        // A transactional write closes the connection unless it is told not to.
        let is_silent = !matches!(data.get("closeConnection"), Ok(Some(_)));
        let close = flag(&data, "closeConnection") || (name == TRANSACTIONAL_WRITE && is_silent);
        let message = format!("Failing via the fail point '{name}'");
        Some(Tripped { close, error: code.map(|code| Error::new(Code::location(code), message)) })
    }

    fn take(&self, name: &str, is_meant: impl Fn(&RawDocument) -> bool) -> Option<RawDocumentBuf> {
        let mut points = self.lock();
        let point = points.get_mut(name)?;
        if !is_meant(&point.data) || !point.mode.meet() {
            return None;
        }
        point.count = point.count.saturating_add(1);
        Some(point.data.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Point>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mode {
    fn parse(mode: RawBsonRef<'_>) -> Result<Self, Error> {
        match mode {
            RawBsonRef::String("off") => Ok(Self::Off),
            RawBsonRef::String("alwaysOn") => Ok(Self::AlwaysOn),
            RawBsonRef::Document(mode) => {
                if let Some(times) = number(mode, "times") {
                    return if times >= 0 { Ok(Self::Times(times)) } else { Err(bad_mode()) };
                }
                if let Some(skip) = number(mode, "skip") {
                    return if skip >= 0 { Ok(Self::Skip(skip)) } else { Err(bad_mode()) };
                }
                match mode.get("activationProbability") {
                    Ok(Some(RawBsonRef::Double(share))) if (0.0..=1.0).contains(&share) => {
                        Ok(Self::Probability(share))
                    }
                    Ok(Some(RawBsonRef::Int32(share @ 0..=1))) => {
                        Ok(Self::Probability(f64::from(share)))
                    }
                    _ => Err(bad_mode()),
                }
            }
            _ => Err(bad_mode()),
        }
    }

    /// It is met once more; whether it is on this time.
    fn meet(&mut self) -> bool {
        match self {
            Self::Off | Self::Times(0) => false,
            Self::AlwaysOn | Self::Skip(0) => true,
            Self::Times(left) => {
                *left -= 1;
                true
            }
            Self::Skip(left) => {
                *left -= 1;
                false
            }
            Self::Probability(share) => fastrand::f64() < *share,
        }
    }
}

impl Subject<'_> {
    fn is_meant(&self, data: &RawDocument) -> bool {
        let is_named = data.get_array("failCommands").is_ok_and(|names| {
            names
                .into_iter()
                .flatten()
                .filter_map(RawBsonRef::as_str)
                .any(|name| self.names.contains(&name))
        });
        let is_application = match data.get_str("appName") {
            Ok(name) => self.application == Some(name),
            Err(_) => true,
        };
        let is_namespace = data.get_str("namespace").map_or(true, |name| name == self.namespace);
        is_named && is_application && is_namespace
    }
}

impl Injected {
    fn read(data: &RawDocument) -> Self {
        let block = flag(data, "blockConnection")
            .then(|| number(data, "blockTimeMS"))
            .flatten()
            .map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
        let error =
            number(data, "errorCode").and_then(|code| i32::try_from(code).ok()).map(|code| {
                Error::new(Code::location(code), "Failing command via 'failCommand' failpoint")
            });
        let write_concern_error =
            data.get_document("writeConcernError").ok().map(RawDocument::to_owned);
        let labels = data.get_array("errorLabels").ok().map(|names| {
            names.into_iter().flatten().filter_map(RawBsonRef::as_str).filter_map(named).collect()
        });
        Self { block, close: flag(data, "closeConnection"), error, write_concern_error, labels }
    }
}

/// How many retryable writes a command asks for.
pub(super) fn writes(statement: Statement, arguments: &Values<'_>) -> usize {
    if !matches!(statement, Statement::RetryableWrite(_)) {
        return 0;
    }
    let lists = ["documents", "updates", "deletes", "ops"];
    let list = lists.into_iter().find_map(|name| arguments.documents(name));
    list.map_or(1, |list| list.count())
}

/// How many of a reply's writes were done before.
pub(super) fn retried(reply: &RawDocument) -> usize {
    match reply.get_array("retriedStmtIds") {
        Ok(numbers) => numbers.into_iter().count(),
        Err(_) => usize::from(reply.get("retriedStmtId").is_ok_and(|number| number.is_some())),
    }
}

fn named(name: &str) -> Option<Label> {
    [
        Label::TransientTransactionError,
        Label::RetryableWriteError,
        Label::NoWritesPerformed,
        Label::ResumableChangeStreamError,
        Label::NonResumableChangeStreamError,
        Label::SystemOverloadedError,
        Label::RetryableError,
    ]
    .into_iter()
    .find(|label| label.as_str() == name)
}

fn number(document: &RawDocument, name: &str) -> Option<i64> {
    match document.get(name).ok()?? {
        RawBsonRef::Int32(value) => Some(i64::from(value)),
        RawBsonRef::Int64(value) => Some(value),
        #[expect(clippy::cast_possible_truncation, reason = "as saturates, which is what is asked")]
        RawBsonRef::Double(value) => Some(value as i64),
        _ => None,
    }
}

fn flag(document: &RawDocument, name: &str) -> bool {
    matches!(document.get(name), Ok(Some(RawBsonRef::Boolean(true))))
}

fn bad_mode() -> Error {
    Error::new(
        Code::BAD_VALUE,
        "mode must be 'off', 'alwaysOn', {times: n}, {skip: n} or {activationProbability: 0 to 1}",
    )
}
