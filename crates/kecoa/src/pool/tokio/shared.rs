//! The state of a pool, and what its tasks do with it.

use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use super::builder::Hook;
use super::pooled::{Pooled, Returning};
use crate::client::tokio::Client;
use crate::config::Config;
use crate::error::Error;
use crate::pool::core::{ConnId, Reason, WaiterId};
use crate::pool::options::Options;
use crate::pool::settings::check_sizes;
use crate::pool::state::{Connection, Effects, PoolState, Signal, Waiter, WaiterState};
use crate::pool::{Event, Stats};
use crate::proto::TransactionStatus;

type Books = PoolState<Client, Arc<Notify>>;

impl Connection for Client {
    fn has_ended(&mut self) -> bool {
        self.poll_session().is_err() || self.is_closed()
    }
}

impl Signal for Arc<Notify> {
    fn give(&self) {
        self.notify_one();
    }
}

/// What the handles to a pool share: with the last of them it is closed.
pub(super) struct Inner(pub(super) Arc<Shared>);

impl Inner {
    pub(super) fn new(shared: Arc<Shared>) -> Inner {
        shared.with(|books, now| books.core.open(now, false));
        Inner(shared)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.0.with(|books, _| books.core.close());
    }
}

pub(super) struct Shared {
    config: Config,
    pub(super) options: Options<Hook>,
    pub(super) runtime: Handle,
    epoch: Instant,
    books: Mutex<Books>,
    /// For those who wait for a size.
    changed: Notify,
    /// Wakes the maintenance, which holds on to nothing else while it sleeps.
    wakeup: Arc<Notify>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.wakeup.notify_one();
    }
}

impl Shared {
    pub(super) fn new(config: Config, options: Options<Hook>, runtime: Handle) -> Arc<Shared> {
        let books = PoolState::new(options.settings.clone(), options.name.clone());
        Arc::new(Shared {
            config,
            options,
            runtime,
            epoch: Instant::now(),
            books: Mutex::new(books),
            changed: Notify::new(),
            wakeup: Arc::default(),
        })
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the books, and does what follows from it.
    fn with<T>(self: &Arc<Self>, change: impl FnOnce(&mut Books, Duration) -> T) -> T {
        let mut books = self.lock();
        let given = change(&mut books, self.now());
        let effects = books.settle(self.now());
        drop(books);
        self.changed.notify_waiters();
        self.carry_out(effects);
        given
    }

    /// Does what was left, without the lock.
    fn carry_out(self: &Arc<Self>, effects: Effects<Client>) {
        for (taken, held) in effects.leaks {
            self.options.tell(&Event::Leak { taken, held });
        }
        for (client, reason) in effects.close {
            drop(client);
            self.options.tell(&Event::Closed(reason));
        }
        for _ in 0..effects.openers {
            self.runtime.spawn(Opener { shared: self.clone(), at: At::Start }.run());
        }
        if effects.wake {
            self.wake_maintenance();
        }
    }

    // Checking out.

    pub(super) async fn get(
        self: &Arc<Self>,
        limit: Option<Duration>,
        taken: &'static Location<'static>,
    ) -> Result<Pooled, Error> {
        let asked = self.with(|books, now| books.ask(now, limit));
        let mut waiting = Waiting { shared: self, asked, examined: None, over: false };
        loop {
            let word = self.lock().word(self.now(), &asked, taken);
            waiting.over = matches!(word, Ok(WaiterState::Granted(..)) | Err(_));
            match word? {
                WaiterState::Granted(id, client) => {
                    return Ok(Pooled::new(client, self.clone(), id));
                }
                WaiterState::Examine { id, client: None, .. } => {
                    self.with(|books, now| books.checked(now, id, None, false));
                }
                WaiterState::Examine { id, client: Some(client), ask } => {
                    waiting.examine(id, client, ask).await;
                }
                WaiterState::Nothing(told) => match asked.remaining(self.now()) {
                    None => told.notified().await,
                    Some(remaining) => {
                        if timeout(remaining, told.notified()).await.is_err() {
                            self.with(|books, now| books.core.tick(now));
                        }
                    }
                },
            }
        }
    }

    /// Asks a connection whether it is good.
    async fn ask(&self, client: &mut Client) -> Result<(), Error> {
        match &self.options.check {
            Some(check) => check(client).await,
            None => client.simple(b"SELECT 1").await.map(drop),
        }
    }

    /// Takes back a connection that is not kept; gives back one that is.
    pub(super) fn dismiss(self: &Arc<Self>, id: ConnId, client: Client) -> Option<Client> {
        self.with(|books, now| books.dismiss(now, id, client))
    }

    pub(super) fn take_back(self: &Arc<Self>, id: ConnId, client: Client, why: Option<Reason>) {
        self.with(|books, now| books.release(now, id, client, why));
    }

    /// Forgets one who left while it asked a connection, which comes with it if it is good.
    pub(super) fn leave_check(
        self: &Arc<Self>,
        waiter: WaiterId,
        id: ConnId,
        client: Option<Client>,
    ) {
        self.with(|books, now| books.withdraw_checked(now, waiter, id, client));
    }

    // Connecting.

    async fn open_one(&self) -> Result<Client, Error> {
        let mut client = Client::connect(&self.config).await?;
        if let Some(configure) = &self.options.configure {
            configure(&mut client).await?;
            if client.transaction_status() != TransactionStatus::Idle {
                return Err(Error::usage("expected configure() to leave no transaction open"));
            }
        }
        Ok(client)
    }

    // Time.

    fn wake_maintenance(self: &Arc<Self>) {
        let starts = !std::mem::replace(&mut self.lock().maintained, true);
        if starts {
            self.runtime.spawn(run_maintenance(Arc::downgrade(self), self.wakeup.clone()));
        } else {
            self.wakeup.notify_one();
        }
    }

    /// Does what is due; for how long there is nothing to do, or the end of the task.
    fn run_maintenance(self: &Arc<Self>) -> Option<Option<Duration>> {
        let mut books = self.lock();
        books.core.tick(self.now());
        let mut effects = books.settle(self.now());
        // It is awake.
        effects.wake = false;
        drop(books);
        self.changed.notify_waiters();
        self.carry_out(effects);
        self.lock().rest(self.now())
    }

    // The pool as a whole.

    /// Waits until something is so; whether it is.
    async fn until(&self, limit: Duration, done: impl Fn(&Books) -> bool) -> bool {
        let deadline = Instant::now().checked_add(limit);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // What changes behind the look is heard.
            changed.as_mut().enable();
            if done(&self.lock()) {
                return true;
            }
            match deadline {
                None => changed.await,
                Some(deadline) => {
                    if timeout_at(deadline, changed).await.is_err() {
                        return done(&self.lock());
                    }
                }
            }
        }
    }

