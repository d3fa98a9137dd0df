//! The process that serves.

mod first_user;

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kecoa_server::home::Home;
use kecoa_server::listener::Listener;
use kecoa_server::serving::{LOCK_TIMEOUT, Mode, Serving};
use kecoa_server::signals::Signals;
use tokio::runtime::Builder;

use crate::command::{self, Gateway, ReplicaSet};
use crate::launch::{
    self, Details, Error, Options, Running, SERVICE, State, TlsOptions, running, shown_database,
};
use crate::server::{self, Tls, TlsFiles, TlsMode};
use crate::store::{self, Store};
use first_user::{FirstUser, first_user};

/// The port that clients of MongoDB try first.
const PORT: u16 = 27017;
/// The stack of a thread: pipelines read within pipelines, twenty levels deep, each with the whole way to the database
/// on it. What is not touched costs no memory.
const STACK_BYTES: usize = 64 * 1024 * 1024;
/// A command that computes for long keeps its thread: others, and hello, must find one all the same.
const LEAST_THREADS: usize = 16;
/// How often the home and what has become too old are looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often the database is looked at for what is over; the monitor of times to live runs once a minute.
const MAINTENANCE: Duration = Duration::from_secs(10);

/// Serves until stopped by SIGTERM, SIGINT or SIGHUP, or until the home is removed. Must be the business of a
/// whole process: it installs signal handlers.
///
/// `ready` is called once, when clients are accepted.
///
/// # Errors
///
/// When the database cannot keep documents, the port cannot be had, or the instance is served already.
pub fn serve(options: &Options, mode: Mode, ready: &mut dyn FnMut(&Running)) -> Result<(), Error> {
    let home = launch::create(options)?;
    let mut options = options.clone();
    if mode == Mode::Detached {
        options.database = launch::stored_database(&home)?;
    }
    let details = |_: Option<&State>| starting(&options);
    let Some(serving) =
        Serving::begin(&home, mode, options.timeout, options.waiting.as_ref(), details)?
    else {
        let lock = home.serve_lock();
        return Err(
            kecoa_server::Error::Busy { service: &SERVICE, lock, waited: LOCK_TIMEOUT }.into()
        );
    };
    let mut process = Process { options, serving, ready };
    let ended = process.run();
    let failure = ended.as_ref().err().map(ToString::to_string);
    process.serving.end(failure)?;
    ended
}

/// What is known at the beginning.
fn starting(options: &Options) -> Details {
    Details {
        port: None,
        url: None,
        open: options.no_password,
        database: shown_database(&options.database),
        version: None,
        replica_set: options.replica_set.clone(),
        notes: Vec::new(),
    }
}

struct Process<'a> {
    options: Options,
    serving: Serving<Details>,
    ready: &'a mut dyn FnMut(&Running),
}

