//! What all clients share.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ::bson::oid::ObjectId;
use ::bson::{RawDocumentBuf, Timestamp, rawdoc};

use crate::error::{Code, Error};
use crate::session::cursors::CURSOR_TIMEOUT;
use crate::session::registry::TRANSACTION_LIFETIME;
use crate::session::{ClusterClock, Cursors, SessionId, Sessions};
use crate::store::{Store, Transaction};

use super::accounts::Accounts;
use super::fail_points::FailPoints;
use super::operations::Operations;
use super::options::Options;
use super::parameters::Parameters;

/// An open transaction of a session.
pub type OpenTransaction = Transaction;
/// An open cursor.
pub type OpenCursor = crate::operation::Cursor;

/// A gateway: what all clients share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Shared>);

/// The parts of a gateway.
#[derive(Debug)]
pub struct Shared {
    /// What it was started with.
    pub options: Options,
    store: Option<Store>,
    /// The sessions.
    pub sessions: Sessions<OpenTransaction>,
    /// The cursors.
    pub cursors: Cursors<OpenCursor>,
    /// The clock of replies.
    pub clock: Arc<ClusterClock>,
    /// The commands that run now.
    pub operations: Operations,
    /// The fail points that are on.
    pub fail_points: FailPoints,
    /// The parameters.
    pub parameters: Parameters,
    /// The users.
    pub accounts: Accounts,
    /// A number for this process.
    pub process: ObjectId,
    /// When it was started.
    pub started: Instant,
    /// How many clients are connected; the server counts.
    pub connections: AtomicI64,
    /// How many were ever connected; the server counts.
    pub connections_created: AtomicI64,
}

impl Gateway {
    /// A gateway without clients and without a database: commands that need documents fail.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self::build(options, None)
    }

    /// A gateway without clients, on a database.
    #[must_use]
    pub fn with_store(options: Options, store: Store) -> Self {
        Self::build(options, Some(store))
    }

    fn build(options: Options, store: Option<Store>) -> Self {
        let cursors = Cursors::new(options.number);
        let parameters = Parameters::new(&options);
        // The log of changes has its times, too.
        let clock = store.as_ref().map_or_else(Arc::default, |store| store.clock().clone());
        let accounts = store.clone().map_or_else(Accounts::in_memory, Accounts::in_store);
        Self(Arc::new(Shared {
            options,
            store,
            sessions: Sessions::default(),
            cursors,
            clock,
            operations: Operations::default(),
            fail_points: FailPoints::default(),
            parameters,
            accounts,
            process: ObjectId::new(),
            started: Instant::now(),
            connections: AtomicI64::new(0),
            connections_created: AtomicI64::new(0),
        }))
    }

    /// Closes what nobody has used for too long: sessions, cursors, transactions. The server calls it every second.
    pub async fn reap(&self) {
        let now = Instant::now();
        for open in self.sessions.overdue(
            now,
            self.duration("transactionLifetimeLimitSeconds", 1000, TRANSACTION_LIFETIME),
        ) {
            open.abort().await;
        }
        for session in self.sessions.expire(now) {
            let open = session.lock().await.abort();
            if let Some(open) = open {
                open.abort().await;
            }
            let id = session.id;
            drop(self.cursors.kill_where(|owner| owner.session == Some(id)));
        }
        drop(self.cursors.expire(now, self.duration("cursorTimeoutMillis", 1, CURSOR_TIMEOUT)));
    }

    /// Rolls a transaction back and closes its cursors.
    pub async fn close_transaction(
        &self,
        session: Option<SessionId>,
        number: i64,
        open: Option<OpenTransaction>,
    ) {
        drop(
            self.cursors
                .kill_where(|owner| owner.session == session && owner.transaction == Some(number)),
        );
        if let Some(open) = open {
            open.abort().await;
        }
    }

    /// The version of what this gateway is; it never changes while it runs. As mongos there is none.
    #[must_use]
    pub fn topology_version(&self) -> Option<RawDocumentBuf> {
        self.options.replica_set.as_ref()?;
        Some(rawdoc! { "processId": self.process, "counter": 1_i64 })
    }

    /// A parameter that counts so many milliseconds each.
    fn duration(&self, parameter: &str, unit: u64, usual: Duration) -> Duration {
        let count = self.parameters.integer(parameter).and_then(|count| u64::try_from(count).ok());
        count.map_or(usual, |count| Duration::from_millis(count.saturating_mul(unit)))
    }

    /// The database.
    ///
    /// # Errors
    /// 1 when the gateway has none.
    pub fn store(&self) -> Result<&Store, Error> {
        self.store
            .as_ref()
            .ok_or_else(|| Error::new(Code::INTERNAL_ERROR, "this gateway has no database"))
    }

    /// A time for a reply; `writes` moves the clock on.
    #[must_use]
    pub fn time(&self, writes: bool) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        if writes { self.clock.tick(now) } else { self.clock.read(now) }
    }
}

impl Deref for Gateway {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
