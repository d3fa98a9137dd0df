//! Messages as bytes: frames, sections, compression. No socket.
//!
//! [`Frames`] takes a client's bytes as they come and hands out [`Incoming`]: a [`Request`], or the reason
//! why a message whose length is right is none. [`Reply::encode`] writes what goes back. A [`FramingError`]
//! means that the connection is of no use any more: there is no reply to what cannot be read.

mod compression;
mod frames;
mod framing_error;
mod incoming;
mod message;
mod query;
mod reply;
mod request;
mod take;

pub use compression::Compressor;
pub use frames::Frames;
pub use framing_error::{FramingError, MAX_MESSAGE_LENGTH};
pub use incoming::{Incoming, Refused};
pub use reply::{Delivery, Reply};
pub use request::{Envelope, Kind, Request, Sequence};

/// The bytes of the header: length, number, number of the message that is answered, kind.
pub const HEADER_LENGTH: usize = 16;

/// The kinds of messages.
mod opcode {
    pub(super) const REPLY: i32 = 1;
    pub(super) const QUERY: i32 = 2004;
    pub(super) const GET_MORE: i32 = 2005;
    pub(super) const COMPRESSED: i32 = 2012;
    pub(super) const MSG: i32 = 2013;
}

/// The bits of a message's flags.
mod flag {
    pub(super) const CHECKSUM: u32 = 1;
    pub(super) const MORE_TO_COME: u32 = 1 << 1;
    pub(super) const EXHAUST_ALLOWED: u32 = 1 << 16;
    /// Whoever does not know one of these must not read the message.
    pub(super) const MANDATORY: u32 = 0xffff;
}