impl Process<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let failed = |error| {
            kecoa_server::Error::io("starting threads for", Path::new("the gateway"))(error)
        };
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(cores.saturating_mul(2).max(LEAST_THREADS))
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(failed)?;
        let served = runtime.block_on(self.serve());
        // A look-up of a name that nobody waits for any more must not keep the process.
        runtime.shutdown_timeout(INTERVAL);
        served
    }

    async fn serve(&mut self) -> Result<(), Error> {
        let place = Path::new("the gateway");
        let mut signals =
            Signals::install().map_err(kecoa_server::Error::io("handling signals for", place))?;
        let tls = self.options.tls.as_ref().map_or(Ok(Tls::Disabled), load_tls)?;
        let listener = listen(&self.options).await?;
        let port = listener.local_addr().map_err(self.listen_failed(0))?.port();
        self.serving.progress("preparing the database", self.options.timeout)?;
        let prepared = tokio::select! {
            prepared = self.prepare(port) => prepared?,
            // A database may take long to answer, or never do.
            () = signals.received() => return Ok(()),
        };
        let (store, gateway, mut user) = prepared;
        if self.options.port.is_none() && port != PORT {
            user.notes.insert(0, format!("port {PORT} is taken; a free one is used"));
        }
        self.announce(port, user)?;
        let serving = &self.serving;
        let (reaped, served) = (gateway.clone(), gateway.clone());
        let stopped = async {
            tokio::select! {
                () = signals.received() => {}
                () = until_removed(serving) => {}
                () = reap(&reaped) => {}
                () = maintain(&store) => {}
            }
        };
        let options = server::Options { tls, ..server::Options::default() };
        let grace_period = options.limits.grace_period;
        let stopped = async {
            stopped.await;
            let now = Instant::now();
            served.operations.shut_down(now.checked_add(grace_period).unwrap_or(now));
        };
        server::serve(&listener, std::sync::Arc::new(gateway), options, stopped).await;
        if self.serving.still_holds_home() {
            self.serving.stopping()?;
        }
        Ok(())
    }

    /// What needs the database before clients can be accepted.
    async fn prepare(&mut self, port: u16) -> Result<(Store, Gateway, FirstUser), Error> {
        let store = self.store().await?;
        let gateway = self.gateway(port, store.clone())?;
        let user = first_user(&gateway, &self.options, self.serving.home()).await?;
        Ok((store, gateway, user))
    }

    async fn store(&mut self) -> Result<Store, Error> {
        let unusable = |problem: String| Error::Database(problem);
        let config =
            kecoa::Config::parse(&self.options.database).map_err(|e| unusable(e.to_string()))?;
        let opened =
            Store::open(&config, store::Options::with_connections(self.options.connections)).await;
        opened.map_err(|error| unusable(error.message().to_owned()))
    }

    fn gateway(&self, port: u16, store: Store) -> Result<Gateway, Error> {
        let set = self.options.replica_set.as_deref();
        let options = command::Options {
            replica_set: set.map(|text| self.replica_set(text, port)).transpose()?,
            authentication: !self.options.no_password,
            test_commands: self.options.test_commands,
            argv: vec!["kecoa".to_owned(), "mongo".to_owned()],
            number: fastrand::u16(..32_768),
        };
        Ok(Gateway::with_store(options, store))
    }

    /// `NAME`, or `NAME@HOST:PORT` where clients reach the gateway by another address than it listens on.
    fn replica_set(&self, text: &str, port: u16) -> Result<ReplicaSet, Error> {
        let (name, host) = match text.split_once('@') {
            Some((name, host)) => (name, host.to_owned()),
            None => (text, SocketAddr::new(self.options.address, port).to_string()),
        };
        let port_of =
            |host: &str| host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if name.is_empty() || !port_of(&host) {
            let problem =
                format!("expected a replica set as NAME or NAME@HOST:PORT, found {text:?}");
            return Err(Error::Unusable(problem));
        }
        Ok(ReplicaSet { name: name.to_owned(), host })
    }

    fn listen_failed(&self, port: u16) -> impl FnOnce(io::Error) -> Error + use<> {
        let address = SocketAddr::new(self.options.address, port).to_string();
        move |source| Error::Listen { address, source }
    }

    /// Announces that clients are accepted on this port.
    fn announce(&mut self, port: u16, user: FirstUser) -> Result<(), Error> {
        let address = self.options.address;
        let host =
            if address.is_unspecified() { "127.0.0.1".to_owned() } else { address.to_string() };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let login = user.login.map_or_else(String::new, |(name, password)| {
            format!("{}:{}@", percent_encoded(&name), percent_encoded(&password))
        });
        let mut url = format!("mongodb://{login}{host}:{port}/");
        let mut parameters = Vec::new();
        if !login.is_empty() {
            // Where a database is put into the URL, the user is still one of this.
            parameters.push("authSource=admin".to_owned());
        }
        if let Some(text) = &self.options.replica_set {
            let name = text.split('@').next().unwrap_or_default();
            parameters.push(format!("replicaSet={name}"));
        }
        if self.options.tls.as_ref().is_some_and(|tls| !tls.allow_plain) {
            parameters.push("tls=true".to_owned());
        }
        if !parameters.is_empty() {
            url = format!("{url}?{}", parameters.join("&"));
        }
        self.serving.state.details.port = Some(port);
        self.serving.state.details.url = Some(url);
        self.serving.state.details.notes = user.notes;
        let home: Home = self.serving.home().clone();
        let ready = &mut *self.ready;
        self.serving.ready(|state| {
            if let Some(running) = running(state, &home, false) {
                ready(&running);
            }
        })?;
        Ok(())
    }
}

/// The port that was asked for; else the usual one, or a free one when that is taken.
async fn listen(options: &Options) -> Result<Listener, Error> {
    let bind = |port| async move {
        let address = SocketAddr::new(options.address, port);
        let failed = |source| Error::Listen { address: address.to_string(), source };
        Listener::bind(address).await.map_err(failed)
    };
    match options.port {
        Some(port) => bind(port).await,
        None => match bind(PORT).await {
            Err(Error::Listen { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
                bind(0).await
            }
            bound => bound,
        },
    }
}

fn load_tls(options: &TlsOptions) -> Result<Tls, Error> {
    let files = TlsFiles {
        certificate: options.certificate.clone(),
        key: options.key.clone(),
        client_authorities: None,
    };
    let mode = if options.allow_plain { TlsMode::Allow } else { TlsMode::Require };
    Tls::load(mode, Some(&files)).map_err(|error| Error::Unusable(error.to_string()))
}

/// Until the home is another's, or gone.
async fn until_removed(serving: &Serving<Details>) {
    while serving.still_holds_home() {
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Removes in the database what is over.
async fn maintain(store: &Store) {
    loop {
        tokio::time::sleep(MAINTENANCE).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // What fails now is done the next time: the database may be away.
        let _ = store.maintain(i64::try_from(now.as_millis()).unwrap_or(i64::MAX)).await;
    }
}

/// A user's name or password, in a URL.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

async fn reap(gateway: &Gateway) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        gateway.reap().await;
    }
}
