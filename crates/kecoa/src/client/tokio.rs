//! The client for tokio.

mod client;
mod copy;
mod draining;
pub(crate) mod link;
mod notifications;
mod requests;
pub(crate) mod row_stream;
mod socket;
mod statements;
mod transactions;

pub use self::client::Client;
pub use self::copy::{CopyReader, CopyWriter};
pub use self::row_stream::RowStream;
