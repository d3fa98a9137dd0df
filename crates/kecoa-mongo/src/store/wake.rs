//! Who waits for changes is woken: by what this gateway writes itself, and by what others say.

use std::sync::atomic::Ordering;
use std::time::Duration;

use kecoa::Client;
use tokio::sync::watch::Receiver;
use tokio::time::timeout;

use super::database::{Inner, Store};
use super::schema;

/// How long is waited for a word of others before the log is looked at all the same.
const WITH_NOTICE: Duration = Duration::from_secs(1);
/// The same where nobody gives notice.
const WITHOUT_NOTICE: Duration = Duration::from_millis(50);
/// How long nobody listens after its connection was lost.
const PAUSE: Duration = Duration::from_millis(500);

/// Waits for changes.
#[derive(Debug)]
pub struct Waiting {
    receiver: Receiver<u64>,
    longest: Duration,
}

impl Store {
    /// To be asked before the log is read: what comes after that wakes who waits.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let receiver = self.inner().changes.subscribe();
        let notice = self.capabilities().notices && self.listen();
        Waiting { receiver, longest: if notice { WITH_NOTICE } else { WITHOUT_NOTICE } }
    }

    pub(super) fn wake(&self) {
        self.inner().changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether somebody listens; begins to, where nobody does.
    fn listen(&self) -> bool {
        let inner = self.inner();
        if !inner.listens.swap(true, Ordering::AcqRel) {
            tokio::spawn(listen(std::sync::Arc::downgrade(inner)));
        }
        inner.connected.load(Ordering::Acquire)
    }
}

impl Waiting {
    /// Waits until there may be changes, at most so long.
    pub async fn wait(&mut self, most: Duration) {
        let _ = timeout(self.longest.min(most), self.receiver.changed()).await;
    }
}

/// Listens on a connection of its own, as long as the store is there.
async fn listen(inner: std::sync::Weak<Inner>) {
    while let Some(store) = inner.upgrade() {
        let config = store.config.clone();
        drop(store);
        receive(&inner, &config).await;
        if let Some(store) = inner.upgrade() {
            store.connected.store(false, Ordering::Release);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Receives until the connection is lost.
async fn receive(inner: &std::sync::Weak<Inner>, config: &kecoa::Config) {
    let Ok(mut client) = Client::connect(config).await else { return };
    schema::allow_postgresql(&mut client).await;
    if client.batch("LISTEN kecoa_mongo_change").await.is_err() {
        return;
    }
    loop {
        let Some(store) = inner.upgrade() else { return };
        store.connected.store(true, Ordering::Release);
        store.changes.send_modify(|count| *count = count.wrapping_add(1));
        drop(store);
        match timeout(Duration::from_secs(5), client.notification()).await {
            Ok(Err(_)) => return,
            // Several may have come by now: once is enough.
            Ok(Ok(_)) => drop(client.take_notifications()),
            Err(_) => {}
        }
    }
}
