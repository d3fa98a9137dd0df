//! Shorthands.

use std::time::{Duration, Instant};

use bson::{DateTime, RawBsonRef, RawDocument, RawDocumentBuf, Timestamp};
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::{Expression, Scope, Variables};
use kecoa_mongo::interrupt::{Interrupt, Reason};

/// Variables of a command that `interrupt` stops.
pub(crate) fn variables(interrupt: &Interrupt) -> Variables {
    Variables::new(DateTime::from_millis(0), Timestamp { time: 1, increment: 1 })
        .with_interrupt(interrupt.clone())
}

/// Nothing makes room.
pub(crate) fn nothing() {}

/// Evaluates an expression on a document, in the time of a test; gives the bytes of its value.
pub(crate) fn value_of(
    expression: RawBsonRef<'_>,
    document: &RawDocument,
    interrupt: &Interrupt,
) -> Result<RawDocumentBuf, Error> {
    let expression = Expression::parse(expression, &Scope::new())?;
    let variables = variables(interrupt);
    let value = expression.evaluate(document, &variables)?;
    let mut whole = RawDocumentBuf::new();
    if let Some(value) = value {
        whole.append(bson::raw::cstr!("v"), value.as_ref());
    }
    Ok(whole)
}

/// An interrupt that stops after a while, for a reason.
pub(crate) fn stopped_after(pause: Duration, reason: Reason) -> Interrupt {
    let interrupt = Interrupt::new(nothing);
    let other = interrupt.clone();
    std::thread::spawn(move || {
        std::thread::sleep(pause);
        other.stop(reason);
    });
    interrupt
}

/// How long something takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let done = work();
    (done, started.elapsed())
}
