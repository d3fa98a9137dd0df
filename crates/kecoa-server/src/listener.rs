//! Where clients come from: TCP, or a unix socket of the server's own.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream, tcp, unix};
use tokio::runtime::Handle;

use crate::buffered::Glance;

/// What a client's bytes come out of.
#[derive(Debug)]
pub enum Reader {
    /// Half of a TCP connection.
    Tcp(tcp::OwnedReadHalf),
    /// Half of a connection over a unix socket.
    Unix(unix::OwnedReadHalf),
}

/// What a client's answers go into.
#[derive(Debug)]
pub enum Writer {
    /// Half of a TCP connection.
    Tcp(tcp::OwnedWriteHalf),
    /// Half of a connection over a unix socket.
    Unix(unix::OwnedWriteHalf),
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Reader::Tcp(half) => Pin::new(half).poll_read(context, buffer),
            Reader::Unix(half) => Pin::new(half).poll_read(context, buffer),
        }
    }
}

impl Glance for unix::OwnedReadHalf {
    fn glance(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let stream: &UnixStream = self.as_ref();
        Ok(recv(stream, buffer, RecvFlags::DONTWAIT)?.0)
    }
}

impl Glance for Reader {
    fn glance(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Reader::Tcp(half) => {
                let stream: &TcpStream = half.as_ref();
                Ok(recv(stream, buffer, RecvFlags::DONTWAIT)?.0)
            }
            Reader::Unix(half) => half.glance(buffer),
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Writer::Tcp(half) => Pin::new(half).poll_write(context, bytes),
            Writer::Unix(half) => Pin::new(half).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Writer::Tcp(half) => Pin::new(half).poll_flush(context),
            Writer::Unix(half) => Pin::new(half).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Writer::Tcp(half) => Pin::new(half).poll_shutdown(context),
            Writer::Unix(half) => Pin::new(half).poll_shutdown(context),
        }
    }
}

/// A client that was accepted.
#[derive(Debug)]
pub enum Peer {
    /// Over TCP: anybody who reaches the port.
    Tcp(TcpStream),
    /// Over the unix socket.
    Unix(UnixStream),
}

impl Peer {
    /// Whether the system says that it is a process of our own user, or of root: it needs no password.
    /// Never true of TCP, whose other end nobody vouches for.
    pub fn is_same_user(&self) -> bool {
        match self {
            Peer::Tcp(_) => false,
            Peer::Unix(stream) => {
                let us = rustix::process::geteuid().as_raw();
                stream.peer_cred().is_ok_and(|peer| peer.uid() == us || peer.uid() == 0)
            }
        }
    }

    /// The same client, watched by the event loop that `runtime` has.
    ///
    /// # Errors
    /// When the system has no room for it there.
    pub(crate) fn move_to(self, runtime: &Handle) -> io::Result<Peer> {
        match self {
            Peer::Tcp(stream) => {
                let stream = stream.into_std()?;
                let _in_runtime = runtime.enter();
                TcpStream::from_std(stream).map(Peer::Tcp)
            }
            Peer::Unix(stream) => {
                let stream = stream.into_std()?;
                let _in_runtime = runtime.enter();
                UnixStream::from_std(stream).map(Peer::Unix)
            }
        }
    }

    /// The two directions.
    pub fn into_split(self) -> (Reader, Writer) {
        match self {
            Peer::Tcp(stream) => {
                let (reader, writer) = stream.into_split();
                (Reader::Tcp(reader), Writer::Tcp(writer))
            }
            Peer::Unix(stream) => {
                let (reader, writer) = stream.into_split();
                (Reader::Unix(reader), Writer::Unix(writer))
            }
        }
    }
}

/// A unix socket, removed when dropped.
#[derive(Debug)]
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path, closed)?;
        Ok(Self { listener, path: path.to_path_buf() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A TCP port, and a unix socket if there is one.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    unix: Option<Socket>,
}

impl Listener {
    /// Binds the port; 0 takes a free one.
    ///
    /// # Errors
    /// What the operating system says of the address: in use, not allowed.
    pub async fn bind(address: SocketAddr) -> io::Result<Listener> {
        Ok(Listener { tcp: TcpListener::bind(address).await?, unix: None })
    }

    /// Listens on a unix socket, too. The directory of `path` must be closed to others; what stands at
    /// `path`, which a predecessor may have left, is replaced: the caller knows that none serves.
    ///
    /// # Errors
    /// What the operating system says of the path. Outside of a tokio runtime.
    pub fn bind_socket(&mut self, path: &Path) -> io::Result<()> {
        self.unix = Some(Socket::bind(path)?);
        Ok(())
    }

    /// The address that was bound, with the real port.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The next client of either. Losing the future loses nobody.
    ///
    /// # Errors
    /// A client that left before it was accepted, or no file descriptors: both pass.
    pub async fn accept(&self) -> io::Result<Peer> {
        let tcp = async {
            let (stream, _) = self.tcp.accept().await?;
            // Answers are small and waited for.
            let _ = stream.set_nodelay(true);
            Ok(Peer::Tcp(stream))
        };
        match &self.unix {
            None => tcp.await,
            Some(socket) => tokio::select! {
                accepted = tcp => accepted,
                accepted = socket.listener.accept() => accepted.map(|(stream, _)| Peer::Unix(stream)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn both_are_served_and_only_the_socket_vouches_for_its_clients() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        std::fs::write(&path, "left over").unwrap();
        let mut listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        listener.bind_socket(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let _client = UnixStream::connect(&path).await.unwrap();
        assert!(listener.accept().await.unwrap().is_same_user());
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(!listener.accept().await.unwrap().is_same_user());
        drop(listener);
        assert!(!path.exists());
    }
}
