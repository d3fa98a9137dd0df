//! Cursors between two commands.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Code, Error};
use crate::interrupt::{Interrupt, Reason};

use super::id::SessionId;

/// How long a cursor lives without being read, unless a parameter says otherwise.
pub const CURSOR_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// The open cursors. `C` is what a cursor reads from.
///
/// Ids are positive and random below the number of the gateway, so that no two gateways give out the same.
#[derive(Debug)]
pub struct Cursors<C> {
    gateway: u16,
    cursors: Mutex<HashMap<i64, Place<C>>>,
}

/// To whom a cursor belongs, and what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorOwner {
    /// `database.collection`.
    pub namespace: String,
    /// The user, `None` when nobody is logged in.
    pub user: Option<String>,
    /// The session that opened it.
    pub session: Option<SessionId>,
    /// The number of the transaction that opened it.
    pub transaction: Option<i64>,
    /// Whether it lives until its session ends.
    pub no_timeout: bool,
    /// Whether it is a change stream, which outlives what it watches.
    pub watches: bool,
}

/// Who reads a cursor on.
#[derive(Clone, Copy, Debug)]
pub struct CursorUser<'a> {
    /// `database.collection`.
    pub namespace: &'a str,
    /// The user.
    pub user: Option<&'a str>,
    /// The session.
    pub session: Option<SessionId>,
    /// The number of the transaction.
    pub transaction: Option<i64>,
}

/// What killCursors says of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// It is gone.
    Killed,
    /// There is none of this id.
    NotFound,
    /// It belongs to another user or collection.
    Alive,
}

#[derive(Debug)]
struct Place<C> {
    owner: CursorOwner,
    used: Instant,
    /// `None` while a command reads it.
    cursor: Option<C>,
    killed: bool,
    /// Stops the command that reads it.
    interrupt: Interrupt,
}

impl<C> Cursors<C> {
    /// No cursor yet. `gateway` is in the upper bits of every id.
    #[must_use]
    pub fn new(gateway: u16) -> Self {
        Self { gateway, cursors: Mutex::default() }
    }

    /// Keeps a cursor, and gives its id.
    pub fn open(&self, cursor: C, owner: CursorOwner, now: Instant) -> i64 {
        let mut cursors = self.lock();
        loop {
            let low = i64::from(fastrand::u32(1..)) << 16 | i64::from(fastrand::u16(..));
            let id = i64::from(self.gateway & 0x7fff) << 48 | low;
            if let Entry::Vacant(place) = cursors.entry(id) {
                place.insert(Place {
                    owner,
                    used: now,
                    cursor: Some(cursor),
                    killed: false,
                    interrupt: Interrupt::default(),
                });
                return id;
            }
        }
    }

    /// Takes a cursor to read from it; no other command can until [`check_in`](Self::check_in) or
    /// [`close`](Self::close).
    ///
    /// # Errors
    /// 43 when there is none, 12051 when another command reads it, 13 for another user, 50738 for another session or none,
    /// 50741 for another transaction, 13 for another collection.
    pub fn check_out(&self, id: i64, by: CursorUser<'_>) -> Result<(C, CursorOwner), Error> {
        let mut cursors = self.lock();
        let place =
            cursors.get_mut(&id).filter(|place| !place.killed).ok_or_else(|| not_found(id))?;
        place.owner.admit(id, by)?;
        let cursor = place.cursor.take().ok_or_else(|| {
            Error::new(Code::CURSOR_IN_USE, format!("cursor id {id} is already in use"))
        })?;
        Ok((cursor, place.owner.clone()))
    }

    /// Says what stops the command that has taken a cursor, should that be killed.
    pub fn is_read_by(&self, id: i64, interrupt: &Interrupt) {
        if let Some(place) = self.lock().get_mut(&id) {
            place.interrupt = interrupt.clone();
        }
    }

    /// Gives a cursor back that was taken. If it was killed meanwhile, it is handed over to be closed.
    #[must_use]
    pub fn check_in(&self, id: i64, cursor: C, now: Instant) -> Option<C> {
        let mut cursors = self.lock();
        match cursors.entry(id) {
            Entry::Occupied(mut entry) if !entry.get().killed => {
                let place = entry.get_mut();
                place.used = now;
                place.interrupt = Interrupt::default();
                place.cursor = Some(cursor);
                None
            }
            Entry::Occupied(entry) => {
                entry.remove();
                Some(cursor)
            }
            Entry::Vacant(_) => Some(cursor),
        }
    }

