//! The clients: one that blocks, and one whose waits are tokio's.

pub mod blocking;
mod canceller;
pub(crate) mod inner;
mod state;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;

pub use canceller::Canceller;
