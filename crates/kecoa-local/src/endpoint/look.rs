//! Looking at a socket for a moment before a task sleeps, as long as nobody else wants the thread.
//!
//! A look keeps the thread from the other sessions on it, so only a session that is alone at work looks, however
//! many others are connected. As soon as another has something to do, all of them leave the waiting to the event
//! loop; and each lets the event loop in every [`TURN`], to see whether another has.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kecoa_proto::BusyPoll;
use kecoa_server::buffered::{Buffered, Decoder, Glance};
use tokio::io::{AsyncRead, AsyncWrite};

/// How long a look may take: an answer to a small statement comes within it.
const LIMIT: Duration = Duration::from_micros(50);

/// So long a session whose messages are found by looks keeps the thread at most.
const TURN: Duration = Duration::from_micros(200);

/// How many sessions have a message in hand.
#[derive(Clone, Debug, Default)]
pub(super) struct AtWork(Arc<AtomicUsize>);

/// A session that has a message in hand, until it is dropped.
#[derive(Debug)]
pub(super) struct Working(AtWork);

impl AtWork {
    pub(super) fn enter(&self) -> Working {
        self.0.fetch_add(1, Ordering::Relaxed);
        Working(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// When a session lets the others on its thread go on.
#[derive(Debug)]
pub(super) struct Turn(Instant);

impl Default for Turn {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Turn {
    /// Lets the others go on if it is their turn.
    pub(super) async fn pass(&mut self) {
        if self.0.elapsed() >= TURN {
            tokio::task::yield_now().await;
            self.begin();
        }
    }

    /// The session has slept: the others had their turn.
    pub(super) fn begin(&mut self) {
        self.0 = Instant::now();
    }
}

/// What a session has learned of one of its peers.
#[derive(Debug)]
pub(super) struct Looks(BusyPoll);

impl Default for Looks {
    fn default() -> Self {
        Self(BusyPoll::new(LIMIT))
    }
}

impl Looks {
    /// What the peer says came so long after the session began to sleep for it.
    pub(super) fn slept(&mut self, elapsed: Duration) {
        self.0.slept(elapsed);
    }

    /// Looks for what the peer says next, if that is likely to come at once and no more than `own` sessions are
    /// at work; whether something has come.
    pub(super) fn look<R, W, D>(
        &mut self,
        peer: &mut Buffered<R, W, D>,
        at_work: &AtWork,
        own: usize,
    ) -> io::Result<bool>
    where
        R: AsyncRead + Glance + Unpin,
        W: AsyncWrite + Unpin,
        D: Decoder,
    {
        if at_work.count() > own || !self.0.begin(None) {
            return Ok(false);
        }
        let began = Instant::now();
        loop {
            thread::yield_now();
            if peer.glance()? {
                self.0.something(began.elapsed());
                return Ok(true);
            }
            if !self.0.nothing(began.elapsed()) || at_work.count() > own {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kecoa_proto::frame::MAX_MESSAGE;
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;

    use super::super::messages::{Messages, Stream};
    use super::*;

    #[tokio::test]
    async fn only_one_who_is_alone_looks() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (reader, writer) = ours.into_split();
        let mut peer = Stream::new(reader, writer, Messages::up_to(MAX_MESSAGE));
        let (at_work, mut looks) = (AtWork::default(), Looks::default());
        theirs.write_all(b"Z\0\0\0\x05I").await.unwrap();
        let own = at_work.enter();
        let other = at_work.enter();
        for _ in 0..100 {
            assert!(!looks.look(&mut peer, &at_work, 1).unwrap(), "another is at work");
        }
        drop(other);
        for _ in 0..64 {
            assert!(!looks.look(&mut peer, &at_work, 1).unwrap(), "the first ones are slept for");
        }
        assert!(looks.look(&mut peer, &at_work, 1).unwrap());
        assert_eq!(peer.message().unwrap().unwrap().tag, b'Z');
        drop(own);
        assert_eq!(at_work.count(), 0);
    }
}
