//! COPY: as a state machine over replies, and as a whole from a reader or to a writer.

mod progress;
mod transfer;

pub(crate) use progress::{CopyingIn, CopyingOut};
pub(crate) use transfer::{copy_in, copy_out};
