//! What the server answers to a COPY beside its data.

use kecoa_proto::{CommandTag, Reply, ServerError};

/// The replies that are the same in both directions.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) error: Option<Box<ServerError>>,
    tag: Option<CommandTag>,
    pub(super) is_over: bool,
}

impl Answer {
    pub(super) fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Error(error) => {
                self.error.get_or_insert(error);
            }
            Reply::CommandComplete(tag) => self.tag = Some(tag),
            Reply::Ready(_) => self.is_over = true,
            _ => {}
        }
    }

    /// How many rows were copied, when the server says it.
    pub(super) fn rows(&self) -> Option<u64> {
        self.tag.as_ref().and_then(CommandTag::rows)
    }
}
