//! The messages of the protocol. Each enum decodes from and encodes to bytes.

pub mod backend;
pub mod format;
pub mod frontend;
pub(crate) mod read;
pub mod replication;
pub mod startup;
pub mod startup_options;
pub mod tags;
pub mod transaction_status;
pub(crate) mod write;

pub use format::Format;
pub use transaction_status::TransactionStatus;