    pub(super) async fn wait(&self, limit: Duration) -> Result<(), Error> {
        let reached = self.until(limit, Books::is_filled).await;
        self.lock().waited(self.now(), limit, reached)
    }

    pub(super) fn drain(
        self: &Arc<Self>,
        limit: Duration,
    ) -> impl Future<Output = bool> + Send + use<'_> {
        self.with(|books, now| books.core.drain(now));
        self.until(limit, |books| books.core.stale() == 0)
    }

    pub(super) fn close(
        self: &Arc<Self>,
        limit: Duration,
    ) -> impl Future<Output = bool> + Send + use<'_> {
        self.with(|books, _| books.core.close());
        self.until(limit, |books| books.core.size() == 0)
    }

    pub(super) fn resize(self: &Arc<Self>, min_size: usize, max_size: usize) -> Result<(), Error> {
        check_sizes(min_size, max_size)?;
        self.with(|books, now| books.core.resize(now, min_size, max_size));
        Ok(())
    }

    pub(super) fn stats(&self) -> Stats {
        Stats::of(&self.lock().core)
    }
}

/// One who waits, and may leave at any time.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    asked: Waiter,
    /// The connection that it is asking.
    examined: Option<(ConnId, Client)>,
    /// Nothing is left to be told.
    over: bool,
}

impl Waiting<'_> {
    /// Looks at a connection, or asks it, and tells the pool.
    async fn examine(&mut self, id: ConnId, client: Client, ask: bool) {
        let shared = self.shared;
        let (_, client) = self.examined.insert((id, client));
        let mut outcome = client.poll_session();
        if ask && outcome.is_ok() {
            let asking = shared.ask(client);
            outcome = match self.asked.remaining(shared.now()) {
                None => asking.await,
                Some(remaining) => timeout(remaining, asking).await.unwrap_or_else(|_| {
                    Err(Error::timeout("a connection that was asked did not answer in time"))
                }),
            };
        }
        if let Err(error) = &outcome {
            shared.options.tell(&Event::CheckFailed(error));
        }
        let good = outcome.is_ok() && client.is_at_rest() && !client.is_closed();
        if let Some((id, client)) = self.examined.take() {
            shared.with(|books, now| books.checked(now, id, Some(client), good));
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waiter = self.asked.waiter;
        match self.examined.take() {
            // It is in the middle of an answer: nobody may have it before that is over.
            Some((id, client)) => {
                let back = Returning::new(self.shared, id, client, Some(waiter));
                self.shared.runtime.spawn(back.run());
            }
            None if self.over => {}
            None => self.shared.with(|books, now| books.withdraw(now, waiter)),
        }
    }
}

/// How far one is that opens connections.
enum At {
    /// It has not begun.
    Start,
    Opening(ConnId),
    End,
}

/// Opens connections until none is asked for. Whatever becomes of its task, the pool hears of it.
struct Opener {
    shared: Arc<Shared>,
    at: At,
}

impl Opener {
    async fn run(mut self) {
        loop {
            let Some(id) = self.shared.lock().next_to_open() else {
                self.at = At::End;
                return;
            };
            self.at = At::Opening(id);
            let opened = self.shared.open_one().await;
            if let Err(error) = &opened {
                self.shared.options.tell(&Event::OpenFailed(error));
            }
            self.shared.with(|books, now| books.opened(now, id, opened));
            self.at = At::Start;
        }
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        match self.at {
            At::End => {}
            At::Opening(id) => {
                let error = Error::connect("the task that connects has ended before its time");
                self.shared.with(|books, now| {
                    books.opener_ended();
                    books.opened(now, id, Err(error));
                });
            }
            // The runtime has ended, and nothing can be opened any more.
            At::Start => self.shared.with(|books, _| books.core.close()),
        }
    }
}

async fn run_maintenance(shared: Weak<Shared>, wakeup: Arc<Notify>) {
    while let Some(wait) = shared.upgrade().and_then(|shared| shared.run_maintenance()) {
        match wait {
            None => wakeup.notified().await,
            Some(wait) => drop(timeout(wait, wakeup.notified()).await),
        }
    }
}
