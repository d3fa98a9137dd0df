//! The loop of a server: a task for each client, until the server stops.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::listener::{Listener, Peer};
use crate::workers::Workers;

/// How long to wait after accept() failed, for file descriptors to become free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the loop is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many clients are served at a time; others wait in the system's queue.
    pub clients: usize,
    /// How long clients have to end when the server stops; those that are left are cut off.
    pub grace_period: Duration,
}

impl Default for Limits {
    /// Any number of clients, a second to end.
    fn default() -> Limits {
        Limits { clients: usize::MAX, grace_period: Duration::from_secs(1) }
    }
}

/// Notifies a client's task that the server stops.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Is done once the server stops. Losing the future loses nothing.
    pub async fn requested(&mut self) {
        // Without its sender the loop is gone: that is a stop, too.
        let _ = self.0.wait_for(|requested| *requested).await;
    }
}

/// Serves clients until `shutdown` is done: `handle` makes of each a future, which runs as a task of its
/// own. A client whose task panics is lost, and no other. When the server stops, each task is
/// notified by its [`Shutdown`] and has [`Limits::grace_period`] to end.
pub async fn serve<F, C>(
    listener: &Listener,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
    mut handle: F,
) where
    F: FnMut(Peer, Shutdown) -> C,
    C: Future<Output = ()> + Send + 'static,
{
    run(listener, limits, shutdown, |clients, peer, shutdown| {
        clients.spawn(handle(peer, shutdown));
    })
    .await;
}

/// The same, where each client's task runs on one of `workers`.
pub async fn serve_on<F, C>(
    workers: &Workers,
    listener: &Listener,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
    mut handle: F,
) where
    F: FnMut(Peer, Shutdown) -> C,
    C: Future<Output = ()> + Send + 'static,
{
    run(listener, limits, shutdown, |clients, peer, shutdown| {
        let Some(worker) = workers.quietest() else { return };
        // Without room for it there the client finds its connection closed.
        let Ok(peer) = peer.move_to(worker.handle()) else { return };
        let (place, served) = (worker.place(), handle(peer, shutdown));
        let served = async move {
            let _place = place;
            served.await;
        };
        clients.spawn_on(served, worker.handle());
    })
    .await;
}

async fn run(
    listener: &Listener,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
    mut spawn: impl FnMut(&mut JoinSet<()>, Peer, Shutdown),
) {
    let (stop, stopped) = watch::channel(false);
    let mut clients = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept(), if clients.len() < limits.clients => match accepted {
                Ok(peer) => spawn(&mut clients, peer, Shutdown(stopped.clone())),
                // A client that left before it was accepted, or no descriptors: both pass.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            // The panic hook has reported a task that panicked.
            Some(_) = clients.join_next() => {}
        }
    }
    let _ = stop.send(true);
    let grace_period = async { while clients.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(limits.grace_period, grace_period).await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;

    /// Greets a client, echoes a byte and panics at the byte `!`; sends `bye` when the server stops.
    async fn echo(peer: Peer, mut shutdown: Shutdown) {
        let Peer::Tcp(mut stream) = peer else { return };
        stream.write_all(b"+").await.unwrap();
        loop {
            tokio::select! {
                read = stream.read_u8() => match read {
                    Ok(b'!') => panic!("asked for"),
                    Ok(byte) => stream.write_all(&[byte]).await.unwrap(),
                    Err(_) => return,
                },
                () = shutdown.requested() => {
                    let _ = stream.write_all(b"bye").await;
                    return;
                }
            }
        }
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'+');
        client
    }

    #[tokio::test]
    async fn a_panic_ends_its_client_only_and_the_others_are_told_of_the_end() {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            serve(&listener, Limits::default(), shutdown, echo).await;
        });
        let mut one = connect(address).await;
        let mut other = connect(address).await;
        one.write_all(b"!").await.unwrap();
        assert!(one.read_u8().await.is_err());
        other.write_all(b"x").await.unwrap();
        assert_eq!(other.read_u8().await.unwrap(), b'x');
        drop(stop);
        let mut rest = String::new();
        other.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "bye");
        served.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn clients_are_served_on_threads_of_their_own() {
        let workers = Workers::start().unwrap();
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            let handle = |peer, shutdown| async {
                let name = std::thread::current().name().map(str::to_owned);
                assert_eq!(name.as_deref(), Some("kecoa-clients"));
                echo(peer, shutdown).await;
            };
            serve_on(&workers, &listener, Limits::default(), shutdown, handle).await;
        });
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(connect(address).await);
        }
        for client in &mut clients {
            client.write_all(b"x").await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), b'x');
        }
        clients[0].write_all(b"!").await.unwrap();
        assert!(clients[0].read_u8().await.is_err());
        drop(stop);
        let mut rest = String::new();
        clients[1].read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "bye");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn more_clients_than_the_limit_wait() {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let running = Arc::new(AtomicUsize::new(0));
        let counter = running.clone();
        let limits = Limits { clients: 1, ..Limits::default() };
        let handle = move |peer, shutdown| {
            counter.fetch_add(1, Ordering::SeqCst);
            echo(peer, shutdown)
        };
        tokio::spawn(async move {
            serve(&listener, limits, std::future::pending(), handle).await;
        });
        let one = connect(address).await;
        let mut two = TcpStream::connect(address).await.unwrap();
        let greeted = tokio::time::timeout(Duration::from_millis(100), two.read_u8()).await;
        assert!(greeted.is_err());
        assert_eq!(running.load(Ordering::SeqCst), 1);
        drop(one);
        assert_eq!(two.read_u8().await.unwrap(), b'+');
    }
}
