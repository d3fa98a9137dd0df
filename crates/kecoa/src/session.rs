//! Drives a protocol [`Connection`](kecoa_proto::Connection) over a stream, request by request.
//!
//! The session does no I/O of its own: it alternates writing what the connection has to say and
//! reading what the peer answers, through the stream that it is given, and looks at the caller's
//! [`Interrupt`](crate::Interrupt) hook while it waits.

mod advance;
pub(crate) mod atomic;
mod bounded_queue;
mod budget;
pub(crate) mod cache;
pub mod call;
mod cancelled;
mod changes;
pub(crate) mod copy;
mod core;
mod drive;
mod encodings;
mod events;
pub(crate) mod extended;
mod gathered;
mod in_flight;
mod loss;
mod mode;
pub(crate) mod outcome;
pub(crate) mod pipeline;
mod placeholders;
pub(crate) mod prepared;
#[cfg(feature = "tokio")]
mod readiness;
pub mod replication;
mod replies;
pub(crate) mod statement;
pub(crate) mod streaming;
mod transaction_end;
mod waiting;

pub(crate) use self::core::Session;
#[cfg(feature = "tokio")]
pub(crate) use mode::CopyPolicy;
#[cfg(feature = "tokio")]
pub(crate) use readiness::Received;
pub use replies::NextReply;
