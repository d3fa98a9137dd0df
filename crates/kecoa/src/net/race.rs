//! Connecting to one of several addresses of a host: the first that connects wins.
//!
//! As in RFC 8305 ("Happy Eyeballs"), section 5: an address that does not answer holds the next one
//! up for a quarter of a second only, and goes on trying beside it. One thread waits for all.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::Socket;

use super::address::Address;
use super::deadline::{Clock, Deadline};
use super::dial::{self, Dialled};
use super::failure::{Failures, Place};
use super::socket::PlainSocket;
use super::wait::{Stop, TICK, Wait};
use crate::config::{Config, Target};
use crate::error::Error;
use crate::interrupt::Interrupt;

/// How long an address has for itself before the next is tried beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The addresses of one host that are still to be tried.
pub(super) struct Race<'a> {
    config: &'a Config,
    target: &'a Target,
    clock: Clock,
    waiting: VecDeque<Address>,
    under_way: Vec<Attempt>,
    begun: Option<Instant>,
}

/// A connection that the other side has not taken yet.
struct Attempt {
    address: Address,
    socket: Socket,
    deadline: Option<Deadline>,
}

/// A socket that is connected, and until when the rest must be done.
pub(super) struct Winner {
    pub(super) address: Address,
    pub(super) socket: PlainSocket,
    pub(super) deadline: Option<Deadline>,
}

impl<'a> Race<'a> {
    pub(super) fn new(
        config: &'a Config,
        target: &'a Target,
        clock: Clock,
        addresses: Vec<Address>,
    ) -> Race<'a> {
        Race {
            config,
            target,
            clock,
            waiting: addresses.into(),
            under_way: Vec::new(),
            begun: None,
        }
    }

    /// The next address that connects; nothing when none is left. What became of the others is
    /// added to `failures`; those that had not answered by then are still in the race.
    ///
    /// # Errors
    ///
    /// When the time for all hosts is over, or the hook asked to stop.
    pub(super) fn next(
        &mut self,
        hook: &mut dyn Interrupt,
        failures: &mut Failures,
    ) -> Result<Option<Winner>, Error> {
        // One that parks waits for one socket: its addresses are tried one after the other. So are
        // unix sockets, which connect at once or not at all.
        let one_by_one = hook.parks() || self.target.is_unix();
        loop {
            while self.may_begin(one_by_one) {
                if let Some(winner) = self.begin(one_by_one, hook, failures)? {
                    return Ok(Some(self.won(winner)));
                }
            }
            if self.under_way.is_empty() {
                return Ok(None);
            }
            if let Some(winner) = self.listen(hook, failures)? {
                return Ok(Some(self.won(winner)));
            }
            self.expire(failures)?;
        }
    }

    fn may_begin(&self, one_by_one: bool) -> bool {
        let waited = self.begun.is_none_or(|begun| begun.elapsed() >= ATTEMPT_DELAY);
        !self.waiting.is_empty() && (one_by_one || self.under_way.is_empty() || waited)
    }

    /// Those that lost may be needed, should the winner turn out not to be usable.
    fn won(&mut self, winner: Winner) -> Winner {
        for attempt in self.under_way.drain(..).rev() {
            self.waiting.push_front(attempt.address);
        }
        self.begun = None;
        winner
    }

    fn begin(
        &mut self,
        one_by_one: bool,
        hook: &mut dyn Interrupt,
        failures: &mut Failures,
    ) -> Result<Option<Winner>, Error> {
        let Some(address) = self.waiting.pop_front() else { return Ok(None) };
        let deadline = self.clock.deadline();
        self.begun = Some(Instant::now());
        if one_by_one {
            let mut wait = Wait::new(deadline, hook);
            return match dial::dial(&address, self.config, &mut wait) {
                Ok(socket) => Ok(Some(Winner { address, socket, deadline })),
                Err(stop) => self.failed(&address, stop, failures).map(|()| None),
            };
        }
        let Address::Tcp(to) = &address else { return Ok(None) };
        match dial::begin_tcp(*to, self.config) {
            Ok(Dialled::Connected(socket)) => {
                let socket = PlainSocket::Tcp(socket);
                Ok(Some(Winner { address, socket, deadline }))
            }
            Ok(Dialled::UnderWay(socket)) => {
                self.under_way.push(Attempt { address, socket, deadline });
                Ok(None)
            }
            Err(error) => self.failed(&address, error.into(), failures).map(|()| None),
        }
    }

    /// Notes why an address failed, unless that ends the search.
    fn failed(
        &mut self,
        address: &Address,
        stop: Stop,
        failures: &mut Failures,
    ) -> Result<(), Error> {
        // An attempt that has failed needs no more time for itself.
        self.begun = None;
        failures.take(stop.into_failure(&Place { target: self.target, address }))
    }

    /// Waits until an attempt is decided, or it is time for something else.
    fn listen(
        &mut self,
        hook: &mut dyn Interrupt,
        failures: &mut Failures,
    ) -> Result<Option<Winner>, Error> {
        let pause = Timespec::try_from(self.pause()).map_err(|_| Error::connect("no such time"))?;
        let mut polled: Vec<PollFd<'_>> = self
            .under_way
            .iter()
            .map(|attempt| PollFd::new(&attempt.socket, PollFlags::OUT))
            .collect();
        let ready: Vec<bool> = match rustix::event::poll(&mut polled, Some(&pause)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {
                if hook.check().is_break() {
                    return Err(Error::interrupted("interrupted while connecting"));
                }
                return Ok(None);
            }
            Ok(_) => polled.iter().map(|fd| !fd.revents().is_empty()).collect(),
            Err(error) => return Err(Error::connect(error.to_string())),
        };
        // From behind, so that what is taken out does not move what is still to be looked at; of
        // two that are ready at once the one that began earlier wins.
        let mut winner = None;
        for (index, _) in ready.iter().enumerate().filter(|(_, ready)| **ready).rev() {
            let decided = match self.under_way.get(index) {
                Some(attempt) => dial::finish_tcp(&attempt.socket),
                None => continue,
            };
            let attempt = self.under_way.remove(index);
            match decided {
                Ok(()) => {
                    let Attempt { address, socket, deadline } = attempt;
                    let socket = PlainSocket::Tcp(socket.into());
                    let earlier = winner.replace(Winner { address, socket, deadline });
                    self.waiting.extend(earlier.map(|later| later.address));
                }
                Err(error) => self.failed(&attempt.address, error.into(), failures)?,
            }
        }
        Ok(winner)
    }

    /// How long nothing else is to be done.
    fn pause(&self) -> Duration {
        let now = Instant::now();
        let turn = match (self.begun, self.waiting.is_empty()) {
            (Some(begun), false) => ATTEMPT_DELAY.saturating_sub(now.duration_since(begun)),
            _ => TICK,
        };
        let deadlines = self.under_way.iter().filter_map(|attempt| attempt.deadline);
        deadlines
            .map(|deadline| deadline.at.duration_since(now))
            .fold(turn.min(TICK), Duration::min)
            .max(Duration::from_millis(1))
    }

    /// Gives up the attempts whose time is over.
    fn expire(&mut self, failures: &mut Failures) -> Result<(), Error> {
        let now = Instant::now();
        let (over, going): (Vec<_>, Vec<_>) = self
            .under_way
            .drain(..)
            .partition(|attempt| attempt.deadline.is_some_and(|deadline| deadline.at <= now));
        self.under_way = going;
        for Attempt { address, deadline, .. } in over {
            if let Some(deadline) = deadline {
                self.failed(&address, Stop::TimedOut(deadline), failures)?;
            }
        }
        Ok(())
    }
}
