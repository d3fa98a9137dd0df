//! One client: requests in, replies out.

use std::io;
use std::sync::Arc;

use kecoa_server::accept::Shutdown;
use kecoa_server::buffered::Buffered;
use kecoa_server::unauthenticated::Slot;

use super::service::{Arrival, Service};
use super::shared::Shared;
use super::stream::{Reader, Stream, Writer};
use crate::command::{Next, Outcome};
use crate::wire::{Delivery, Envelope, Frames, Incoming, Reply, Request};

/// Commands whose replies are never compressed, for they may hold secrets or come before an agreement.
const NEVER_COMPRESSED: [&str; 10] = [
    "hello",
    "isMaster",
    "ismaster",
    "saslStart",
    "saslContinue",
    "getnonce",
    "authenticate",
    "createUser",
    "updateUser",
    "copydb",
];

/// One client's connection.
pub(super) struct Connection<'a, S: Service> {
    shared: &'a Shared<S>,
    socket: Buffered<Reader, Writer, Frames>,
    client: Client<S>,
    shutdown: Shutdown,
    /// The client sends no more.
    has_ended: bool,
}

/// Tells the service that a client has gone, also when its task is stopped.
struct Client<S: Service> {
    service: Arc<S>,
    state: Option<S::Client>,
}

impl<S: Service> Drop for Client<S> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            self.service.disconnect(state);
        }
    }
}

/// What follows a message.
enum Step {
    Await,
    Close,
}

impl<'a, S: Service> Connection<'a, S> {
    pub(super) fn new(
        shared: &'a Shared<S>,
        stream: Stream,
        arrival: &Arrival,
        shutdown: Shutdown,
    ) -> Self {
        let state = Some(shared.service.connect(arrival));
        Self {
            shared,
            socket: Buffered::new(stream.reader, stream.writer, Frames),
            client: Client { service: shared.service.clone(), state },
            shutdown,
            has_ended: false,
        }
    }

    /// Answers until either side closes. `slot` is held until the client has shown who it is.
    pub(super) async fn run(mut self, slot: Slot) {
        let mut slot = Some(slot);
        // Whatever is wrong with the socket or the client's bytes: there is nobody to tell.
        while let Ok(Some(incoming)) = self.next(slot.as_mut()).await {
            let step = match incoming {
                Incoming::Request(request) => self.answer(request).await,
                Incoming::Refused(refused) => {
                    self.send(&refused.envelope, &refused.reply, refused.envelope.id, None).await
                }
            };
            match step {
                Ok(Step::Await) => {}
                Ok(Step::Close) | Err(_) => return,
            }
            if let Some(state) = &self.client.state
                && slot.is_some()
                && self.shared.service.is_admitted(state)
            {
                slot = None;
            }
        }
    }

    /// The next message. `None` when there is none any more, or the server stops.
    async fn next(&mut self, mut slot: Option<&mut Slot>) -> io::Result<Option<Incoming>> {
        loop {
            if let Some(incoming) = self.socket.message()? {
                return Ok(Some(incoming));
            }
            if self.has_ended {
                return Ok(None);
            }
            let evicted = async {
                match &mut slot {
                    Some(slot) => slot.evicted().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // Losing any of them loses nothing.
                read = self.socket.read() => read?,
                () = self.shutdown.requested() => return Ok(None),
                () = evicted => return Ok(None),
            }
        }
    }

    /// Has a request answered, as often as its client takes replies to it.
    async fn answer(&mut self, request: Request) -> io::Result<Step> {
        let envelope = *request.envelope();
        let is_compressed = !NEVER_COMPRESSED.contains(&request.command_name());
        let compressor = envelope.compressor.filter(|_| is_compressed);
        let envelope = Envelope { compressor, ..envelope };
        let mut response_to = envelope.id;
        let mut request = request;
        loop {
            let Some(Outcome { reply, next }) = self.handle(request).await? else {
                return Ok(Step::Close);
            };
            let Some(reply) = reply.filter(|_| envelope.is_reply_expected) else {
                return Ok(if matches!(next, Next::Close) { Step::Close } else { Step::Await });
            };
            match next {
                Next::Await => return self.send(&envelope, &reply, response_to, None).await,
                Next::Close => {
                    self.send(&envelope, &reply, response_to, None).await?;
                    return Ok(Step::Close);
                }
                Next::Again(_) if !envelope.is_exhaust_allowed => {
                    return self.send(&envelope, &reply, response_to, None).await;
                }
                Next::Again(again) => {
                    let id = self.shared.next_message();
                    self.send(&envelope, &reply, response_to, Some(id)).await?;
                    response_to = id;
                    request = again;
                }
            }
        }
    }

    /// The service's answer. `None` when the client goes away meanwhile: then the command is dropped, unless its
    /// client has not meant to wait for it.
    async fn handle(&mut self, request: Request) -> io::Result<Option<Outcome>> {
        let Some(state) = &mut self.client.state else { return Ok(None) };
        let is_watched = request.is_reply_expected();
        let mut handled = std::pin::pin!(self.client.service.handle(state, request));
        loop {
            let is_read = is_watched && !self.has_ended && !self.socket.is_input_full();
            tokio::select! {
                outcome = &mut handled => return Ok(Some(outcome)),
                // Requests may be sent ahead; their bytes wait.
                read = self.socket.read(), if is_read => if read.is_err() {
                    self.has_ended = true;
                    return Ok(None);
                },
            }
        }
    }

    /// Sends a reply, if one is expected. `more` is its number if others follow.
    async fn send(
        &mut self,
        envelope: &Envelope,
        reply: &Reply,
        response_to: i32,
        more: Option<i32>,
    ) -> io::Result<Step> {
        if envelope.is_reply_expected {
            let delivery = Delivery {
                id: more.unwrap_or_else(|| self.shared.next_message()),
                response_to,
                more_to_come: more.is_some(),
                compressor: envelope.compressor,
            };
            reply.encode(envelope, &delivery, &mut self.socket.output);
            self.socket.flush().await?;
        }
        Ok(Step::Await)
    }
}