    /// Forgets a cursor that was taken and has no more.
    pub fn close(&self, id: i64) {
        self.lock().remove(&id);
    }

    /// Kills a cursor, if it belongs to this user and collection.
    pub fn kill(&self, id: i64, namespace: &str, user: Option<&str>) -> (Killed, Option<C>) {
        let mut cursors = self.lock();
        match cursors.get(&id) {
            None => (Killed::NotFound, None),
            Some(place) if place.killed => (Killed::NotFound, None),
            Some(place)
                if place.owner.user.as_deref() != user || place.owner.namespace != namespace =>
            {
                (Killed::Alive, None)
            }
            Some(_) => (Killed::Killed, remove(&mut cursors, id)),
        }
    }

    /// Kills all cursors that `which` names, and hands over those that no command reads.
    pub fn kill_where(&self, which: impl Fn(&CursorOwner) -> bool) -> Vec<C> {
        let mut cursors = self.lock();
        let ids: Vec<_> =
            cursors.iter().filter(|(_, place)| which(&place.owner)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| remove(&mut cursors, id)).collect()
    }

    /// Takes the cursors that were not read for longer than `timeout`.
    #[must_use]
    pub fn expire(&self, now: Instant, timeout: Duration) -> Vec<C> {
        let mut cursors = self.lock();
        let idle = |place: &Place<C>| {
            place.cursor.is_some()
                && !place.owner.no_timeout
                && place.owner.transaction.is_none()
                && now.saturating_duration_since(place.used) > timeout
        };
        let ids: Vec<_> =
            cursors.iter().filter(|(_, place)| idle(place)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| remove(&mut cursors, id)).collect()
    }

    /// Whether a cursor is a change stream.
    #[must_use]
    pub fn watches(&self, id: i64) -> bool {
        self.lock().get(&id).is_some_and(|place| place.owner.watches)
    }

    /// Whether a cursor that is read was killed meanwhile.
    #[must_use]
    pub fn is_killed(&self, id: i64) -> bool {
        self.lock().get(&id).is_none_or(|place| place.killed)
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Place<C>>> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CursorOwner {
    fn admit(&self, id: i64, by: CursorUser<'_>) -> Result<(), Error> {
        if self.user.as_deref() != by.user {
            let message = format!("cursor id {id} was not created by the authenticated user");
            return Err(Error::new(Code::UNAUTHORIZED, message));
        }
        if self.namespace != by.namespace {
            let (asked, owned) = (by.namespace, &self.namespace);
            let message = format!(
                "Requested getMore on namespace '{asked}', but cursor belongs to a different namespace {owned}"
            );
            return Err(Error::new(Code::UNAUTHORIZED, message));
        }
        match (self.session, by.session) {
            (owned, asked) if owned == asked => {}
            (Some(_), None) => {
                let message = format!(
                    "Cannot run getMore on cursor {id}, which was created in a session, without an lsid"
                );
                return Err(Error::location(50738, message));
            }
            _ => {
                let message = format!(
                    "Cannot run getMore on cursor {id}, which was created in another session"
                );
                return Err(Error::location(50738, message));
            }
        }
        if self.transaction == by.transaction {
            return Ok(());
        }
        let message =
            format!("Cannot run getMore on cursor {id}, which was created in another transaction");
        Err(Error::location(50741, message))
    }
}

/// 43.
#[must_use]
pub fn not_found(id: i64) -> Error {
    Error::new(Code::CURSOR_NOT_FOUND, format!("cursor id {id} not found"))
}

fn remove<C>(cursors: &mut HashMap<i64, Place<C>>, id: i64) -> Option<C> {
    let place = cursors.get_mut(&id)?;
    match place.cursor.take() {
        Some(cursor) => {
            cursors.remove(&id);
            Some(cursor)
        }
        None => {
            place.killed = true;
            place.interrupt.stop(Reason::CursorKilled);
            None
        }
    }
}
