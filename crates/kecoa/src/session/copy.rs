//! COPY: as a state machine over replies, and as a whole from a reader or to a writer.

mod answer;
mod progress;
mod transfer;

pub(crate) use progress::{CopyingIn, CopyingOut};
#[cfg(feature = "tokio")]
pub(crate) use transfer::reason;
pub(crate) use transfer::{copy_in, copy_out};
