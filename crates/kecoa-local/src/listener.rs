//! What clients of the endpoint connect to: the endpoint itself, or the fault proxy before it.

use std::future::Future;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use kecoa_faults::{Plan, Proxy, ProxyOptions, Upstream};
use tokio::sync::oneshot;

use crate::endpoint::{BackendAddress, Endpoint, EndpointOptions, Password, PasswordReader};
use crate::state::FaultState;

/// A bound listener, and behind it the endpoint.
pub(crate) enum Listener {
    /// Clients reach the endpoint at once.
    Direct(Endpoint),
    /// Clients reach a fault proxy, and through it the endpoint on a port of its own.
    Faulty(Endpoint, Proxy),
}

impl Listener {
    /// Binds what clients will connect to.
    pub(crate) async fn bind(
        listen: SocketAddr,
        backend: &BackendAddress,
        password: Option<&Password>,
        passwords: &PasswordReader,
        faults: Option<&FaultState>,
    ) -> io::Result<Listener> {
        let options = |listen| {
            let mut options = EndpointOptions::new(listen, backend.clone());
            options.password = password.cloned();
            options.passwords = Some(passwords.clone());
            options
        };
        let Some(FaultState { plan, seed }) = faults else {
            return Ok(Listener::Direct(Endpoint::bind(options(listen)).await?));
        };
        let hidden = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = Endpoint::bind(options(hidden)).await?;
        let behind = endpoint.local_addr()?;
        let plan: Plan = plan.parse().map_err(io::Error::other)?;
        let proxy = Proxy::bind(ProxyOptions {
            listen,
            upstream: Upstream::Tcp(behind.ip().to_string(), behind.port()),
            plan,
            seed: *seed,
            log: Arc::new(|happened| {
                // Standard error is the log of a process in the background.
                let _ = writeln!(io::stderr(), "{happened}");
            }),
        })
        .await?;
        Ok(Listener::Faulty(endpoint, proxy))
    }

    /// Listens on a unix socket in `directory`, too. The fault proxy has none: a connection that is
    /// without faults there would be one that nobody asked for.
    pub(crate) fn bind_socket(&mut self, directory: &Path) -> io::Result<bool> {
        match self {
            Listener::Direct(endpoint) => {
                let port = endpoint.local_addr()?.port();
                endpoint.bind_socket(&directory.join(format!(".s.PGSQL.{port}"))).map(|()| true)
            }
            Listener::Faulty(..) => Ok(false),
        }
    }

    /// The address that clients connect to.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Listener::Direct(endpoint) => endpoint.local_addr(),
            Listener::Faulty(_, proxy) => proxy.local_addr(),
        }
    }

    /// Serves clients until `shutdown` is done.
    pub(crate) async fn serve(self, shutdown: impl Future<Output = ()>) {
        match self {
            Listener::Direct(endpoint) => endpoint.serve(shutdown).await,
            Listener::Faulty(endpoint, proxy) => {
                let (over, ended) = oneshot::channel::<()>();
                let served = async {
                    endpoint.serve(shutdown).await;
                    drop(over);
                };
                // The endpoint's last messages still have to get through the fault proxy.
                let proxied = proxy.serve(async {
                    let _ = ended.await;
                });
                tokio::join!(served, proxied);
            }
        }
    }
}
