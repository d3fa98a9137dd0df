//! Where a client comes from: TCP, or the endpoint's own unix socket.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream, tcp, unix};

use super::stream::Stream;

/// The stream to the client.
pub(super) type Client = Stream<Reader, Writer>;

/// What a client's bytes come out of.
#[derive(Debug)]
pub(super) enum Reader {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
}

/// What a client's answers go into.
#[derive(Debug)]
pub(super) enum Writer {
    Tcp(tcp::OwnedWriteHalf),
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
pub(super) struct Arrival {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// The system says that it is a process of our own user, or of root: it needs no password.
    pub(super) is_ours: bool,
}

impl Arrival {
    fn tcp(stream: TcpStream) -> Self {
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        Self { reader: Reader::Tcp(reader), writer: Writer::Tcp(writer), is_ours: false }
    }

    fn unix(stream: UnixStream) -> Self {
        let us = rustix::process::geteuid().as_raw();
        let is_ours = stream.peer_cred().is_ok_and(|peer| peer.uid() == us || peer.uid() == 0);
        let (reader, writer) = stream.into_split();
        Self { reader: Reader::Unix(reader), writer: Writer::Unix(writer), is_ours }
    }
}

/// A unix socket, removed when dropped.
#[derive(Debug)]
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds it in place of one that a predecessor left: the caller knows that none serves.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
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

/// The next client of either. Losing the future loses nobody.
pub(super) async fn accept(tcp: &TcpListener, unix: Option<&Socket>) -> io::Result<Arrival> {
    match unix {
        None => tcp.accept().await.map(|(stream, _)| Arrival::tcp(stream)),
        Some(socket) => tokio::select! {
            accepted = tcp.accept() => accepted.map(|(stream, _)| Arrival::tcp(stream)),
            accepted = socket.listener.accept() => accepted.map(|(stream, _)| Arrival::unix(stream)),
        },
    }
}
