//! The options of a pool, and the builder that sets them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::event::Event;
use super::settings::Settings;
use crate::error::Error;

/// Who hears of what happens in a pool.
type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// What a pool keeps to; `H` is what it does with connections.
#[derive(Clone)]
pub(super) struct Options<H> {
    pub(crate) settings: Settings,
    pub(crate) timeout: Option<Duration>,
    pub(crate) name: String,
    pub(crate) check: Option<H>,
    pub(crate) configure: Option<H>,
    pub(crate) reset: Option<H>,
    pub(crate) listener: Option<Listener>,
}

impl<H> Options<H> {
    /// Reports to the listener. One that panics must not take a thread or a task of the pool with it;
    /// the panic was reported where it happened.
    pub(super) fn report(&self, event: &Event<'_>) {
        if let Some(listener) = &self.listener {
            let _ = catch_unwind(AssertUnwindSafe(|| listener(event)));
        }
    }
}

/// What a pool is made with. Times that are `None`: no limit. `H` is what the pool calls with a
/// connection: [`check`](Builder::check), [`configure`](Builder::configure) and
/// [`reset`](Builder::reset), which wait as the pool's client does.
///
/// ```
/// use std::time::Duration;
///
/// use kecoa::{Config, blocking::Pool};
///
/// // Connections are made when they are needed, and in the background up to min_size.
/// let pool = Pool::builder()
///     .min_size(0)
///     .max_size(16)
///     .timeout(Some(Duration::from_secs(3)))
///     .configure(|client| client.batch("SET statement_timeout TO '5s'").map(drop))
///     .build(&Config::parse("postgresql://maya@localhost:26257/bank")?)?;
/// assert_eq!(pool.stats().size, 0);
/// # Ok::<(), kecoa::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "no pool is made until build() is called"]
pub struct Builder<H> {
    pub(super) options: Options<H>,
    min_size: Option<usize>,
    max_size: Option<usize>,
}

impl<H> Default for Builder<H> {
    fn default() -> Builder<H> {
        let options = Options {
            settings: Settings::default(),
            timeout: Some(Duration::from_secs(30)),
            name: "pool".to_owned(),
            check: None,
            configure: None,
            reset: None,
            listener: None,
        };
        Builder { options, min_size: None, max_size: None }
    }
}

impl<H> fmt::Debug for Builder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.options.name)
            .field("settings", &self.options.settings)
            .field("timeout", &self.options.timeout)
            .finish_non_exhaustive()
    }
}

impl<H> Builder<H> {
    /// How many connections are kept open; 4, or [`max_size`](Self::max_size) where that is
    /// less.
    pub fn min_size(mut self, connections: usize) -> Builder<H> {
        self.min_size = Some(connections);
        self
    }

    /// How many connections there are at most; as many as [`min_size`](Self::min_size) unless
    /// set.
    pub fn max_size(mut self, connections: usize) -> Builder<H> {
        self.max_size = Some(connections);
        self
    }

    /// How long a caller waits for a connection; 30 s.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Builder<H> {
        self.options.timeout = timeout;
        self
    }

    /// How many callers may wait; 0, the default: any number.
    pub fn max_waiting(mut self, callers: usize) -> Builder<H> {
        self.options.settings.max_waiting = callers;
        self
    }

    /// The age at which a connection is replaced, and the part of it (0 to 1) by which chance
    /// may shorten it; 30 minutes and 0.1.
    pub fn max_lifetime(mut self, age: Option<Duration>, jitter: f64) -> Builder<H> {
        self.options.settings.max_lifetime = age;
        self.options.settings.lifetime_jitter = jitter;
        self
    }

    /// How long a connection beyond [`min_size`](Self::min_size) may be unused; 10 minutes.
    pub fn max_idle(mut self, unused: Option<Duration>) -> Builder<H> {
        self.options.settings.max_idle = unused;
        self
    }

    /// How often idle connections are looked at in the background; 10 s.
    pub fn sweep_every(mut self, every: Option<Duration>) -> Builder<H> {
        self.options.settings.sweep_every = every;
        self
    }

    /// How long a connection may be unused before it is asked, by a round trip or the
    /// [`check`](Self::check), and not only looked at. None by default; zero: each time.
    pub fn check_after(mut self, unused: Option<Duration>) -> Builder<H> {
        self.options.settings.check_after = unused;
        self
    }

    /// How long a connection may be checked out before [`Event::Leak`] names where it was taken; none.
    pub fn leak_after(mut self, held: Option<Duration>) -> Builder<H> {
        self.options.settings.leak_after = held;
        self
    }

    /// The first and the longest pause between attempts to connect; 100 ms and 10 s.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Builder<H> {
        self.options.settings.first_backoff = first;
        self.options.settings.max_backoff = longest;
        self
    }

    /// What the pool is called in errors; `pool`.
    pub fn name(mut self, name: impl Into<String>) -> Builder<H> {
        self.options.name = name.into();
        self
    }

    /// Who hears of what happens: failed attempts to connect, leaks, closed connections. Called
    /// on the thread that noticed, which should not be held up.
    pub fn on_event(mut self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Builder<H> {
        self.options.listener = Some(Arc::new(listener));
        self
    }

    /// The options, checked.
    pub(super) fn finish(mut self) -> Result<Options<H>, Error> {
        let settings = &mut self.options.settings;
        settings.min_size = self.min_size.unwrap_or_else(|| self.max_size.unwrap_or(4).min(4));
        settings.max_size = self.max_size.unwrap_or(settings.min_size);
        if self.options.check.is_some() && settings.check_after.is_none() {
            settings.check_after = Some(Duration::ZERO);
        }
        settings.validate()?;
        Ok(self.options)
    }
}
