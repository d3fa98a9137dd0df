//! The commands that run now: for currentOp and killOp, and for what stops them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;

use crate::interrupt::{Interrupt, Reason};
use crate::session::SessionId;

use super::connection::{Connection, Gone};
use super::timekeeper::{Watch, Watched};

/// How long a command runs before it is watched more closely.
const LONG: Duration = Duration::from_millis(50);

/// The commands that run now.
#[derive(Debug, Default)]
pub struct Operations {
    next: AtomicI32,
    watched: Arc<Watched<Operation>>,
}

/// A command that runs.
#[derive(Debug)]
pub struct Operation {
    /// Its number.
    pub id: i32,
    /// The command's name.
    pub command: &'static str,
    /// The database.
    pub database: String,
    /// The number of the connection.
    pub connection: i32,
    /// The session.
    pub session: Option<SessionId>,
    /// The user, as `name@database`.
    pub user: Option<String>,
    /// When it began.
    pub since: Instant,
    /// When its time is up.
    pub deadline: Option<Instant>,
    /// Stops what it computes.
    pub interrupt: Interrupt,
    /// Tells whether its client has gone, if that ends it.
    gone: Option<Gone>,
    /// Wakes it up to end.
    kill: Notify,
}

/// Takes the operation off the list when it is dropped.
#[derive(Debug)]
pub struct Listed<'a> {
    operations: &'a Operations,
    operation: Arc<Operation>,
}

impl Operations {
    /// Lists a command that begins. It ends with its client if that waits for it.
    pub fn begin(
        &self,
        command: &'static str,
        database: &str,
        session: Option<SessionId>,
        deadline: Option<Instant>,
        (client, waits): (&Connection, bool),
    ) -> Listed<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let operation = Arc::new(Operation {
            id,
            command,
            database: database.to_owned(),
            connection: client.id,
            session,
            user: client.user(),
            since: Instant::now(),
            deadline,
            interrupt: Interrupt::new(make_room),
            gone: client.gone.clone().filter(|_| waits),
            kill: Notify::new(),
        });
        self.watched.add(id, operation.clone());
        Listed { operations: self, operation }
    }

    /// All that run.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Operation>> {
        self.watched.lock().operations.values().cloned().collect()
    }

    /// How many run.
    #[must_use]
    pub fn count(&self) -> usize {
        self.watched.lock().operations.len()
    }

    /// Ends the commands that `which` names.
    pub fn kill(&self, which: impl Fn(&Operation) -> bool) {
        for operation in self.watched.lock().operations.values().filter(|one| which(one)) {
            operation.stop(Reason::Killed);
        }
    }

    /// Has all commands end from then on: those that run, and those that begin.
    pub fn shut_down(&self, at: Instant) {
        self.watched.lock().shutdown = Some(at);
    }
}

impl Operation {
    /// Whether it is about to end.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.interrupt.reason().is_some()
    }

    fn stop(&self, reason: Reason) {
        self.interrupt.stop(reason);
        self.kill.notify_one();
    }
}

impl Watch for Operation {
    fn look(&self, now: Instant, stops: bool) {
        if stops {
            return self.stop(Reason::Shutdown);
        }
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return self.interrupt.stop(Reason::TimeUp);
        }
        if now.saturating_duration_since(self.since) < LONG {
            return;
        }
        self.interrupt.is_long();
        if self.gone.as_ref().is_some_and(Gone::is_so) {
            self.stop(Reason::ClientGone);
        }
    }
}

impl Listed<'_> {
    /// Returns when somebody wants the command to end, and says why.
    pub async fn killed(&self) -> Reason {
        self.operation.kill.notified().await;
        self.operation.interrupt.reason().unwrap_or(Reason::Killed)
    }

    /// What stops the command.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.operation.interrupt
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.operations.watched.lock().operations.remove(&self.operation.id);
    }
}

/// Gives the runtime another thread for what waits, in place of the one that computes.
fn make_room() {
    let is_shared =
        Handle::try_current().is_ok_and(|on| on.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_shared {
        // The other thread takes over what this one was to do besides; it is taken back if that does not happen.
        tokio::task::block_in_place(|| thread::sleep(Duration::from_millis(1)));
    }
}
