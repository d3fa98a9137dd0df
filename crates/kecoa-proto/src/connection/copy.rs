//! COPY, the client's half.
//!
//! After an extended request a Sync is already on its way when the server begins to wait for copy
//! data; it ignores that Sync, so another must follow the end of the data. A simple query needs
//! none. If the COPY fails before the server has read the first Sync, both Syncs are answered: the
//! second ReadyForQuery then comes on top, and `extra_ready` lets it pass.

use super::state::{Connection, Kind, Lifecycle, Phase};
use crate::error::UsageError;
use crate::message::frontend::encode;
use crate::message::tags::frontend as tags;
use crate::message::write;

/// The longest piece of copy data that is sent as one message, in bytes. Longer data is cut: the
/// protocol does not care where.
const PIECE: usize = 1 << 20;

impl Connection {
    /// Whether the server waits for copy data.
    pub fn wants_copy_data(&self) -> bool {
        matches!(
            self.phase,
            Phase::CopyIn { finished: false } | Phase::CopyBoth { client_done: false, .. }
        )
    }

    /// Whether copy data can be sent (`true`), or is to be dropped because the server has given the
    /// COPY up (`false`).
    fn copying(&self) -> Result<bool, UsageError> {
        if matches!(self.lifecycle, Lifecycle::Poisoned | Lifecycle::Closed) {
            return Err(UsageError::Closed);
        }
        if self.wants_copy_data() {
            return Ok(true);
        }
        match self.pending.front() {
            Some(front) if front.drop_copy => Ok(false),
            _ => Err(UsageError::NotCopying),
        }
    }

    /// Sends a piece of a COPY's data. If the server has given the COPY up, the data is dropped:
    /// the error is among the events.
    ///
    /// # Errors
    /// No COPY waits for data, or the connection is closed.
    pub fn copy_data(&mut self, data: &[u8]) -> Result<(), UsageError> {
        if !self.copying()? {
            return Ok(());
        }
        let before = self.write.len();
        let mut result = Ok(());
        for piece in data.chunks(PIECE) {
            result = encode::copy_data(&mut self.write, piece);
            if result.is_err() {
                break;
            }
        }
        self.count_queued(before);
        result
    }

    /// Ends a COPY's data.
    ///
    /// # Errors
    /// No COPY waits for data, or the connection is closed.
    pub fn copy_done(&mut self) -> Result<(), UsageError> {
        if !self.copying()? {
            return Ok(());
        }
        let before = self.write.len();
        write::empty(&mut self.write, tags::COPY_DONE);
        self.finish_copy();
        self.count_queued(before);
        Ok(())
    }

    /// Gives a COPY up. The server answers with an error (57014) that quotes `reason`.
    ///
    /// # Errors
    /// No COPY waits for data, `reason` contains a NUL, or the connection is closed.
    pub fn copy_fail(&mut self, reason: &[u8]) -> Result<(), UsageError> {
        if !self.copying()? {
            return Ok(());
        }
        let before = self.write.len();
        encode::copy_fail(&mut self.write, reason)?;
        self.finish_copy();
        self.count_queued(before);
        Ok(())
    }

    fn finish_copy(&mut self) {
        self.sync_behind_copy();
        self.phase = match self.phase {
            Phase::CopyBoth { server_done: true, .. } => Phase::Start,
            Phase::CopyBoth { .. } => Phase::CopyBoth { server_done: false, client_done: true },
            _ => Phase::CopyIn { finished: true },
        };
    }

    /// The Sync that an extended request needs after its copy data.
    pub(super) fn sync_behind_copy(&mut self) {
        if self.pending.front().is_some_and(|front| front.kind == Kind::Extended) {
            write::empty(&mut self.write, tags::SYNC);
            self.extra_ready = 1;
        }
    }
}
