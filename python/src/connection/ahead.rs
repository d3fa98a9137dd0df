//! A request that is sent ahead: its answer is taken later, while the caller prepares the next.
//!
//! Whatever else is done with the connection meanwhile waits for that answer first, so that it cannot
//! be taken for another's, or lost.

use kecoa::blocking::Client;
use kecoa::{Interrupt, Piped};
use kecoa_proto::RequestId;
use pyo3::prelude::*;

use super::Connection;
use super::link::{Driven, Link};

/// What was sent, or what came of it.
pub(super) enum Ahead {
    Sent(RequestId),
    Answered(Result<Piped, kecoa::Error>),
}

/// What came of a request that was sent ahead, and whether the next one is on its way.
pub(crate) struct Step {
    /// Nothing where nothing had been sent.
    pub(crate) before: Option<Result<Piped, kecoa::Error>>,
    /// Not sent at all when the one before failed.
    pub(crate) sent: Result<bool, kecoa::Error>,
}

impl Link {
    /// Waits for the answer to what was sent ahead, and keeps it.
    pub(super) fn settle_ahead(&mut self, hook: &mut dyn Interrupt) {
        if let (Some(Ahead::Sent(id)), Some(client)) = (&self.ahead, &mut self.client) {
            self.ahead = Some(Ahead::Answered(client.finish_pipeline(*id, hook)));
        }
    }

    fn take_ahead(&mut self, hook: &mut dyn Interrupt) -> Option<Result<Piped, kecoa::Error>> {
        self.settle_ahead(hook);
        match self.ahead.take() {
            Some(Ahead::Answered(answer)) => Some(answer),
            Some(Ahead::Sent(_)) | None => None,
        }
    }

    /// Sends the next request, then takes the answer to the one before: the server need not wait
    /// for us in between. In a transaction nothing of the next runs when the one before failed.
    fn step_ahead(
        &mut self,
        next: impl FnOnce(&mut Client) -> Result<RequestId, kecoa::Error>,
        hook: &mut dyn Interrupt,
    ) -> Option<Step> {
        // Answered already: somebody used the connection in between, who may have repaired what an
        // error broke.
        let early = match self.ahead {
            Some(Ahead::Answered(_)) => self.take_ahead(hook),
            _ => None,
        };
        if early.as_ref().is_some_and(has_failed) {
            return Some(Step { before: early, sent: Ok(false) });
        }
        let submitted = next(self.client.as_mut()?);
        let before = early.or_else(|| self.take_ahead(hook));
        let client = self.client.as_mut()?;
        let sent = match submitted {
            Err(error) => Err(error),
            Ok(id) if before.as_ref().is_some_and(has_failed) => {
                // Its answers only repeat that the transaction has failed.
                client.finish_pipeline(id, hook).map(|_| false).or(Ok(false))
            }
            Ok(id) => client.advance().map(|_| {
                self.ahead = Some(Ahead::Sent(id));
                true
            }),
        };
        Some(Step { before, sent })
    }
}

fn has_failed(answer: &Result<Piped, kecoa::Error>) -> bool {
    answer.as_ref().map_or(true, |piped| piped.error.is_some())
}

impl Connection {
    /// Sends a request ahead, and takes what came of the one before it.
    pub(crate) fn send_ahead(
        slf: &Bound<'_, Connection>,
        next: impl FnOnce(&mut Client) -> Result<RequestId, kecoa::Error> + Send,
    ) -> Driven<Step> {
        Connection::drive_link(slf, |link, hook| link.step_ahead(next, hook).map(Ok))
    }

    /// Takes what came of the request that was sent ahead, if there is one.
    pub(crate) fn take_ahead(
        slf: &Bound<'_, Connection>,
    ) -> Driven<Option<Result<Piped, kecoa::Error>>> {
        Connection::drive_link(slf, |link, hook| {
            link.client.as_ref()?;
            Some(Ok(link.take_ahead(hook)))
        })
    }
}
