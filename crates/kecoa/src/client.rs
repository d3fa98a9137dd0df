//! The clients: one that blocks, and one whose waits are tokio's.

pub mod blocking;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;
