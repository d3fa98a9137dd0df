//! The listener, and one on a thread of its own.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use kecoa_proto::SqlState;
use kecoa_server::accept::{self, Limits};
use kecoa_server::listener::{Listener, Peer};
use kecoa_server::signals::Signals;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;

use crate::connection::{refuse, serve};
use crate::event::Log;
use crate::injector::Injector;
use crate::plan::Plan;

/// The server behind the proxy.
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
    /// What each fault is reported to.
    pub log: Log,
}

/// A bound listener that passes bytes between clients and a server, with faults.
pub struct Proxy {
    listener: Listener,
    upstream: Upstream,
    injector: Arc<Injector>,
}

impl Proxy {
    /// Binds the listener. Clients are answered once [`serve`](Self::serve) runs.
    ///
    /// # Errors
    /// What the operating system says of the address: in use, not allowed.
    pub async fn bind(options: ProxyOptions) -> io::Result<Proxy> {
        let ProxyOptions { listen, upstream, plan, seed, log } = options;
        let listener = Listener::bind(listen).await?;
        Ok(Proxy { listener, upstream, injector: Arc::new(Injector::new(&plan, seed, log)) })
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
        let handle = |peer, _| connect(peer, self.upstream.clone(), self.injector.clone());
        accept::serve(&self.listener, Limits::default(), shutdown, handle).await;
    }
}

async fn connect(peer: Peer, upstream: Upstream, injector: Arc<Injector>) {
    // The listener has no other.
    let Peer::Tcp(client) = peer else { return };
    let refused = match upstream {
        Upstream::Tcp(host, port) => match TcpStream::connect((host.as_str(), port)).await {
            Ok(server) => {
                // A byte that is to travel alone must not wait for others.
                let _ = server.set_nodelay(true);
                return serve(&injector, client, server).await;
            }
            Err(error) => error,
        },
        Upstream::Unix(path) => match UnixStream::connect(path).await {
            Ok(server) => return serve(&injector, client, server).await,
            Err(error) => error,
        },
    };
    let reason = format!("the fault harness cannot reach the server behind it: {refused}");
    refuse(client, SqlState::CANNOT_CONNECT_NOW, &reason).await;
}

/// Runs a proxy until SIGTERM, SIGINT or SIGHUP. Must be the business of a whole process: it
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
                    // It is dropped when the proxy is.
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
