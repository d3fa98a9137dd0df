//! What the rules ask of the pool around them, and the words of both.

use std::time::Duration;

/// The number of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// The number of one who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u64);

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It came back unusable.
    Broken,
    /// It failed the check before it was checked out.
    Check,
    /// The pool is closed.
    Close,
    /// It was there before a [`drain`](super::Core::drain).
    Drain,
    /// It was not used for [`max_idle`](crate::pool::Settings::max_idle).
    Idle,
    /// It was dropped without coming back.
    Leak,
    /// It was as old as [`max_lifetime`](crate::pool::Settings::max_lifetime) allows.
    Lifetime,
    /// It was found ended while it was idle.
    Lost,
    /// It could not be made ready for its next user.
    Reset,
    /// The pool became smaller.
    Resize,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 10] = [
        Reason::Broken,
        Reason::Check,
        Reason::Close,
        Reason::Drain,
        Reason::Idle,
        Reason::Leak,
        Reason::Lifetime,
        Reason::Lost,
        Reason::Reset,
        Reason::Resize,
    ];

    /// The reason in one word, for figures.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Broken => "broken",
            Reason::Check => "check",
            Reason::Close => "close",
            Reason::Drain => "drain",
            Reason::Idle => "idle",
            Reason::Leak => "leak",
            Reason::Lifetime => "lifetime",
            Reason::Lost => "lost",
            Reason::Reset => "reset",
            Reason::Resize => "resize",
        }
    }
}

/// What became of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server is there and does not serve now (57P03, 53300).
    Busy,
    /// No answer, or the end of the connection.
    Unreachable,
    /// It will not get better by itself.
    Final,
}

/// Why a waiter is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The pool is closed.
    Closed,
    /// [`max_waiting`](crate::pool::Settings::max_waiting) wait already.
    Full,
}

/// What the pool around the core has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect; then call [`Core::opened`](super::Core::opened) or [`Core::open_failed`](super::Core::open_failed).
    Open(ConnId),
    /// Look at a connection before it is checked out, by a round trip when `ask`; then call
    /// [`Core::checked`](super::Core::checked).
    Check {
        /// The connection.
        conn: ConnId,
        /// Whom it is for.
        waiter: WaiterId,
        /// Whether a look at the socket is not enough.
        ask: bool,
    },
    /// The connection is the waiter's, until [`Core::release`](super::Core::release).
    Grant {
        /// Who gets it.
        waiter: WaiterId,
        /// The connection.
        conn: ConnId,
    },
    /// The waiter's time is up.
    Expire(WaiterId),
    /// The waiter is told why the connection could not be opened.
    Fail {
        /// Who is told.
        waiter: WaiterId,
        /// The connection that is not.
        conn: ConnId,
    },
    /// The waiter is turned away.
    Refuse {
        /// Who is turned away.
        waiter: WaiterId,
        /// Why.
        why: Refusal,
    },
    /// Close the connection: the pool has forgotten it.
    Close {
        /// The connection.
        conn: ConnId,
        /// Why.
        reason: Reason,
    },
    /// See whether an idle connection has ended, and if so call [`Core::lost`](super::Core::lost).
    Look(ConnId),
    /// The connection has been checked out for longer than [`leak_after`](crate::pool::Settings::leak_after).
    Leak {
        /// The connection.
        conn: ConnId,
        /// For how long.
        held: Duration,
    },
}
