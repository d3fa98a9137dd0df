//! The sessions that this gateway knows, each with its open transaction.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::error::{Code, Error};

use super::id::SessionId;
use super::numbers::{Numbers, Phase};

/// How long a session lives without being used.
pub const SESSION_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// How long a transaction may be open, unless a parameter says otherwise.
pub const TRANSACTION_LIFETIME: Duration = Duration::from_secs(60);
const MOST_SESSIONS: usize = 1_000_000;

/// All sessions. `T` is the open transaction: its pinned connection and all that belongs to it.
#[derive(Debug)]
pub struct Sessions<T> {
    sessions: Mutex<HashMap<SessionId, Arc<Session<T>>>>,
}

/// One session.
#[derive(Debug)]
pub struct Session<T> {
    /// Which one.
    pub id: SessionId,
    used: Mutex<Instant>,
    state: Arc<AsyncMutex<State<T>>>,
}

/// What a session has come to. Whoever runs a statement with a number holds it.
#[derive(Debug)]
pub struct State<T> {
    /// The number, and what it stands for.
    pub numbers: Numbers,
    /// The open transaction, as soon as a statement has needed one.
    pub open: Option<T>,
    /// When the transaction began.
    pub since: Option<Instant>,
}

/// The state of a session while a command runs.
///
/// Dropped without [`settle`](Self::settle) the command was cut off in the middle: the transaction counts as
/// aborted, and what is open of it is dropped.
#[derive(Debug)]
pub struct Held<T> {
    state: OwnedMutexGuard<State<T>>,
    /// Whether the command commits or aborts, so that nobody knows what became of it.
    ends: bool,
    settled: bool,
}

impl<T> Default for Sessions<T> {
    fn default() -> Self {
        Self { sessions: Mutex::new(HashMap::new()) }
    }
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { numbers: Numbers::default(), open: None, since: None }
    }
}

impl<T> Sessions<T> {
    /// The session, made on first sight; it counts as used now.
    ///
    /// # Errors
    /// 261 when there are a million.
    pub fn touch(&self, id: SessionId, now: Instant) -> Result<Arc<Session<T>>, Error> {
        let mut sessions = self.lock();
        if let Some(session) = sessions.get(&id) {
            session.use_at(now);
            return Ok(session.clone());
        }
        if sessions.len() >= MOST_SESSIONS {
            return Err(Error::new(
                Code::location(261),
                "cannot add session into the cache: there are too many, TooManyLogicalSessions",
            ));
        }
        let session = Arc::new(Session { id, used: Mutex::new(now), state: Arc::default() });
        sessions.insert(id, session.clone());
        Ok(session)
    }

    /// The session, if it is known.
    #[must_use]
    pub fn get(&self, id: &SessionId) -> Option<Arc<Session<T>>> {
        self.lock().get(id).cloned()
    }

    /// All that are known.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Session<T>>> {
        self.lock().values().cloned().collect()
    }

    /// How many are known.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Forgets a session and hands it over, so that its transaction can be aborted.
    #[must_use]
    pub fn end(&self, id: &SessionId) -> Option<Arc<Session<T>>> {
        self.lock().remove(id)
    }

    /// Forgets the sessions that were not used for long, and hands them over.
    #[must_use]
    pub fn expire(&self, now: Instant) -> Vec<Arc<Session<T>>> {
        let mut sessions = self.lock();
        let expired: Vec<_> = sessions
            .values()
            .filter(|session| now.saturating_duration_since(session.used()) > SESSION_TIMEOUT)
            .filter(|session| Arc::strong_count(session) == 1)
            .cloned()
            .collect();
        for session in &expired {
            sessions.remove(&session.id);
        }
        expired
    }

    /// Takes the open transactions that are older than `lifetime`; their sessions count them as aborted. One
    /// that runs a statement is left for the next time.
    #[must_use]
    pub fn overdue(&self, now: Instant, lifetime: Duration) -> Vec<T> {
        let sessions = self.all();
        sessions.iter().filter_map(|session| session.overdue(now, lifetime)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Arc<Session<T>>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Session<T> {
    /// When it was last used.
    #[must_use]
    pub fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is used now.
    pub fn use_at(&self, now: Instant) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Waits until no other statement holds the state, and takes it.
    pub async fn lock(&self) -> OwnedMutexGuard<State<T>> {
        self.state.clone().lock_owned().await
    }

    /// The same for a command; `ends` if it commits or aborts.
    pub async fn hold(&self, ends: bool) -> Held<T> {
        Held { state: self.lock().await, ends, settled: false }
    }

    /// Takes the state, unless a statement holds it.
    #[must_use]
    pub fn try_lock(&self) -> Option<OwnedMutexGuard<State<T>>> {
        self.state.clone().try_lock_owned().ok()
    }

    fn overdue(&self, now: Instant, lifetime: Duration) -> Option<T> {
        let mut state = self.try_lock()?;
        let since = state.since?;
        if now.saturating_duration_since(since) < lifetime {
            return None;
        }
        state.abort()
    }
}

impl<T> Held<T> {
    /// The command has come to its end: the state is right.
    pub fn settle(&mut self) {
        self.settled = true;
    }
}

impl<T> Deref for Held<T> {
    type Target = State<T>;

    fn deref(&self) -> &State<T> {
        &self.state
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut State<T> {
        &mut self.state
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if self.settled || self.state.numbers.phase() != Phase::InProgress {
            return;
        }
        drop(self.state.abort());
        if self.ends {
            self.state.numbers.lost();
        }
    }
}

impl<T> State<T> {
    /// Counts the transaction as aborted, and hands over what is open of it.
    pub fn abort(&mut self) -> Option<T> {
        if self.numbers.phase() == Phase::InProgress {
            let number = self.numbers.number();
            self.numbers.aborted(number);
        }
        self.since = None;
        self.open.take()
    }

    /// Counts the transaction as committed.
    pub fn commit(&mut self, number: i64) {
        self.numbers.committed(number);
        self.since = None;
        self.open = None;
    }
}
