//! The process that serves: it owns the database server and the endpoint in front of it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::cockroach;
use crate::dialect::BOOTSTRAP_SQL;
use crate::endpoint::{BackendAddress, Verifier};
use crate::error::Error;
use crate::faults::draw_seed;
use crate::front::Front;
use crate::home::Home;
use crate::keeper::Keeper;
use crate::launch::Running;
use crate::options::{DEFAULT_PORT, Engine, Options, variable};
use crate::postgres::bootstrap::bootstrap;
use crate::postgres::cluster::Address;
use crate::postgres::socket;
use crate::postgres::{Binaries, CLIENT_ROLE, Cluster, DEFAULT_DATABASE, RunAs, Search, Server};
use crate::process::ProcessIdentity;
use crate::secret::{self, redacted};
use crate::signals::Signals;
use crate::state::{FaultState, Phase, State};

/// How often we look whether the database server still runs.
const WATCH: Duration = Duration::from_millis(200);
/// A server that ends more often than this within [`RESTART_WINDOW`] is given up.
const RESTARTS: usize = 5;
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const RESTART_WINDOW: Duration = Duration::from_secs(60);
/// Others hold the lock for a moment only to see whether we do.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// Clients have this long to be told good-bye.
const FAREWELL: Duration = Duration::from_secs(3);

/// Who waits for the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A process that started us and reads the state file: leave its terminal.
    Detached,
    /// Somebody at a terminal, until Ctrl-C.
    Foreground,
}

/// Serves until told to stop by SIGTERM, SIGINT or SIGHUP, or until the home is removed. Must be
/// the business of a whole process: it installs signal handlers.
///
/// `ready` is called once, when clients are accepted.
///
/// # Errors
///
/// When the endpoint cannot start, already runs, or its database server keeps ending.
pub fn serve(options: &Options, mode: Mode, ready: &mut dyn FnMut(&Running)) -> Result<(), Error> {
    let home = Home::create(options)?;
    // In the background, the one who started us holds this lock.
    let mut starting = match mode {
        Mode::Foreground => Some(home.lock_start(options.patience)?),
        Mode::Detached => None,
    };
    let deadline = Instant::now() + LOCK_PATIENCE;
    let serving = loop {
        if let Some(lock) = home.try_lock_serve()? {
            break lock;
        }
        if Instant::now() >= deadline {
            return Err(match crate::launch::url(options) {
                Ok(url) => Error::RunsDifferently {
                    url: redacted(&url),
                    what: "in the background".to_owned(),
                },
                Err(_) => {
                    Error::Busy { lock: home.instance().join("serve.lock"), waited: LOCK_PATIENCE }
                }
            });
        }
        thread::sleep(Duration::from_millis(5));
    };
    if mode == Mode::Detached {
        // A session of our own: a terminal that closes or sends Ctrl-C does not reach us. It fails
        // only if we lead a process group, and then we are out of reach already.
        let _ = rustix::process::setsid();
        std::env::set_current_dir("/").map_err(Error::io("entering", Path::new("/")))?;
    }
    let own = ProcessIdentity::own().ok_or_else(|| Error::Io {
        what: "reading the start time of our own process from",
        path: "/proc".into(),
        source: io::Error::other("not there"),
    })?;
    home.sign(&serving, &own)?;
    let previous = State::read(&home.state_file())?;
    let mut state = State::starting(own, options.engine);
    state.open = options.no_password;
    // Still true if we are killed before we know better.
    state.server = previous.as_ref().and_then(|previous| previous.server.clone());
    state.port = previous.as_ref().and_then(|previous| previous.port);
    state.faults = options.faults.as_ref().map(|faults| FaultState {
        plan: faults.plan.to_string(),
        seed: faults.seed.unwrap_or_else(draw_seed),
    });
    let mut keeper = Keeper::begin(&home, &serving)?;
    keeper.write(&state)?;
    let mut context =
        Context { home: &home, options, state, previous, serving: &serving, keeper: &keeper };
    let mut on_ready = |running: &Running| {
        ready(running);
        starting = None;
    };
    let ended = context.run(&mut on_ready);
    let mut state = context.state;
    keeper.end();
    match ended {
        // Otherwise it is another's by now, or gone.
        Ok(()) if !home.still_holds(&serving) => Ok(()),
        Ok(()) => State::remove(&home.state_file()),
        Err(error) => {
            state.phase = Phase::Failed(error.to_string());
            state.server = None;
            // The error itself matters more than that it could not be noted down.
            let _ = state.write(&home.state_file());
            Err(error)
        }
    }
}

struct Context<'a> {
    home: &'a Home,
    options: &'a Options,
    state: State,
    previous: Option<State>,
    serving: &'a fs::File,
    keeper: &'a Keeper,
}

/// Why we stop serving.
enum End {
    Told,
    HomeGone,
}

