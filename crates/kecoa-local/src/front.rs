//! What clients of the endpoint connect to: the endpoint itself, or the fault harness before it.

use std::future::Future;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::endpoint::{BackendAddress, Endpoint, EndpointOptions, Verifier};
use crate::faults::{Plan, Proxy, ProxyOptions, Upstream};
use crate::state::FaultState;

/// A bound listener, and behind it the endpoint.
pub(crate) enum Front {
    /// Clients reach the endpoint at once.
    Endpoint(Endpoint),
    /// Clients reach a harness, and through it the endpoint on a port of its own.
    Faulty(Endpoint, Proxy),
}

impl Front {
    /// Binds what clients will connect to.
    pub(crate) async fn bind(
        listen: SocketAddr,
        backend: &BackendAddress,
        password: Option<&Verifier>,
        faults: Option<&FaultState>,
    ) -> io::Result<Front> {
        let options = |listen| {
            let mut options = EndpointOptions::new(listen, backend.clone());
            options.password = password.cloned();
            options
        };
        let Some(FaultState { plan, seed }) = faults else {
            return Ok(Front::Endpoint(Endpoint::bind(options(listen)).await?));
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
        Ok(Front::Faulty(endpoint, proxy))
    }

    /// Listens on a unix socket in `directory`, too. The harness has none: a connection that is
    /// without faults there would be one that nobody asked for.
    pub(crate) fn bind_socket(&mut self, directory: &Path) -> io::Result<bool> {
        match self {
            Front::Endpoint(endpoint) => {
                let port = endpoint.local_addr()?.port();
                endpoint.bind_socket(&directory.join(format!(".s.PGSQL.{port}"))).map(|()| true)
            }
            Front::Faulty(..) => Ok(false),
        }
    }

    /// The address that clients connect to.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Front::Endpoint(endpoint) => endpoint.local_addr(),
            Front::Faulty(_, proxy) => proxy.local_addr(),
        }
    }

    /// Serves clients until `shutdown` is done.
    pub(crate) async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        match self {
            Front::Endpoint(endpoint) => endpoint.serve(shutdown).await,
            Front::Faulty(endpoint, proxy) => {
                let (over, ended) = oneshot::channel::<()>();
                let served = async {
                    let served = endpoint.serve(shutdown).await;
                    drop(over);
                    served
                };
                // The endpoint's last words still have to get through the harness.
                let proxied = proxy.serve(async {
                    let _ = ended.await;
                });
                tokio::join!(served, proxied).0
            }
        }
    }
}
