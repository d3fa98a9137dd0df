//! A connection in the making, for callers that wait for sockets by themselves.

use std::fmt;
use std::ops::ControlFlow;
use std::os::fd::RawFd;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::client::Client;
use crate::config::Config;
use crate::error::Error;
use crate::interrupt::{Interrupt, Readiness};

/// A connection that is being made, step by step: [`advance`](Connecting::advance) never waits for
/// the server, and says what the socket must be before the next step.
///
/// Connecting is the same as [`Client::connect`], on a thread of its own that stands still between
/// two steps. Host names are resolved within a step. Dropping it gives the connection up.
pub struct Connecting {
    socket: Option<RawFd>,
    resume: Option<SyncSender<()>>,
    news: Receiver<News>,
    first: Option<News>,
}

/// What the thread says when it stands still.
enum News {
    Parked(RawFd, Readiness),
    Over(Box<Result<Client, Error>>),
}

/// Where a connection in the making is.
#[derive(Debug)]
pub enum Stage {
    /// To be advanced when the socket is ready.
    Waiting(Readiness),
    /// Made.
    Ready(Box<Client>),
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// The connecting thread's hook: stops at each wait until the caller resumes it.
struct Gate {
    news: SyncSender<News>,
    resumed: Receiver<()>,
}

impl Interrupt for Gate {
    fn check(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn parks(&self) -> bool {
        true
    }

    fn park_within(
        &mut self,
        socket: RawFd,
        wanted: Readiness,
        limit: Option<Duration>,
        wake: &mut dyn FnMut(),
    ) -> ControlFlow<()> {
        // The other end is gone when the caller has lost interest.
        if self.news.send(News::Parked(socket, wanted)).is_err() {
            return ControlFlow::Break(());
        }
        let resumed = match limit {
            Some(limit) => match self.resumed.recv_timeout(limit) {
                Err(RecvTimeoutError::Timeout) => {
                    // The caller waits for the socket and for nothing else.
                    wake();
                    self.resumed.recv().is_ok()
                }
                resumed => resumed.is_ok(),
            },
            None => self.resumed.recv().is_ok(),
        };
        if resumed { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl Connecting {
    /// Begins to connect, up to the first wait.
    ///
    /// # Errors
    /// As [`Client::connect`], for what fails at once; [`ErrorKind::Io`](crate::ErrorKind::Io) when
    /// no thread can be had.
    pub fn start(config: &Config) -> Result<Connecting, Error> {
        let (resume, resumed) = sync_channel(1);
        let (say, news) = sync_channel(1);
        let config = config.clone();
        thread::Builder::new()
            .name("kecoa-connecting".to_owned())
            .spawn(move || {
                let mut gate = Gate { news: say, resumed };
                let connected = Client::connect_with(&config, &mut gate);
                // Nobody listens any more: the client is dropped, which closes the connection.
                let _ = gate.news.send(News::Over(Box::new(connected)));
            })
            .map_err(|error| Error::io("no thread to connect on", error))?;
        let mut connecting = Connecting { socket: None, resume: Some(resume), news, first: None };
        match connecting.listen()? {
            News::Over(over) => match *over {
                Ok(client) => connecting.first = Some(News::Over(Box::new(Ok(client)))),
                Err(error) => return Err(error),
            },
            parked @ News::Parked(..) => connecting.first = Some(parked),
        }
        Ok(connecting)
    }

    fn listen(&mut self) -> Result<News, Error> {
        let news = self
            .news
            .recv()
            .map_err(|_| Error::connect("the connection is not being made any more"))?;
        self.socket = match &news {
            News::Parked(socket, _) => Some(*socket),
            News::Over(over) => over.as_ref().as_ref().ok().and_then(Client::raw_fd),
        };
        Ok(news)
    }

    /// The socket to wait for. It may be another one after each step: there may be several hosts.
    #[must_use]
    pub fn socket(&self) -> Option<RawFd> {
        self.socket
    }

    /// Goes on as far as it goes without waiting for the server.
    ///
    /// # Errors
    /// As [`Client::connect`]; the connection cannot be advanced any more then.
    pub fn advance(&mut self) -> Result<Stage, Error> {
        let news = match self.first.take() {
            Some(news) => news,
            None => {
                if let Some(resume) = &self.resume {
                    let _ = resume.send(());
                }
                self.listen()?
            }
        };
        match news {
            News::Parked(_, wanted) => Ok(Stage::Waiting(wanted)),
            News::Over(over) => {
                self.resume = None;
                over.map(|client| Stage::Ready(Box::new(client)))
            }
        }
    }
}
