//! Waiting for a socket, with a time limit and the caller's interrupt hook.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::deadline::Deadline;
use crate::interrupt::{Interrupt, Readiness};

/// How long one read or write waits before the caller's hook is asked.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// How long to try, and the hook that is asked while trying.
pub(super) struct Wait<'a> {
    pub(super) deadline: Option<Deadline>,
    pub(super) hook: &'a mut dyn Interrupt,
    /// The socket that is waited for, once there is one.
    pub(super) socket: Option<RawFd>,
    /// The same, for a caller that waits by itself and is to be woken.
    waker: Option<OwnedFd>,
}

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub(super) enum Stop {
    Io(io::Error),
    TimedOut(Deadline),
    Interrupted,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

impl<'a> Wait<'a> {
    pub(super) fn new(deadline: Option<Deadline>, hook: &'a mut dyn Interrupt) -> Wait<'a> {
        Wait { deadline, hook, socket: None, waker: None }
    }

    /// From now on this socket is waited for.
    pub(super) fn watch(&mut self, socket: &impl AsFd) -> io::Result<()> {
        let socket = socket.as_fd();
        self.waker = match self.hook.parks() && self.deadline.is_some() {
            true => Some(socket.try_clone_to_owned()?),
            false => None,
        };
        self.socket = Some(socket.as_raw_fd());
        Ok(())
    }

    /// The socket is waited for no more.
    pub(super) fn unwatch(&mut self) {
        self.socket = None;
        self.waker = None;
    }

    /// Called when nothing has happened for a while or a signal came.
    pub(super) fn on_pause(&mut self) -> Result<(), Stop> {
        self.pause(Readiness::Readable)?;
        self.check_deadline()
    }

    /// Called when something has happened, without waiting: a peer that keeps us busy, a byte at a
    /// time or with notices without end, has no more time than a silent one.
    pub(super) fn on_progress(&mut self) -> Result<(), Stop> {
        if !self.hook.parks() && self.hook.check().is_break() {
            return Err(Stop::Interrupted);
        }
        self.check_deadline()
    }

    fn check_deadline(&self) -> Result<(), Stop> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline.at => Err(Stop::TimedOut(deadline)),
            _ => Ok(()),
        }
    }

    /// Asks the caller's hook, or lets the caller wait by itself.
    fn pause(&mut self, wanted: Readiness) -> Result<(), Stop> {
        let said = match self.socket {
            Some(socket) if self.hook.parks() => {
                let left = self
                    .deadline
                    .map(|deadline| deadline.at.saturating_duration_since(Instant::now()));
                let waker = self.waker.as_ref();
                let mut wake = || {
                    if let Some(socket) = waker {
                        // One that is not connected yet is woken, too, and says that it is not.
                        let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
                    }
                };
                self.hook.park_within(socket, wanted, left, &mut wake)
            }
            _ => self.hook.check(),
        };
        if said == ControlFlow::Break(()) { Err(Stop::Interrupted) } else { Ok(()) }
    }

    /// Tries until it works or fails, however often nothing happened within a tick.
    pub(super) fn until_done<T>(
        &mut self,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) -> Result<T, Stop> {
        loop {
            match attempt() {
                Err(error) if is_pause(&error) => self.on_pause()?,
                result => {
                    let done = result?;
                    self.on_progress()?;
                    return Ok(done);
                }
            }
        }
    }

    /// Waits until something can be written to the socket that is watched, or it has failed.
    pub(super) fn until_writable(&mut self, socket: &impl AsFd) -> Result<(), Stop> {
        loop {
            let tick = if self.hook.parks() {
                self.pause(Readiness::Writable)?;
                self.check_deadline()?;
                Duration::ZERO
            } else {
                self.tick()
            };
            let tick = Timespec::try_from(tick).map_err(io::Error::other)?;
            let mut polled = [PollFd::new(socket, PollFlags::OUT)];
            match rustix::event::poll(&mut polled, Some(&tick)) {
                Ok(0) | Err(rustix::io::Errno::INTR) if self.hook.parks() => {
                    self.check_deadline()?;
                }
                Ok(0) | Err(rustix::io::Errno::INTR) => self.on_pause()?,
                Ok(_) => return Ok(()),
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }

    /// How long the next wait may last.
    pub(super) fn tick(&self) -> Duration {
        let left = self.deadline.map(|deadline| deadline.at.duration_since(Instant::now()));
        left.map_or(TICK, |left| left.min(TICK)).max(Duration::from_millis(1))
    }
}

/// Whether an error only means "try again": nothing came within a tick, or a signal did. `TimedOut`
/// is none: the system has given the connection up.
pub(crate) fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
