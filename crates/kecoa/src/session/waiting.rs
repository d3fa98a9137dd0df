//! Waiting, and what ends it early: the hook, a limit on results, a server that goes on regardless.

use std::io;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use kecoa_proto::RequestId;

use super::cancelled::{Cancelled, Why};
use super::core::Session;
use super::mode::CopyPolicy;
use crate::error::Error;
use crate::interrupt::{Interrupt, Never};
use crate::net::wait::{TICK, is_pause};

/// How long a cancelled request may take to end before the connection is given up.
const CANCEL_TIMEOUT: Duration =
    if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(10) };

impl Session {
    /// Whether the current request was cancelled by its hook; asked once, when it is over.
    pub(crate) fn take_cancelled(&mut self) -> bool {
        self.cancelled.take().is_some_and(|cancelled| cancelled.why == Why::Interrupted)
    }

    /// Whether the request under way was cancelled, and is only waited for.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.is_some()
    }

    /// The error of a request whose results were too large; asked once, when it is over.
    pub(crate) fn take_excess(&mut self, request: RequestId) -> Option<Error> {
        let held = self.budget.take_exceeded(request)?;
        self.cancelled = None;
        Some(Error::result_too_large(self.budget.limit().unwrap_or_default(), held))
    }

    /// Whether the results of the request under way have become too large and nothing was done
    /// about it: asked once, by an entry point that waits by itself, and cancels it then.
    pub(crate) fn excess_to_cancel(&mut self) -> bool {
        self.connection.pending() == 1 && self.excess.take().is_some()
    }

    /// Has a request whose results are too large cancelled. Behind it in a pipeline there may be
    /// others that the cancel request would hit: then its rows are only dropped as they come.
    pub(super) fn stop_excess(&mut self) -> Result<(), Error> {
        let Some(request) = self.excess else { return Ok(()) };
        if !self.excess_to_cancel() || self.cancelled.is_some() {
            return Ok(());
        }
        self.ask_to_cancel(Why::Excess(request), &mut Never)
    }

    /// The stream takes nothing more. A server that is itself blocked on writing reads no further:
    /// takes what it says, or both sides would wait for each other.
    pub(super) fn receive_or_wait(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        if self.take_in(CopyPolicy::Keep)? {
            self.check_hook_if_due(hook)
        } else {
            self.check_hook(hook)
        }
    }

    /// Reads once; a read that gave up waiting is no error.
    pub(super) fn receive(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        let timeout = match self.cancelled {
            None => hook.timeout().filter(|left| *left < TICK),
            Some(_) => None,
        };
        let read = self.first_bytes(timeout);
        match read {
            Ok(0) => Err(self.lost(None)),
            Ok(count) => {
                self.metrics.received(count);
                self.check_hook_if_due(hook)
            }
            Err(error) if is_pause(&error) => self.check_hook(hook),
            Err(error) => Err(self.lost(Some(error))),
        }
    }

    /// Reads once. The first bytes of an answer are looked for, for a moment, where that is likely to spare a
    /// sleep; what comes behind them comes as fast as the server makes it.
    fn first_bytes(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        if !std::mem::take(&mut self.asked) || !self.busy_poll.is_on() {
            return self.sleep(timeout);
        }
        if self.busy_poll.begin(timeout) {
            return self.look().unwrap_or_else(|| self.sleep(timeout));
        }
        let began = Instant::now();
        let read = self.sleep(timeout);
        if read.is_ok() {
            self.busy_poll.slept(began.elapsed());
        }
        read
    }

    fn sleep(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let hint = self.connection.read_hint();
        let buffer = self.connection.read_buffer();
        match timeout {
            Some(left) => self.wire.read_within(buffer, left),
            None => self.wire.read_into(buffer, hint),
        }
    }

    /// Looks at the socket without sleeping; nothing when it was in vain. A signal that comes meanwhile is
    /// noticed as one that comes just before a sleep is: when the answer is there, or at the next tick.
    fn look(&mut self) -> Option<io::Result<usize>> {
        let began = Instant::now();
        loop {
            thread::yield_now();
            match self.wire.try_read_into(self.connection.read_buffer()) {
                Err(error) if is_pause(&error) => {
                    if !self.busy_poll.nothing(began.elapsed()) {
                        return None;
                    }
                }
                read => {
                    self.busy_poll.something(began.elapsed());
                    return Some(read);
                }
            }
        }
    }

    /// Looks at the hook now and then while data keeps coming: a server that never falls silent must
    /// not keep the caller from leaving.
    pub(super) fn check_hook_if_due(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        let Some(hook_checked) = self.hook_checked else {
            // Most requests are answered by one read: they need no clock.
            if std::mem::replace(&mut self.has_read, true) {
                self.hook_checked = Some(Instant::now());
            }
            return Ok(());
        };
        let due =
            hook_checked.elapsed() >= TICK || hook.timeout().is_some_and(|left| left.is_zero());
        if due { self.check_hook(hook) } else { Ok(()) }
    }

    /// Looks at the hook; on a break, asks the server to cancel, once.
    pub(super) fn check_hook(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        self.hook_checked = Some(Instant::now());
        if let Some(cancelled) = self.cancelled {
            return self.wait_on(cancelled, hook);
        }
        if hook.check().is_continue() {
            Ok(())
        } else if hook.gives_up() {
            self.give_up();
            Err(self.stopped(Why::Interrupted, "the connection was closed").and_lost())
        } else {
            self.ask_to_cancel(Why::Interrupted, hook)
        }
    }

    /// A cancelled request may take a while to end, and no longer.
    fn wait_on(&mut self, cancelled: Cancelled, hook: &mut dyn Interrupt) -> Result<(), Error> {
        let what = if hook.gives_up() && hook.check().is_break() {
            "the connection was closed before the server had ended the request".to_owned()
        } else if cancelled.since.elapsed() >= CANCEL_TIMEOUT {
            not_ended(CANCEL_TIMEOUT)
        } else {
            return Ok(());
        };
        self.give_up();
        let error = self.stopped(cancelled.why, &what);
        Err(self.given_up(error))
    }

    fn ask_to_cancel(&mut self, why: Why, hook: &mut dyn Interrupt) -> Result<(), Error> {
        let mut gives_up = || match hook.gives_up() {
            true => hook.check(),
            false => ControlFlow::Continue(()),
        };
        let cancelled = match self.connection.cancel_key() {
            Some(key) => self.cancel.cancel(key, &mut gives_up),
            None => Err(Error::connect("the server gave no key to cancel with")),
        };
        match cancelled {
            Ok(()) => {
                self.cancelled = Some(Cancelled { since: Instant::now(), why });
                Ok(())
            }
            Err(error) => {
                self.give_up();
                let what = "the request could not be cancelled, so the connection was closed";
                let error = self.stopped(why, what).with_source(error);
                Err(self.given_up(error))
            }
        }
    }

    fn stopped(&mut self, why: Why, what: &str) -> Error {
        let excess = match why {
            Why::Interrupted => None,
            Why::Excess(request) => self.take_excess(request),
        };
        match excess {
            Some(error) => {
                let message = format!("{error}; {what}");
                error.with_message(message)
            }
            None => Error::interrupted(format!("interrupted: {what}")),
        }
    }

    /// The error of a request that was given up with its connection.
    fn given_up(&self, error: Error) -> Error {
        self.in_flight.lost(&self.connection, error.and_lost())
    }
}

fn not_ended(timeout: Duration) -> String {
    format!(
        "the server did not end the request within {timeout:?} of being asked to cancel it, so \
         the connection was closed"
    )
}
