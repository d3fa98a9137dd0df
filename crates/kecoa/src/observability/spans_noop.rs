//! In the place of `spans`, where nobody asked for the feature `tracing`: does the work, reports nothing.

use crate::config::Config;
use crate::error::Error;
use crate::retry::Decision;

pub(crate) fn connect<T>(_: &Config, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    work()
}

pub(crate) fn query<S, T>(
    session: &mut S,
    _: &[u8],
    work: impl FnOnce(&mut S) -> Result<T, Error>,
) -> Result<T, Error> {
    work(session)
}

/// The span that is none.
#[derive(Clone)]
pub(crate) struct Span;

impl Span {
    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }
}

#[cfg(feature = "tokio")]
pub(crate) fn statement(_: &impl Sized, _: &[u8]) -> Span {
    Span
}

#[cfg(feature = "tokio")]
pub(crate) fn current() -> Span {
    Span
}

#[cfg(feature = "tokio")]
pub(crate) async fn within<F: Future>(_: &Span, work: F) -> F::Output {
    work.await
}

#[cfg(feature = "tokio")]
pub(crate) async fn follow<T>(
    _: Span,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    work.await
}

pub(crate) fn transaction(_: &impl Sized) -> Span {
    Span
}

pub(crate) fn attempt_failed(_: &Span, _: u32, _: &Error, _: Decision) {}
