//! PostgreSQL's wire protocol 3.0 and 3.2, both directions, without I/O.
//!
//! Nothing here touches a socket, a clock, the environment or a thread: bytes go in, bytes and
//! events come out. A driver moves the bytes:
//!
//! 1. [`Handshake`] negotiates TLS, authenticates and turns into a [`Connection`];
//! 2. [`Connection::submit`] encodes a [`Request`] into the output buffer, any number of them;
//! 3. the driver writes what [`Connection::poll_transmit`] shows, appends what it reads to
//!    [`Connection::read_buffer`], and takes [`Event`]s from [`Connection::poll_event`] until the
//!    request's [`Reply::Ready`].
//!
//! ```
//! use kecoa_proto::message::backend::Message;
//! use kecoa_proto::{CommandTag, Connection, Event, Limits, Reply, Request, TransactionStatus};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut connection = Connection::new(Limits::default());
//! let id = connection.submit(&Request::Query(b"SET x = 1"))?;
//! assert_eq!(connection.poll_transmit(), Some(&b"Q\0\0\0\x0eSET x = 1\0"[..]));
//! connection.transmitted(15); // the driver has written it
//!
//! // The driver has read this.
//! Message::CommandComplete(CommandTag::new(b"SET")).encode(connection.read_buffer())?;
//! Message::ReadyForQuery(TransactionStatus::Idle).encode(connection.read_buffer())?;
//!
//! let done = connection.poll_event()?;
//! assert_eq!(done, Some(Event::Reply(id, Reply::CommandComplete(CommandTag::new(b"SET")))));
//! let ready = connection.poll_event()?;
//! assert_eq!(ready, Some(Event::Reply(id, Reply::Ready(TransactionStatus::Idle))));
//! assert_eq!(connection.poll_event()?, None);
//! # Ok(())
//! # }
//! ```
//!
//! The [`message`] enums decode and encode every message of either side, so that a server (a
//! proxy, a mock) can be built from the same pieces.
//!
//! Everything that comes from the network is checked and capped ([`frame::Limits`]) before it is
//! believed. Errors say whose fault it was: [`ProtocolError`] the peer's, [`UsageError`] the
//! caller's; a [`ServerError`] is data.
//!
//! Facts are from the chapter "Frontend/Backend Protocol" of PostgreSQL's documentation.
#![forbid(unsafe_code)]

pub mod busy_poll;
pub mod connection;
pub mod error;
pub mod event;
pub mod frame;
pub mod handshake;
pub mod message;
pub mod request;
pub mod rows;
pub mod sqlstate;

pub use busy_poll::BusyPoll;
pub use connection::{Connection, Eof};
pub use error::{ProtocolError, UsageError};
pub use event::{Event, Reply, RequestId};
pub use frame::Limits;
pub use handshake::{
    AuthenticationMethod, Handshake, HandshakeError, Progress, Requirement, StartupConfig,
};
pub use message::backend::{
    CommandTag, CopyResponse, Field, Notification, RowDescription, ServerError,
};
pub use message::frontend::Target;
pub use message::startup::{CancelKey, ProtocolVersion};
pub use message::{Format, TransactionStatus};
pub use request::{Parameter, Request, Step};
pub use rows::{IndexedRows, Row, Rows};
pub use sqlstate::SqlState;
