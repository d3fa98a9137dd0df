//! What each request in flight may commit, so that the error of a lost answer says what it leaves open.

use std::collections::VecDeque;

use kecoa_proto::{Connection, Reply, Request, RequestId};

use crate::error::Error;
use crate::retry::{Beginning, Block, Reading, Sets, leaves_open, read_request};

/// The longest beginning of a text that is kept, in bytes.
const LONGEST_BEGINNING: usize = 256;

/// What is open when the answer to a request is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CommitRisk {
    /// Nothing: it was not to commit.
    #[default]
    Nothing,
    /// It is outside of a transaction, and commits what it does by itself.
    Implicit,
    /// It commits a transaction, in one of the ways to say so.
    Commit,
}

impl CommitRisk {
    /// The error that the server answered to such a request.
    pub(crate) fn answered(self, error: Error) -> Error {
        let open = match (self, error.sqlstate()) {
            (CommitRisk::Nothing, _) | (_, None) => false,
            // An error of another server, which this one reports, has undone the statement.
            (CommitRisk::Implicit, Some(state)) if state.starts_with("08") => state == "08007",
            (_, Some(state)) => leaves_open(state),
        };
        if open { error.of_a_commit() } else { error }
    }
}

/// A request that is not over.
#[derive(Clone, Copy, Debug)]
struct InFlightRequest {
    id: RequestId,
    risk: CommitRisk,
    /// It is one statement.
    alone: bool,
    /// The server has answered that it committed, or rolled back; what follows adds nothing.
    ended: bool,
    /// The server has answered with an error that does not end the session.
    failed: bool,
    /// Its statements `SET` that are not answered.
    sets: Sets,
}

impl InFlightRequest {
    fn is_open(&self) -> bool {
        match self.risk {
            CommitRisk::Nothing => false,
            CommitRisk::Implicit => !self.failed,
            CommitRisk::Commit => !(self.ended || self.alone && self.failed),
        }
    }
}

/// The requests in flight, oldest first. On a connection that was lost they stay.
#[derive(Debug)]
pub(super) struct InFlight {
    requests: VecDeque<InFlightRequest>,
    /// Where the session is when all of them have succeeded.
    after: Block,
    /// How the last one's text began.
    last: Beginning,
    cockroach: bool,
}

impl InFlight {
    pub(super) fn new(connection: &Connection) -> InFlight {
        InFlight {
            requests: VecDeque::new(),
            after: Block::Unknown,
            last: Beginning::of(LONGEST_BEGINNING),
            cockroach: connection.parameter("crdb_version").is_some(),
        }
    }

    /// What a request does that is about to be submitted. `named` is the text of a statement that
    /// the server knows by name.
    pub(super) fn classify(
        &mut self,
        connection: &Connection,
        request: &Request<'_>,
        named: Option<&[u8]>,
    ) -> Reading {
        let before = match connection.pending() {
            0 => connection.transaction_status().into(),
            _ => self.after,
        };
        read_request(request, named, before, self.cockroach, &mut self.last)
    }

    /// It was submitted.
    pub(super) fn push(&mut self, id: RequestId, reading: Reading) {
        self.after = reading.effect.after;
        let risk = match (reading.effect.may_commit, reading.commits_open) {
            (false, _) => CommitRisk::Nothing,
            (true, true) => CommitRisk::Commit,
            (true, false) => CommitRisk::Implicit,
        };
        let (alone, sets) = (reading.is_single, reading.sets);
        let (ended, failed) = (false, false);
        self.requests.push_back(InFlightRequest { id, risk, alone, ended, failed, sets });
    }

    /// Takes notice of a reply.
    pub(super) fn apply(&mut self, id: RequestId, reply: &Reply) {
        let request = match reply {
            Reply::Ready(_) => {
                while self.requests.front().is_some_and(|request| request.id <= id) {
                    self.requests.pop_front();
                }
                return;
            }
            Reply::CommandComplete(_) | Reply::Error(_) => self.find(id),
            _ => return,
        };
        match (request, reply) {
            (Some(request), Reply::CommandComplete(tag)) if request.alone => {
                let tags = ["COMMIT", "ROLLBACK", "COMMIT PREPARED", "PREPARE TRANSACTION"];
                request.ended |= tags.iter().any(|known| tag.as_bytes() == known.as_bytes());
            }
            (Some(request), Reply::Error(error)) => request.failed |= !error.is_fatal(),
            _ => {}
        }
    }

    /// Whether the statement `SET` that was just answered ends with its transaction.
    pub(super) fn next_set_is_local(&mut self, id: RequestId) -> bool {
        self.find(id).is_some_and(|request| request.sets.next_is_local())
    }

    fn find(&mut self, id: RequestId) -> Option<&mut InFlightRequest> {
        self.requests.iter_mut().find(|request| request.id == id)
    }

    fn get(&self, id: RequestId) -> Option<&InFlightRequest> {
        self.requests.iter().find(|request| request.id == id)
    }

    /// Whether the request is not over, or was not when the connection was lost.
    pub(super) fn contains(&self, id: RequestId) -> bool {
        self.get(id).is_some()
    }

    /// Whether the request is a COMMIT that the server has answered, although not to the end.
    pub(super) fn has_ended(&self, id: RequestId) -> bool {
        self.get(id).is_some_and(|request| request.risk == CommitRisk::Commit && request.ended)
    }

    /// What is open while the request is in flight.
    pub(super) fn risk(&self, id: RequestId) -> CommitRisk {
        self.get(id).map(|request| request.risk).unwrap_or_default()
    }

    /// The error of a connection that is lost: what the server has seen of the requests in flight
    /// may have been committed.
    pub(super) fn lost(&self, connection: &Connection, error: Error) -> Error {
        let open =
            |request: &InFlightRequest| request.is_open() && !connection.nothing_sent(request.id);
        // A COPY whose data has no end yet is given up by the server.
        let copying = self.requests.len() == 1 && connection.wants_copy_data();
        if !copying && self.requests.iter().any(open) { error.of_a_commit() } else { error }
    }
}
