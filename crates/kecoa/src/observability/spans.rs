//! Spans of `tracing`, behind the crate's feature of that name; without it nothing of this is built.
//!
//! The fields are those of OpenTelemetry's conventions for databases.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[cfg(feature = "tokio")]
use tracing::Instrument as _;
pub(crate) use tracing::Span;
use tracing::field::Empty;
use tracing::{Level, event, info_span};

use super::server::Server;
use super::text::without_values;
use crate::config::{Config, Target};
use crate::error::Error;
use crate::retry::Decision;

static QUERY_TEXT: AtomicBool = AtomicBool::new(false);

/// Whether spans carry `db.query.text`, the statement [`without_values`](super::without_values): off unless
/// asked for. Parameters are never shown. For the whole process.
pub fn set_query_text(on: bool) {
    QUERY_TEXT.store(on, Relaxed);
}

fn error_type(error: &Error) -> String {
    match error.sqlstate() {
        Some(sqlstate) => sqlstate.to_owned(),
        None => {
            let kind = format!("{:?}", error.kind());
            kind.split([' ', '{']).next().unwrap_or_default().to_owned()
        }
    }
}

fn record_error<T>(span: &Span, result: &Result<T, Error>) {
    if let Err(error) = result
        && !span.is_disabled()
    {
        span.record("error.type", error_type(error));
    }
}

fn system(server: &impl Server) -> &'static str {
    if server.is_cockroach() { "cockroachdb" } else { "postgresql" }
}

fn record_target(span: &Span, target: Option<&Target>) {
    if let Some(target) = target {
        let host = target.hostaddr.as_deref().filter(|_| target.host.is_empty());
        span.record("server.address", host.unwrap_or(&target.host));
        span.record("server.port", target.port);
    }
}

/// Makes a connection in a span.
pub(crate) fn connect<T>(
    config: &Config,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let span = info_span!(
        "connect",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = config.dbname(),
        server.address = Empty,
        server.port = Empty,
        error.type = Empty,
    );
    if !span.is_disabled() {
        record_target(&span, config.targets().ok().as_ref().and_then(|targets| targets.first()));
    }
    let result = span.in_scope(work);
    record_error(&span, &result);
    result
}

/// Runs a statement in a span.
pub(crate) fn query<S: Server, T>(
    session: &mut S,
    sql: &[u8],
    work: impl FnOnce(&mut S) -> Result<T, Error>,
) -> Result<T, Error> {
    let span = statement(session, sql);
    let result = span.in_scope(|| work(session));
    record_error(&span, &result);
    result
}

/// The span of a statement.
pub(crate) fn statement(server: &impl Server, sql: &[u8]) -> Span {
    let span = info_span!(
        "query",
        otel.kind = "client",
        db.system.name = system(server),
        db.operation.name = Empty,
        db.query.text = Empty,
        server.address = Empty,
        server.port = Empty,
        error.type = Empty,
    );
    if !span.is_disabled() {
        if let Some(name) = operation(sql) {
            span.record("db.operation.name", name);
        }
        if QUERY_TEXT.load(Relaxed) {
            let text = without_values(&String::from_utf8_lossy(sql));
            span.record("db.query.text", text);
        }
        record_target(&span, server.target());
    }
    span
}

/// The span that the caller is in.
#[cfg(feature = "tokio")]
pub(crate) fn current() -> Span {
    Span::current()
}

/// Polls a future inside a span, which is left between polls.
#[cfg(feature = "tokio")]
pub(crate) async fn within<F: Future>(span: &Span, work: F) -> F::Output {
    work.instrument(span.clone()).await
}

/// The same for a future whose error is the span's.
#[cfg(feature = "tokio")]
pub(crate) async fn follow<T>(
    span: Span,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let result = within(&span, work).await;
    record_error(&span, &result);
    result
}

/// The span of a transaction with all its attempts.
pub(crate) fn transaction(server: &impl Server) -> Span {
    let span = info_span!(
        "transaction",
        otel.kind = "client",
        db.system.name = system(server),
        server.address = Empty,
        server.port = Empty,
        error.type = Empty,
    );
    if !span.is_disabled() {
        record_target(&span, server.target());
    }
    span
}

/// An attempt at a transaction failed: an event within its span, whose own error it is if it was
/// the last.
pub(crate) fn attempt_failed(span: &Span, number: u32, error: &Error, decision: Decision) {
    if span.is_disabled() {
        return;
    }
    let kind = error_type(error);
    let what = match decision {
        Decision::RetryAfter(_) => "retry",
        Decision::RetryOnFreshConnection(_) => "reconnect",
        Decision::GiveUp => "give_up",
        Decision::Ambiguous => "ambiguous",
    };
    let wait = decision.wait().unwrap_or_default().as_secs_f64() * 1000.0;
    event!(
        parent: span,
        Level::INFO,
        kecoa.attempt = number,
        kecoa.decision = what,
        kecoa.wait_ms = wait,
        error.type = kind.as_str(),
        "attempt failed"
    );
    if decision.wait().is_none() {
        span.record("error.type", kind);
    }
}

/// The first word of a statement, behind comments.
fn operation(sql: &[u8]) -> Option<String> {
    let mut text = std::str::from_utf8(sql.get(..sql.len().min(4096))?).ok()?.trim_start();
    loop {
        text = match (text.strip_prefix("--"), text.strip_prefix("/*")) {
            (Some(comment), _) => comment.split_once('\n')?.1,
            (_, Some(comment)) => comment.split_once("*/")?.1,
            _ => break,
        }
        .trim_start();
    }
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    (!word.is_empty()).then(|| word.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_found() {
        assert_eq!(operation(b"select 'x'").as_deref(), Some("SELECT"));
        assert_eq!(operation(b" -- a\n /* b */INSERT INTO t").as_deref(), Some("INSERT"));
        for nothing in [&b""[..], b"-- a", b"/* a", b"'x'", b"\xff"] {
            assert_eq!(operation(nothing), None);
        }
    }
}
