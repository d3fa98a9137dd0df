//! What a request has answered, looked at before it is over.

use std::sync::Arc;

use kecoa_proto::{Event, Reply, RequestId, RowDescription};

use super::core::Session;
use super::outcome::Outcome;

impl Session {
    /// What a request has answered so far; `columns` are those of rows that are not described again.
    pub(super) fn begin_outcome(
        &mut self,
        id: RequestId,
        columns: Option<&Arc<RowDescription>>,
    ) -> Outcome {
        match self.gathered.take() {
            Some((of, outcome)) if of == id => outcome,
            _ => Outcome::new(self.risk(id), columns),
        }
    }

    /// Keeps what a request has answered so far.
    pub(super) fn keep_outcome(&mut self, id: RequestId, outcome: Outcome) {
        self.gathered = Some((id, outcome));
    }

    /// Whether the results of the request are wanted: it was not cancelled, and they are not too large.
    pub(super) fn is_wanted(&self, id: RequestId) -> bool {
        self.cancelled.is_none() && !self.budget.has_exceeded(id)
    }

    /// Whether no whole message is left of what was read, and the next reply to a request whose results are
    /// wanted has to be waited for.
    pub(super) fn has_to_wait(&self, id: RequestId) -> bool {
        self.buffered.is_empty() && self.connection.read_hint() > 0 && self.is_wanted(id)
    }

    /// The next reply to the request that was buffered, if it is one of those that [`Outcome::take`]
    /// takes and none that ends the request.
    pub(super) fn next_plain_reply(&mut self, id: RequestId) -> Option<Reply> {
        let plain = |event: &Event| {
            matches!(event, Event::Reply(of, Reply::ParseComplete
                | Reply::BindComplete
                | Reply::RowDescription(_)
                | Reply::Rows(_)
                | Reply::CommandComplete(_)) if *of == id)
        };
        if !self.buffered.front().is_some_and(plain) {
            return None;
        }
        match self.buffered.pop_front() {
            Some(Event::Reply(_, reply)) => Some(reply),
            _ => None,
        }
    }
}
