//! What the client asks for: requests are encoded and queued, and the replies they lead to are
//! expected.

use super::state::{Connection, ExpectedReply, Kind, Lifecycle, Pending};
use crate::error::UsageError;
use crate::event::RequestId;
use crate::message::frontend::Target;
use crate::message::tags::frontend as tags;
use crate::message::write;
use crate::request::{Request, Step};

impl Connection {
    /// Encodes a request into the output buffer and queues it. Any number may be in flight.
    ///
    /// # Errors
    /// The request cannot be encoded, a COPY waits for data, or the connection is closed; nothing
    /// was queued then.
    pub fn submit(&mut self, request: &Request<'_>) -> Result<RequestId, UsageError> {
        if self.lifecycle != Lifecycle::Open {
            return Err(UsageError::Closed);
        }
        if self.wants_copy_data() {
            return Err(UsageError::CopyInProgress);
        }
        let before = self.write.len();
        let start = self.queued;
        request.encode(&mut self.write)?;
        self.count_queued(before);
        let steps = self.steps.len();
        let kind = match request {
            Request::Query(_) => Kind::Query,
            Request::FunctionCall { .. } => {
                self.steps.push_back(ExpectedReply::Call);
                Kind::FunctionCall
            }
            Request::Extended(steps) => {
                self.expect(steps);
                Kind::Extended
            }
        };
        let steps = self.steps.len() - steps;
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.pending.push_back(Pending {
            id,
            kind,
            steps,
            sync_only: steps == 0 && kind != Kind::Query,
            start,
            drop_copy: false,
        });
        Ok(id)
    }

    fn expect(&mut self, steps: &[Step<'_>]) {
        let mut described: Option<&[u8]> = None;
        for step in steps {
            match step {
                Step::Parse { .. } => self.steps.push_back(ExpectedReply::Parse),
                Step::Bind { .. } => {
                    described = None;
                    self.steps.push_back(ExpectedReply::Bind);
                }
                Step::Describe(Target::Statement(_)) => {
                    self.steps.push_back(ExpectedReply::Parameters);
                    self.steps.push_back(ExpectedReply::Columns);
                }
                Step::Describe(Target::Portal(name)) => {
                    described = Some(name);
                    self.steps.push_back(ExpectedReply::PortalColumns);
                }
                Step::Execute { portal, .. } => {
                    let described = described.take() == Some(*portal);
                    self.steps.push_back(ExpectedReply::Execute { described });
                }
                Step::Close(_) => {
                    described = None;
                    self.steps.push_back(ExpectedReply::Close);
                }
                Step::Flush => {}
            }
        }
    }

    /// Queues a Terminate. Replies to requests in flight still come; no further request goes out.
    pub fn terminate(&mut self) {
        if self.lifecycle == Lifecycle::Open {
            let before = self.write.len();
            write::empty(&mut self.write, tags::TERMINATE);
            self.count_queued(before);
            self.lifecycle = Lifecycle::Terminating;
        }
    }
}
