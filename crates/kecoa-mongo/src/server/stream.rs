//! A client's socket, plain or encrypted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kecoa_server::listener::Peer;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::service::Address;
use super::socket::Socket;
use super::tls::Tls;
use crate::command::Gone;

/// How long a client has for its part of TLS's handshake.
const HANDSHAKE: Duration = Duration::from_secs(20);

/// What TLS begins with: the kind of its first record.
const TLS_RECORD: u8 = 0x16;

pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A client's socket.
pub(super) struct Stream {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) address: Address,
    pub(super) local: Option<SocketAddr>,
    pub(super) is_encrypted: bool,
    pub(super) gone: Gone,
}

impl Stream {
    /// Where the client comes from, and TLS if it and we want it.
    pub(super) async fn open(peer: Peer, tls: &Tls) -> io::Result<Self> {
        let Peer::Tcp(stream) = &peer else {
            return Ok(Self::plain(Socket::new(peer), Address::Unix, None));
        };
        let address = Address::Tcp(stream.peer_addr()?);
        let local = stream.local_addr().ok();
        let config = match tls {
            // Its first bytes, read as a length, would make both sides wait.
            Tls::Disabled if asks_for_tls(stream).await? => {
                return Err(io::ErrorKind::Unsupported.into());
            }
            Tls::Disabled => None,
            Tls::Required(config) => Some(config),
            Tls::Allowed(config) => asks_for_tls(stream).await?.then_some(config),
        };
        match config {
            None => Ok(Self::plain(Socket::new(peer), address, local)),
            Some(config) => encrypted(Socket::new(peer), address, local, config.clone()).await,
        }
    }

    fn plain(socket: Socket, address: Address, local: Option<SocketAddr>) -> Self {
        let gone = socket.gone();
        let (reader, writer) = (Box::new(socket.reader), Box::new(socket.writer));
        Self { reader, writer, address, local, is_encrypted: false, gone }
    }
}

async fn asks_for_tls(stream: &TcpStream) -> io::Result<bool> {
    // A plain message of 790 bytes begins with the same two bytes, but its third is zero, where TLS has the second
    // number of its version. Who sends less than three bytes at first is taken by what there is.
    let mut first = [0; 3];
    let read = stream.peek(&mut first).await?;
    Ok(match (read, first) {
        (0, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
        (1, [kind, ..]) => kind == TLS_RECORD,
        (2, [kind, version, _]) => kind == TLS_RECORD && version == 3,
        (_, [kind, version, minor]) => kind == TLS_RECORD && version == 3 && minor != 0,
    })
}

async fn encrypted(
    socket: Socket,
    address: Address,
    local: Option<SocketAddr>,
    config: Arc<ServerConfig>,
) -> io::Result<Stream> {
    let gone = socket.gone();
    let accepted = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(socket));
    let stream = accepted.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let (reader, writer) = tokio::io::split(stream);
    let (reader, writer) = (Box::new(reader), Box::new(writer));
    Ok(Stream { reader, writer, address, local, is_encrypted: true, gone })
}
