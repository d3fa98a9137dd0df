//! What all clients share.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ::bson::Timestamp;
use ::bson::oid::ObjectId;

use crate::session::{ClusterClock, Cursors, Sessions};

use super::fail_points::FailPoints;
use super::operations::Operations;
use super::options::Options;

/// An open transaction of a session.
pub type OpenTransaction = ();
/// An open cursor.
pub type OpenCursor = ();

/// A gateway: what all clients share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Shared>);

/// The parts of a gateway.
#[derive(Debug)]
pub struct Shared {
    /// What it was started with.
    pub options: Options,
    /// The sessions.
    pub sessions: Sessions<OpenTransaction>,
    /// The cursors.
    pub cursors: Cursors<OpenCursor>,
    /// The clock of replies.
    pub clock: ClusterClock,
    /// The commands that run now.
    pub operations: Operations,
    /// The fail points that are on.
    pub fail_points: FailPoints,
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
    /// A gateway without clients.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let cursors = Cursors::new(options.number);
        Self(Arc::new(Shared {
            options,
            sessions: Sessions::default(),
            cursors,
            clock: ClusterClock::default(),
            operations: Operations::default(),
            fail_points: FailPoints::default(),
            process: ObjectId::new(),
            started: Instant::now(),
            connections: AtomicI64::new(0),
            connections_created: AtomicI64::new(0),
        }))
    }

    /// Closes what nobody has used for too long: sessions, cursors, transactions. The server calls it every second.
    pub async fn reap(&self) {
        let now = Instant::now();
        for open in self.sessions.overdue(now) {
            abort(open).await;
        }
        for session in self.sessions.expire(now) {
            let open = session.lock().await.abort();
            if let Some(open) = open {
                abort(open).await;
            }
            let id = session.id;
            drop(self.cursors.kill_where(|owner| owner.session == Some(id)));
        }
        drop(self.cursors.expire(now));
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

/// Rolls an open transaction back. Whatever happens, the database forgets it.
pub async fn abort(open: OpenTransaction) {
    let () = open;
}