impl Context<'_> {
    fn run(&mut self, ready: &mut dyn FnMut(&Running)) -> Result<(), Error> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Error::io("starting threads for", self.home.instance()))?;
        // From here on a signal waits until we can stop in an orderly way.
        let signals = {
            let _in_runtime = runtime.enter();
            Signals::install().map_err(Error::io("handling signals for", self.home.instance()))?
        };
        match self.options.engine {
            Engine::Postgres => self.run_postgres(&runtime, signals, ready),
            Engine::Cockroach => self.run_cockroach(&runtime, signals, ready),
        }
    }

    fn run_postgres(
        &mut self,
        runtime: &Runtime,
        signals: Signals,
        ready: &mut dyn FnMut(&Running),
    ) -> Result<(), Error> {
        let run_as = RunAs::choose()?;
        let copies = self.home.binaries_dir(&run_as);
        let binaries = Binaries::find(&Search::new(self.options), &run_as, &copies)?;
        let cluster = Cluster::new(self.home, binaries, run_as)?;
        let fresh = cluster.init()?;
        let (mut server, address) = cluster.start()?;
        let served =
            self.serve_postgres(runtime, signals, ready, &cluster, &mut server, &address, fresh);
        let stopped = match &served {
            // The data is gone: there is nothing to write to.
            Ok(End::HomeGone) => server.stop(Signal::QUIT),
            _ => server.stop(Signal::INT),
        };
        if stopped.is_ok() {
            socket::remove(&address.socket_dir, cluster.file_owner());
        }
        // One that is not in the instance's directory is in /tmp.
        if let Some(directory) = &self.state.client_socket
            && !directory.starts_with(self.home.instance())
        {
            socket::remove(directory, rustix::process::geteuid().as_raw());
        }
        served?;
        stopped
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one running endpoint")]
    fn serve_postgres(
        &mut self,
        runtime: &Runtime,
        mut signals: Signals,
        ready: &mut dyn FnMut(&Running),
        cluster: &Cluster,
        server: &mut Server,
        address: &Address,
        fresh: bool,
    ) -> Result<End, Error> {
        let told = bootstrap(address, BOOTSTRAP_SQL)?;
        let backend = BackendAddress {
            socket_dir: address.socket_dir.clone(),
            port: address.port,
            user: CLIENT_ROLE.to_owned(),
        };
        self.state.notes = cluster.notes().to_vec();
        self.state.notes.extend(told);
        let password = self.password()?;
        let (front, port) = runtime.block_on(self.bind(&backend, password.as_deref()))?;
        self.state.server = Some(server.identity().clone());
        self.state.socket_dir = Some(address.socket_dir.clone());
        self.state.data_dir = Some(cluster.data_dir().to_path_buf());
        self.state.version = Some(format!("PostgreSQL {}", cluster.binaries().version()));
        self.announce(port, password.as_deref(), ready)?;
        if fresh {
            let mut sync = cluster.sync_command();
            // Its end is of no consequence: PostgreSQL itself writes what changes from here on.
            thread::spawn(move || sync.status());
        }
        let (farewell, told) = oneshot::channel::<()>();
        let mut serving = runtime.spawn(front.serve(async {
            // The sender is dropped only when we return.
            let _ = told.await;
        }));
        let end = runtime.block_on(async {
            let mut watch = tokio::time::interval(WATCH);
            let mut restarts = Vec::new();
            loop {
                tokio::select! {
                    () = signals.received() => return Ok(End::Told),
                    _ = watch.tick() => {}
                    ended = &mut serving => return Err(listener_failed(port, ended)),
                }
                if !self.home.still_holds(self.serving) {
                    return Ok(End::HomeGone);
                }
                if !server.is_running() {
                    restarts.retain(|at: &Instant| at.elapsed() < RESTART_WINDOW);
                    if restarts.len() >= RESTARTS {
                        return Err(Error::ServerFailed {
                            program: "postgres",
                            reason: format!(
                                "it ended {RESTARTS} times within {} s",
                                RESTART_WINDOW.as_secs()
                            ),
                            log: self.home.server_log_file(),
                        });
                    }
                    restarts.push(Instant::now());
                    // Clients are served by other threads meanwhile, and told to come back.
                    let (again, at) = match cluster.start() {
                        Ok(started) => started,
                        // What stands in the way may be ending.
                        Err(Error::ServerFailed { .. }) if restarts.len() < RESTARTS => {
                            tokio::time::sleep(RESTART_PAUSE).await;
                            continue;
                        }
                        Err(error) => return Err(error),
                    };
                    *server = again;
                    self.state.server = Some(server.identity().clone());
                    self.keeper.write(&self.state)?;
                    if at != *address {
                        return Err(Error::ServerFailed {
                            program: "postgres",
                            reason: "its socket directory was taken away while it ran".to_owned(),
                            log: self.home.server_log_file(),
                        });
                    }
                }
            }
        });
        drop(farewell);
        if matches!(end, Ok(End::Told)) {
            self.announce_end()?;
        }
        runtime.block_on(async {
            if !serving.is_finished() {
                // Whoever is not served by then is cut off when the server stops.
                let _ = tokio::time::timeout(FAREWELL, serving).await;
            }
        });
        end
    }

    /// Binds the port asked for and no other; or that of a killed predecessor, whose clients come
    /// back to it; or the usual one; or a free one.
    async fn bind(
        &mut self,
        backend: &BackendAddress,
        password: Option<&str>,
    ) -> Result<(Front, u16), Error> {
        let verifier = password
            .map(Verifier::new)
            .transpose()
            .map_err(Error::io("reading", Path::new("/dev/urandom")))?;
        let predecessor = self.previous.as_ref().and_then(|previous| previous.port);
        let ports: Vec<u16> = match self.options.port {
            Some(port) => vec![port],
            None => predecessor.into_iter().chain([DEFAULT_PORT, 0]).collect(),
        };
        let place = Path::new("127.0.0.1");
        for port in ports {
            let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let faults = self.state.faults.as_ref();
            match Front::bind(listen, backend, verifier.as_ref(), faults).await {
                Ok(mut front) => {
                    let directory = self.home.client_socket()?;
                    let bound = front.bind_socket(&directory);
                    if bound.map_err(Error::io("listening in", &directory))? {
                        self.state.client_socket = Some(directory);
                    }
                    let address = front.local_addr().map_err(Error::io("reading", place))?;
                    return Ok((front, address.port()));
                }
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                    if self.options.port.is_some() {
                        return Err(Error::PortTaken { port });
                    }
                    if port == DEFAULT_PORT {
                        self.state.notes.push(format!("port {port} is taken; a free one is used"));
                    }
                }
                Err(e) => {
                    let path = format!("127.0.0.1:{port}").into();
                    return Err(Error::Io { what: "listening on", path, source: e });
                }
            }
        }
        Err(Error::PortTaken { port: DEFAULT_PORT })
    }

    /// What clients must know, unless nothing was asked for.
    fn password(&mut self) -> Result<Option<String>, Error> {
        if self.options.no_password {
            return Ok(None);
        }
        let (password, note) = secret::keep(&self.home.password_file())?;
        self.state.notes.extend(note);
        Ok(Some(password))
    }

    fn announce(
        &mut self,
        port: u16,
        password: Option<&str>,
        ready: &mut dyn FnMut(&Running),
    ) -> Result<(), Error> {
        let password = password.map_or_else(String::new, |password| format!(":{password}"));
        let url = format!(
            "postgresql://{CLIENT_ROLE}{password}@127.0.0.1:{port}/{DEFAULT_DATABASE}?sslmode=disable"
        );
        self.state.port = Some(port);
        self.state.url = Some(url);
        self.state.phase = Phase::Ready;
        self.keeper.write(&self.state)?;
        if let Some(running) = crate::launch::running(&self.state, self.home, false) {
            ready(&running);
        }
        Ok(())
    }

    /// Whoever wants to start an endpoint from now on waits for us to be gone.
    fn announce_end(&mut self) -> Result<(), Error> {
        self.state.phase = Phase::Stopping;
        self.keeper.write(&self.state)
    }

    fn run_cockroach(
        &mut self,
        runtime: &Runtime,
        mut signals: Signals,
        ready: &mut dyn FnMut(&Running),
    ) -> Result<(), Error> {
        if self.options.faults.is_some() {
            return Err(Error::FaultsWithoutEndpoint);
        }
        let program = cockroach::find(variable("PATH").as_deref())?;
        let left_over = self.previous.as_ref().and_then(|previous| {
            let server = previous.server.clone();
            let server = server.filter(|server| cockroach::is_ours(server, self.home))?;
            let port = previous.port.filter(|_| previous.engine == Engine::Cockroach)?;
            cockroach::adopt(server, port, self.home)
        });
        let mut started = match left_over {
            Some(started) => started,
            None => cockroach::start(self.home, &program, self.options.port)?,
        };
        self.state.server = Some(started.server.identity().clone());
        self.state.data_dir = Some(started.store);
        self.state.version = started.version;
        if self.options.port.is_none() && started.port != DEFAULT_PORT {
            self.state.notes.push(format!("port {DEFAULT_PORT} is taken; a free one is used"));
        }
        self.state.notes.push(
            "CockroachDB runs with --insecure: every user of this machine can connect".to_owned(),
        );
        let served = self.announce(started.port, None, ready).and_then(|()| {
            runtime.block_on(async {
                let mut watch = tokio::time::interval(WATCH);
                loop {
                    tokio::select! {
                        () = signals.received() => return self.announce_end(),
                        _ = watch.tick() => {}
                    }
                    if !self.home.still_holds(self.serving) {
                        return Ok(());
                    }
                    if !started.server.is_running() {
                        return Err(Error::ServerFailed {
                            program: "cockroach",
                            reason: "it ended by itself".to_owned(),
                            log: self.home.server_log_file(),
                        });
                    }
                }
            })
        });
        let stopped = started.server.stop(Signal::TERM);
        served.and(stopped)
    }
}

/// The listener ends only when it is told to; what it said, or that it broke, is in the error.
fn listener_failed(port: u16, ended: Result<io::Result<()>, tokio::task::JoinError>) -> Error {
    let source = match ended {
        Ok(Ok(())) => io::Error::other("it ended by itself"),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    };
    Error::Io { what: "serving clients on", path: format!("127.0.0.1:{port}").into(), source }
}
