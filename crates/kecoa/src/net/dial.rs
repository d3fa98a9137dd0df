//! From an address to a connected socket.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, TcpKeepalive, Type};

use super::address::Address;
use super::socket::PlainSocket;
use super::wait::{Stop, Wait, is_pause};
use crate::config::Config;

/// Connects to one address.
pub(super) fn dial(
    address: &Address,
    config: &Config,
    wait: &mut Wait<'_>,
) -> Result<PlainSocket, Stop> {
    match address {
        Address::Tcp(address) => dial_tcp(*address, config, wait).map(PlainSocket::Tcp),
        Address::Unix(path) => dial_unix(path, wait).map(PlainSocket::Unix),
    }
}

fn dial_tcp(address: SocketAddr, config: &Config, wait: &mut Wait<'_>) -> Result<TcpStream, Stop> {
    match begin_tcp(address, config)? {
        Dialled::Connected(socket) => Ok(socket),
        Dialled::UnderWay(socket) => {
            wait.watch(&socket)?;
            wait.until_writable(&socket)?;
            finish_tcp(&socket)?;
            Ok(socket.into())
        }
    }
}

/// What came of asking for a connection.
pub(super) enum Dialled {
    Connected(TcpStream),
    /// It is decided when the socket can be written to; see [`finish_tcp`].
    UnderWay(Socket),
}

/// Asks for a connection, and does not wait for it.
pub(super) fn begin_tcp(address: SocketAddr, config: &Config) -> io::Result<Dialled> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A small statement must not wait for the acknowledgement of the one before.
    socket.set_tcp_nodelay(true)?;
    set_keepalive(&socket, config)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Ok(()) => {
            socket.set_nonblocking(false)?;
            Ok(Dialled::Connected(socket.into()))
        }
        Err(error) if is_under_way(&error) => Ok(Dialled::UnderWay(socket)),
        Err(error) => Err(error),
    }
}

/// Whether a connection that is decided was made; the socket blocks again then.
pub(super) fn finish_tcp(socket: &Socket) -> io::Result<()> {
    match socket.take_error()? {
        Some(error) => Err(error),
        None => socket.set_nonblocking(false),
    }
}

fn is_under_way(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
        || error.kind() == io::ErrorKind::Interrupted
}

/// Keepalives are on unless turned off, as in libpq; their times are the system's unless given.
fn set_keepalive(socket: &Socket, config: &Config) -> io::Result<()> {
    if config.is_on("keepalives") {
        let seconds = |name| config.positive(name).map(|s| Duration::from_secs(s.into()));
        let mut keepalive = TcpKeepalive::new();
        if let Some(idle) = seconds("keepalives_idle") {
            keepalive = keepalive.with_time(idle);
        }
        if let Some(interval) = seconds("keepalives_interval") {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(count) = config.positive("keepalives_count") {
            keepalive = keepalive.with_retries(count);
        }
        socket.set_keepalive(true)?;
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(target_os = "linux")]
    if let Some(milliseconds) = config.positive("tcp_user_timeout") {
        socket.set_tcp_user_timeout(Some(Duration::from_millis(milliseconds.into())))?;
    }
    Ok(())
}

fn dial_unix(path: &str, wait: &mut Wait<'_>) -> Result<UnixStream, Stop> {
    let address = match path.strip_prefix('@') {
        Some(name) => SockAddr::unix(format!("\0{name}"))?,
        None => SockAddr::unix(path)?,
    };
    loop {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // It also limits how long connect waits for a place in a full queue.
        socket.set_write_timeout(Some(wait.tick()))?;
        match socket.connect(&address) {
            Ok(()) => return Ok(socket.into()),
            Err(error) if is_pause(&error) => wait.on_pause()?,
            Err(error) => return Err(error.into()),
        }
    }
}
