//! Serving with the embedded PostgreSQL, and the endpoint in front of it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use kecoa_server::secret;
use kecoa_server::signals::Signals;
use rustix::process::Signal;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use super::context::{Context, INTERVAL};
use crate::dialect::BOOTSTRAP_SQL;
use crate::endpoint::{BackendAddress, Password, PasswordReader};
use crate::error::Error;
use crate::layout;
use crate::listener::Listener;
use crate::ports::Ports;
use crate::postgres::cluster::Address;
use crate::postgres::socket;
use crate::postgres::{
    Binaries, CLIENT_ROLE, Cluster, RunAs, SUPERUSER, Search, Server, bootstrap,
};

/// A server that ends more often than this within [`RESTART_WINDOW`] is given up.
const RESTARTS: usize = 5;
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const RESTART_WINDOW: Duration = Duration::from_secs(60);
/// Clients have this long to receive the error that ends them.
const SHUTDOWN_GRACE_PERIOD: Duration = Duration::from_secs(3);

/// Why we stop serving.
enum End {
    /// A signal came.
    Signalled,
    /// The home was removed.
    HomeGone,
}

/// The embedded server.
struct Embedded {
    cluster: Cluster,
    server: Server,
    address: Address,
}

impl Context<'_> {
    pub(super) fn run_postgres(
        &mut self,
        runtime: &Runtime,
        mut signals: Signals,
    ) -> Result<(), Error> {
        Ports::of(self.home(), self.options, None).check()?;
        let run_as = RunAs::choose()?;
        let copies = layout::binaries_dir(self.home(), &run_as);
        self.progress("looking for PostgreSQL's programs")?;
        let binaries = Binaries::find(&Search::new(self.options), &run_as, &copies)?;
        let (root, note) = layout::data_root(self.home(), &run_as)?;
        self.details().notes.extend(note);
        self.details().notes.extend(binaries.note());
        let log = layout::server_log_file(self.home());
        let cluster = Cluster::new(&root, log, binaries, run_as)?;
        self.details().notes.extend_from_slice(cluster.notes());
        self.progress("making the data directory (initdb)")?;
        let fresh = cluster.init(&mut || signals.have_come())?;
        self.progress("starting PostgreSQL")?;
        let (server, address) = cluster.start(&mut || signals.have_come())?;
        let mut embedded = Embedded { cluster, server, address };
        let served = self.serve_postgres(runtime, signals, &mut embedded, fresh);
        let Embedded { cluster, server, address } = embedded;
        let stopped = match &served {
            // The data is gone: there is nothing to write to.
            Ok(End::HomeGone) => server.stop(Signal::QUIT),
            _ => server.stop(Signal::INT),
        };
        if stopped.is_ok() {
            socket::remove(&address.socket_dir, cluster.file_owner());
        }
        // One that is not in the instance's directory is in /tmp.
        if let Some(directory) = &self.serving.state.details.client_socket
            && !directory.starts_with(self.home().instance())
        {
            socket::remove(directory, rustix::process::geteuid().as_raw());
        }
        served?;
        stopped
    }

    fn serve_postgres(
        &mut self,
        runtime: &Runtime,
        signals: Signals,
        embedded: &mut Embedded,
        fresh: bool,
    ) -> Result<End, Error> {
        let Embedded { cluster, server, address } = &*embedded;
        let notes = bootstrap::each(address, BOOTSTRAP_SQL, &mut |database| {
            self.progress(&format!("preparing the database {database:?}"))
        })?;
        let backend = BackendAddress {
            socket_dir: address.socket_dir.clone(),
            port: address.port,
            user: CLIENT_ROLE.to_owned(),
        };
        self.details().notes.extend(notes);
        let password = self.password()?;
        let (listener, port) = runtime.block_on(self.bind(&backend, password.as_deref()))?;
        let details = self.details();
        details.server = Some(server.identity().clone());
        details.socket_dir = Some(address.socket_dir.clone());
        details.data_dir = Some(cluster.data_dir().to_path_buf());
        details.version = Some(format!("PostgreSQL {}", cluster.binaries().version()));
        self.announce(port, password.as_deref())?;
        if fresh {
            let mut sync = cluster.sync_command();
            // Its end is of no consequence: PostgreSQL itself writes what changes from here on.
            thread::spawn(move || sync.status());
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let mut serving = runtime.spawn(listener.serve(async {
            // The sender is dropped only when we return.
            let _ = stopped.await;
        }));
        let end = runtime.block_on(self.supervise(signals, embedded, port, &mut serving));
        drop(stop);
        if matches!(end, Ok(End::Signalled)) {
            self.serving.stopping()?;
        }
        runtime.block_on(async {
            if !serving.is_finished() {
                // Whoever is not served by then is cut off when the server stops.
                let _ = tokio::time::timeout(SHUTDOWN_GRACE_PERIOD, serving).await;
            }
        });
        end
    }

    /// Starts a database server that ended again, until there is a reason to stop.
    async fn supervise(
        &mut self,
        mut signals: Signals,
        embedded: &mut Embedded,
        port: u16,
        serving: &mut JoinHandle<()>,
    ) -> Result<End, Error> {
        let mut interval = tokio::time::interval(INTERVAL);
        let mut restarts = Vec::new();
        loop {
            tokio::select! {
                () = signals.received() => return Ok(End::Signalled),
                _ = interval.tick() => {}
                ended = &mut *serving => return Err(listener_failed(port, ended)),
            }
            if !self.serving.still_holds_home() {
                return Ok(End::HomeGone);
            }
            if embedded.server.is_running() {
                continue;
            }
            restarts.retain(|at: &Instant| at.elapsed() < RESTART_WINDOW);
            if restarts.len() >= RESTARTS {
                let window = RESTART_WINDOW.as_secs();
                return Err(self.failed(format!("it ended {RESTARTS} times within {window} s")));
            }
            restarts.push(Instant::now());
            // Clients are served by other threads meanwhile, and receive an error that asks them to retry.
            let (server, address) = match embedded.cluster.start(&mut || signals.have_come()) {
                Ok(started) => started,
                // What stands in the way may be ending.
                Err(Error::ServerFailed { .. }) if restarts.len() < RESTARTS => {
                    tokio::time::sleep(RESTART_PAUSE).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            embedded.server = server;
            self.details().server = Some(embedded.server.identity().clone());
            self.serving.write()?;
            if address != embedded.address {
                return Err(
                    self.failed("its socket directory was taken away while it ran".to_owned())
                );
            }
        }
    }

    fn failed(&self, reason: String) -> Error {
        Error::ServerFailed {
            program: "postgres",
            reason,
            log: layout::server_log_file(self.home()),
        }
    }

    /// Binds the first of its ports that is free.
    async fn bind(
        &mut self,
        backend: &BackendAddress,
        password: Option<&str>,
    ) -> Result<(Listener, u16), Error> {
        let password = password
            .map(Password::new)
            .transpose()
            .map_err(Error::io("reading", Path::new("/dev/urandom")))?;
        let previous = self.serving.previous.as_ref().and_then(|previous| previous.details.port);
        let ports = Ports::of(self.home(), self.options, previous);
        let place = Path::new("127.0.0.1");
        let reader = PasswordReader {
            user: SUPERUSER.to_owned(),
            database: bootstrap::TEMPLATE.to_owned(),
            options: bootstrap::OPTIONS.to_owned(),
        };
        for port in ports.candidates() {
            let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let faults = self.details().faults.clone();
            match Listener::bind(listen, backend, password.as_ref(), &reader, faults.as_ref()).await
            {
                Ok(mut listener) => {
                    let directory = layout::client_socket(self.home())?;
                    let bound = listener.bind_socket(&directory);
                    if bound.map_err(Error::io("listening in", &directory))? {
                        self.details().client_socket = Some(directory);
                    }
                    let address = listener.local_addr().map_err(Error::io("reading", place))?;
                    self.details().notes.extend(ports.note(address.port()));
                    ports.keep(self.home(), address.port())?;
                    return Ok((listener, address.port()));
                }
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => {
                    let path = format!("127.0.0.1:{port}").into();
                    let what = "listening on";
                    return Err(kecoa_server::Error::Io { what, path, source }.into());
                }
            }
        }
        Err(ports.taken())
    }

    /// What clients must know, unless nothing was asked for.
    fn password(&mut self) -> Result<Option<String>, Error> {
        if self.options.no_password {
            return Ok(None);
        }
        let (password, note) = secret::password(&layout::password_file(self.home()))?;
        self.details().notes.extend(note);
        Ok(Some(password))
    }
}

/// The listener ends only at a shutdown.
fn listener_failed(port: u16, ended: Result<(), JoinError>) -> Error {
    let source = match ended {
        Ok(()) => io::Error::other("it ended by itself"),
        Err(error) => io::Error::other(error),
    };
    let path = format!("127.0.0.1:{port}").into();
    kecoa_server::Error::Io { what: "serving clients on", path, source }.into()
}
