//! What each request in flight may commit, so that a lost answer is told for what it leaves open.

use std::collections::VecDeque;

use kecoa_proto::{Connection, Reply, Request, RequestId};

use crate::error::Error;
use crate::retry::{Block, Effect, effect_of_request, leaves_open};

/// What is open when the answer to a request is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stakes {
    /// Nothing: it was not to commit.
    #[default]
    Nothing,
    /// It is outside of a transaction, and commits what it does by itself.
    Implicit,
    /// It commits a transaction, in one of the ways to say so.
    Commit,
}

impl Stakes {
    /// The error that the server answered to such a request.
    pub(crate) fn answered(self, error: Error) -> Error {
        let open = match (self, error.sqlstate()) {
            (Stakes::Nothing, _) | (_, None) => false,
            // Another server's trouble, which this one tells of, has undone the statement.
            (Stakes::Implicit, Some(state)) if state.starts_with("08") => state == "08007",
            (_, Some(state)) => leaves_open(state),
        };
        if open { error.of_a_commit() } else { error }
    }
}

/// A request that is not over.
#[derive(Clone, Copy, Debug)]
struct Flight {
    id: RequestId,
    stakes: Stakes,
    /// It is one statement.
    alone: bool,
    /// The server has answered that it committed, or rolled back; what follows adds nothing.
    ended: bool,
    /// The server has answered with an error that does not end the session.
    failed: bool,
}

impl Flight {
    fn is_open(&self) -> bool {
        match self.stakes {
            Stakes::Nothing => false,
            Stakes::Implicit => !self.failed,
            Stakes::Commit => !(self.ended || self.alone && self.failed),
        }
    }
}

/// The requests in flight, oldest first. On a connection that was lost they stay.
#[derive(Debug)]
pub(super) struct Flights {
    requests: VecDeque<Flight>,
    /// Where the session is when all of them have succeeded.
    after: Block,
    cockroach: bool,
}

impl Flights {
    pub(super) fn new(connection: &Connection) -> Flights {
        Flights {
            requests: VecDeque::new(),
            after: Block::Unknown,
            cockroach: connection.parameter("crdb_version").is_some(),
        }
    }

    /// What a request does that is about to be submitted. `named` is the text of a statement that
    /// the server knows by name.
    pub(super) fn judge(
        &self,
        connection: &Connection,
        request: &Request<'_>,
        named: Option<&[u8]>,
    ) -> (Effect, Stakes) {
        let before = match connection.pending() {
            0 => connection.transaction_status().into(),
            _ => self.after,
        };
        let effect = effect_of_request(request, named, before, self.cockroach);
        let stakes = match effect.may_commit {
            false => Stakes::Nothing,
            true if before == Block::Open => Stakes::Commit,
            true => match effect_of_request(request, named, Block::Open, false).may_commit {
                true => Stakes::Commit,
                false => Stakes::Implicit,
            },
        };
        (effect, stakes)
    }

    /// It was submitted.
    pub(super) fn push(
        &mut self,
        id: RequestId,
        (effect, stakes): (Effect, Stakes),
        request: &Request<'_>,
    ) {
        self.after = effect.after;
        let alone = matches!(request, Request::Query(sql) if !sql.contains(&b';'));
        self.requests.push_back(Flight { id, stakes, alone, ended: false, failed: false });
    }

    /// Takes notice of a reply.
    pub(super) fn heed(&mut self, id: RequestId, reply: &Reply) {
        let flight = match reply {
            Reply::Ready(_) => {
                while self.requests.front().is_some_and(|flight| flight.id <= id) {
                    self.requests.pop_front();
                }
                return;
            }
            Reply::CommandComplete(_) | Reply::Error(_) => self.find(id),
            _ => return,
        };
        match (flight, reply) {
            (Some(flight), Reply::CommandComplete(tag)) if flight.alone => {
                let tags = ["COMMIT", "ROLLBACK", "COMMIT PREPARED", "PREPARE TRANSACTION"];
                flight.ended |= tags.iter().any(|known| tag.as_bytes() == known.as_bytes());
            }
            (Some(flight), Reply::Error(error)) => flight.failed |= !error.is_fatal(),
            _ => {}
        }
    }

    fn find(&mut self, id: RequestId) -> Option<&mut Flight> {
        self.requests.iter_mut().find(|flight| flight.id == id)
    }

    fn get(&self, id: RequestId) -> Option<&Flight> {
        self.requests.iter().find(|flight| flight.id == id)
    }

    /// Whether the request is not over, or was not when the connection was lost.
    pub(super) fn contains(&self, id: RequestId) -> bool {
        self.get(id).is_some()
    }

    /// Whether the request is a COMMIT that the server has answered, although not to the end.
    pub(super) fn has_ended(&self, id: RequestId) -> bool {
        self.get(id).is_some_and(|flight| flight.stakes == Stakes::Commit && flight.ended)
    }

    /// What is open while the request is in flight.
    pub(super) fn stakes(&self, id: RequestId) -> Stakes {
        self.get(id).map(|flight| flight.stakes).unwrap_or_default()
    }

    /// The error of a connection that is lost: what the server has seen of the requests in flight
    /// may have been committed.
    pub(super) fn lost(&self, connection: &Connection, error: Error) -> Error {
        let open = |flight: &Flight| flight.is_open() && !connection.nothing_sent(flight.id);
        // A COPY whose data has no end yet is given up by the server.
        let copying = self.requests.len() == 1 && connection.wants_copy_data();
        if !copying && self.requests.iter().any(open) { error.of_a_commit() } else { error }
    }
}
