//! The listener, and one on a thread of its own.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kecoa_proto::SqlState;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::connection::{Harness, refuse, serve};
use super::{Log, Plan};
use kecoa_server::signals::Signals;

/// How long connections have to come to their end when the harness stops.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long to wait after accept() failed, for file descriptors to become free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The server behind the harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// A host's name or address, and a port.
    Tcp(String, u16),
    /// The path of a unix socket.
    Unix(PathBuf),
}

/// What a [`Proxy`] needs.
#[derive(Clone)]
pub struct ProxyOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The server behind.
    pub upstream: Upstream,
    /// What is to go wrong.
    pub plan: Plan,
    /// The seed of every connection that does not choose its own.
    pub seed: u64,
    /// Who is told of each fault.
    pub log: Log,
}

/// A bound listener that passes bytes between clients and a server, with faults.
pub struct Proxy {
    listener: TcpListener,
    upstream: Upstream,
    harness: Arc<Harness>,
}

impl Proxy {
    /// Binds the listener. Clients are answered once [`serve`](Self::serve) runs.
    ///
    /// # Errors
    /// What the operating system says of the address: in use, not allowed.
    pub async fn bind(options: ProxyOptions) -> io::Result<Proxy> {
        let ProxyOptions { listen, upstream, plan, seed, log } = options;
        let listener = TcpListener::bind(listen).await?;
        Ok(Proxy { listener, upstream, harness: Arc::new(Harness::new(&plan, seed, log)) })
    }

    /// The address that was bound, with the real port.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves clients until `shutdown` is done; those still connected a second later are cut off.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let mut clients = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((client, _)) => {
                        let harness = self.harness.clone();
                        clients.spawn(connect(client, self.upstream.clone(), harness));
                    }
                    // A client that left before it was accepted, or no descriptors: both pass.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = clients.join_next() => {}
            }
        }
        let rest = async { while clients.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, rest).await;
    }
}

async fn connect(client: TcpStream, upstream: Upstream, harness: Arc<Harness>) {
    // A byte that is to travel alone must not wait for others.
    let _ = client.set_nodelay(true);
    let refused = match upstream {
        Upstream::Tcp(host, port) => match TcpStream::connect((host.as_str(), port)).await {
            Ok(server) => {
                let _ = server.set_nodelay(true);
                return serve(&harness, client, server).await;
            }
            Err(error) => error,
        },
        Upstream::Unix(path) => match UnixStream::connect(path).await {
            Ok(server) => return serve(&harness, client, server).await,
            Err(error) => error,
        },
    };
    let reason = format!("the fault harness cannot reach the server behind it: {refused}");
    refuse(client, SqlState::CANNOT_CONNECT_NOW, &reason).await;
}

/// Runs a harness until SIGTERM, SIGINT or SIGHUP. Must be the business of a whole process: it
/// installs signal handlers. `ready` is called once, with the address that was bound.
///
/// # Errors
/// What the operating system says of the address, of threads or of signals.
pub fn run(options: ProxyOptions, ready: &mut dyn FnMut(SocketAddr)) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::install()?;
        let proxy = Proxy::bind(options).await?;
        ready(proxy.local_addr()?);
        tokio::spawn(async move { proxy.serve(signals.received()).await })
            .await
            .map_err(io::Error::other)
    })
}

/// A [`Proxy`] on a thread of its own, until it is dropped: for tests.
#[derive(Debug)]
pub struct Background {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts it.
    ///
    /// # Errors
    /// What the operating system says of the address, or of a new thread.
    pub fn start(options: ProxyOptions) -> io::Result<Background> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let proxy = runtime.block_on(Proxy::bind(options))?;
        let address = proxy.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("faults".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = proxy.serve(std::future::pending()) => {}
                    // It is dropped when the harness is.
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Background { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It does not panic; and if it did, it has ended.
            let _ = thread.join();
        }
    }
}
