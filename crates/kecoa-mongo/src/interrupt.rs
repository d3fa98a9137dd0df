//! What stops work that nobody wants any more.
//!
//! Expressions, filters, updates and stages ask it between their steps. It has no clock: whoever knows that a time is
//! up, that a client has gone or that a command was killed says so here, from any thread.

mod sort;

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Code, Error};

/// Why work is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its client has gone.
    ClientGone,
    /// Its time is up.
    TimeUp,
    /// Its cursor was killed.
    CursorKilled,
    /// Somebody has ended it.
    Killed,
    /// The server stops.
    Shutdown,
}

/// A flag that work asks between its steps. Cheap to clone; the default is never set.
#[derive(Clone, Default)]
pub struct Interrupt(Option<Arc<Signal>>);

struct Signal {
    state: AtomicU8,
    make_room: fn(),
    followers: Mutex<Vec<Interrupt>>,
}

const GOING: u8 = 0;
/// It takes long: it is to make room for others, once.
const LONG: u8 = 1;
/// Where the reasons begin, as they are numbered.
const STOPPED: u8 = 2;

impl Reason {
    fn number(self) -> u8 {
        match self {
            Self::ClientGone => STOPPED,
            Self::TimeUp => STOPPED + 1,
            Self::CursorKilled => STOPPED + 2,
            Self::Killed => STOPPED + 3,
            Self::Shutdown => STOPPED + 4,
        }
    }

    fn of(number: u8) -> Option<Self> {
        [Self::ClientGone, Self::TimeUp, Self::CursorKilled, Self::Killed, Self::Shutdown]
            .into_iter()
            .find(|reason| reason.number() == number)
    }

    /// The error of work that is stopped.
    #[must_use]
    pub fn error(self) -> Error {
        let (code, text) = match self {
            Self::ClientGone => {
                (Code::CLIENT_DISCONNECT, "operation was interrupted: its client has gone")
            }
            Self::TimeUp => (Code::MAX_TIME_MS_EXPIRED, "operation exceeded time limit"),
            Self::CursorKilled => {
                (Code::CURSOR_KILLED, "operation was interrupted: its cursor was killed")
            }
            Self::Killed => (Code::INTERRUPTED, "operation was interrupted"),
            Self::Shutdown => {
                (Code::INTERRUPTED_AT_SHUTDOWN, "operation was interrupted: the server stops")
            }
        };
        Error::new(code, text)
    }
}

impl Interrupt {
    /// One that is not set. Work that takes long calls `make_room`, so that others find a thread.
    #[must_use]
    pub fn new(make_room: fn()) -> Self {
        Self(Some(Arc::new(Signal {
            state: AtomicU8::new(GOING),
            make_room,
            followers: Mutex::default(),
        })))
    }

    /// Go on?
    ///
    /// # Errors
    ///
    /// Why not: 50, 237, 279, 11600 or 11601.
    #[inline]
    pub fn check(&self) -> Result<(), Error> {
        match &self.0 {
            Some(signal) if signal.state.load(Ordering::Relaxed) != GOING => signal.called(),
            _ => Ok(()),
        }
    }

    /// Why work is stopped, if it is.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        Reason::of(self.0.as_ref()?.state.load(Ordering::Relaxed))
    }

    /// Stop the work. The first reason counts.
    pub fn stop(&self, reason: Reason) {
        self.raise(reason.number());
    }

    /// Have the work make room, for it takes long.
    pub fn is_long(&self) {
        self.raise(LONG);
    }

    /// Whatever is said to this one is said to `other`, too: a cursor's work follows the command that reads it. `other`
    /// forgets what it was told before.
    pub fn lead(&self, other: &Self) {
        let (Some(signal), Some(follower)) = (&self.0, &other.0) else { return };
        if Arc::ptr_eq(signal, follower) {
            return;
        }
        follower.state.store(GOING, Ordering::Relaxed);
        let mut followers = signal.followers.lock().unwrap_or_else(PoisonError::into_inner);
        if !followers.iter().any(|one| one.0.as_ref().is_some_and(|one| Arc::ptr_eq(one, follower)))
        {
            followers.push(other.clone());
        }
        follower.state.fetch_max(signal.state.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn raise(&self, to: u8) {
        let Some(signal) = &self.0 else { return };
        let next = |now: u8| (now < STOPPED && now < to).then_some(to);
        let _ = signal.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let followers = signal.followers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for follower in followers {
            follower.raise(to);
        }
    }
}

impl Signal {
    #[cold]
    fn called(&self) -> Result<(), Error> {
        let made = self.state.compare_exchange(LONG, GOING, Ordering::Relaxed, Ordering::Relaxed);
        match made {
            Ok(_) => {
                (self.make_room)();
                Ok(())
            }
            Err(state) => Reason::of(state).map_or(Ok(()), |reason| Err(reason.error())),
        }
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupt").field(&self.reason()).finish()
    }
}
