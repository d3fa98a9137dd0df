//! The commands that run now: for currentOp and killOp.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::session::SessionId;

/// The commands that run now.
#[derive(Debug, Default)]
pub struct Operations {
    next: AtomicI32,
    running: Mutex<BTreeMap<i32, Arc<Operation>>>,
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
    /// Wakes it up to end.
    pub kill: Notify,
}

/// Takes the operation off the list when it is dropped.
#[derive(Debug)]
pub struct Listed<'a> {
    operations: &'a Operations,
    operation: Arc<Operation>,
}

impl Operations {
    /// Lists a command that begins.
    pub fn begin(
        &self,
        command: &'static str,
        database: &str,
        connection: i32,
        session: Option<SessionId>,
        user: Option<String>,
    ) -> Listed<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let operation = Arc::new(Operation {
            id,
            command,
            database: database.to_owned(),
            connection,
            session,
            user,
            since: Instant::now(),
            kill: Notify::new(),
        });
        self.lock().insert(id, operation.clone());
        Listed { operations: self, operation }
    }

    /// All that run.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Operation>> {
        self.lock().values().cloned().collect()
    }

    /// Ends the commands that `which` names.
    pub fn kill(&self, which: impl Fn(&Operation) -> bool) {
        for operation in self.lock().values().filter(|operation| which(operation)) {
            operation.kill.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<i32, Arc<Operation>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed<'_> {
    /// Returns when somebody wants the command to end.
    pub async fn killed(&self) {
        self.operation.kill.notified().await;
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.operations.lock().remove(&self.operation.id);
    }
}
