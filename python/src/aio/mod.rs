//! What `kecoa.aio` is built on: connections that an event loop drives.
//!
//! `AsyncOpening` connects on a thread of its own, which ends when it has; `AsyncLink` drives the
//! client when the event loop says that its socket is ready, and wakes whoever waits.

mod calls;
mod cancel;
mod lifecycle;
mod link;
mod methods;
mod opening;
mod requests;
mod rows;
mod settle;
mod state;
mod streaming;
mod thread;
mod watch;

pub(crate) use link::AsyncLink;
pub(crate) use opening::AsyncOpening;
pub(crate) use rows::AsyncRows;
