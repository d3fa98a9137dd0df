//! From a target to a connected socket.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::{Domain, SockAddr, Socket, TcpKeepalive, Type};

use super::stream::{Plain, TICK};
use crate::config::{Config, Target};
use crate::error::Error;
use crate::interrupt::{Interrupt, Readiness};

/// Where a socket leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    /// A path; a leading "@" stands for Linux's abstract names, as in libpq.
    Unix(String),
}

/// A moment after which nobody waits any more, and the option that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    pub(super) option: &'static str,
    /// What the option allows in all.
    pub(super) allows: Duration,
}

impl Deadline {
    /// The deadline of something that begins now; nothing when it is too far away to be told.
    pub(super) fn begin(option: &'static str, allows: Duration) -> Option<Deadline> {
        Some(Deadline { at: Instant::now().checked_add(allows)?, option, allows })
    }
}

/// The time limits of a search for a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// `connect_timeout`, for each address.
    pub(super) each: Option<Duration>,
    /// `connect_total_timeout`, for everything.
    pub(super) total: Option<Deadline>,
}

impl Clock {
    /// The option for each address, and the option for all, which begins now.
    pub(super) fn start(each: Option<Duration>, total: Option<Duration>) -> Clock {
        let total = total.and_then(|total| Deadline::begin(TOTAL, total));
        Clock { each, total }
    }

    /// The deadline of an address that is tried from now on.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let each = self.each.and_then(|each| Deadline::begin(EACH, each));
        match (each, self.total) {
            (Some(each), Some(total)) if total.at < each.at => Some(total),
            (each, total) => each.or(total),
        }
    }
}

impl Clock {
    /// The limit for everything, if it has passed.
    pub(super) fn passed(&self) -> Option<Deadline> {
        self.total.filter(|total| total.at <= Instant::now())
    }
}

const EACH: &str = "connect_timeout";
pub(super) const TOTAL: &str = "connect_total_timeout";

/// How long to try, and whom to ask while trying.
pub(super) struct Wait<'a> {
    pub(super) deadline: Option<Deadline>,
    pub(super) hook: &'a mut dyn Interrupt,
    /// The socket that is waited for, once there is one.
    pub(super) socket: Option<RawFd>,
    /// The same, for a caller that waits by itself and is to be woken.
    waker: Option<OwnedFd>,
}

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub(super) enum Stop {
    Io(io::Error),
    TimedOut(Deadline),
    Interrupted,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

impl<'a> Wait<'a> {
    pub(super) fn new(deadline: Option<Deadline>, hook: &'a mut dyn Interrupt) -> Wait<'a> {
        Wait { deadline, hook, socket: None, waker: None }
    }

    /// From now on this socket is waited for.
    pub(super) fn watch(&mut self, socket: &impl AsFd) -> io::Result<()> {
        let socket = socket.as_fd();
        self.waker = match self.hook.parks() && self.deadline.is_some() {
            true => Some(socket.try_clone_to_owned()?),
            false => None,
        };
        self.socket = Some(socket.as_raw_fd());
        Ok(())
    }

    /// The socket is waited for no more.
    pub(super) fn unwatch(&mut self) {
        self.socket = None;
        self.waker = None;
    }

    /// Called when nothing has happened for a while or a signal came.
    pub(super) fn look_around(&mut self) -> Result<(), Stop> {
        self.pause(Readiness::Readable)?;
        self.check_deadline()
    }

    /// Called when something has happened, without waiting: a peer that keeps us busy, a byte at a
    /// time or with notices without end, has no more time than a silent one.
    pub(super) fn glance(&mut self) -> Result<(), Stop> {
        if !self.hook.parks() && self.hook.check().is_break() {
            return Err(Stop::Interrupted);
        }
        self.check_deadline()
    }

    fn check_deadline(&self) -> Result<(), Stop> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline.at => Err(Stop::TimedOut(deadline)),
            _ => Ok(()),
        }
    }

    /// Lets the caller have its say, or wait by itself.
    fn pause(&mut self, wanted: Readiness) -> Result<(), Stop> {
        let said = match self.socket {
            Some(socket) if self.hook.parks() => {
                let left = self
                    .deadline
                    .map(|deadline| deadline.at.saturating_duration_since(Instant::now()));
                let waker = self.waker.as_ref();
                let mut wake = || {
                    if let Some(socket) = waker {
                        // One that is not connected yet is woken, too, and says that it is not.
                        let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
                    }
                };
                self.hook.park_within(socket, wanted, left, &mut wake)
            }
            _ => self.hook.check(),
        };
        if said == ControlFlow::Break(()) { Err(Stop::Interrupted) } else { Ok(()) }
    }

    /// Tries until it works or fails, however often it only gave a chance to look around.
    pub(super) fn patiently<T>(
        &mut self,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) -> Result<T, Stop> {
        loop {
            match attempt() {
                Err(error) if is_pause(&error) => self.look_around()?,
                result => {
                    let done = result?;
                    self.glance()?;
                    return Ok(done);
                }
            }
        }
    }

    /// How long the next wait may last.
    fn tick(&self) -> Duration {
        let left = self.deadline.map(|deadline| deadline.at.duration_since(Instant::now()));
        left.map_or(TICK, |left| left.min(TICK)).max(Duration::from_millis(1))
    }
}

/// Whether an error only means "try again": nothing came within a tick, or a signal did. `TimedOut`
/// is none: the system has given the connection up.
pub(crate) fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// The addresses of a target.
///
/// # Errors
///
/// [`crate::ErrorKind::Connect`] when the name does not resolve.
pub(super) fn addresses(target: &Target) -> Result<Vec<Address>, Error> {
    if let Some(path) = target.socket_path() {
        return Ok(vec![Address::Unix(path)]);
    }
    if let Some(address) = &target.hostaddr {
        let parsed: IpAddr = address.parse().map_err(|_| {
            Error::connect(format!(
                "could not parse network address \"{address}\"\n\
                 HINT: hostaddr is an IPv4 or IPv6 address; a name belongs into host"
            ))
        })?;
        return Ok(vec![Address::Tcp(SocketAddr::new(parsed, target.port))]);
    }
    let unresolved = |why: &str| {
        Error::connect(format!(
            "could not translate host name \"{}\" to address: {why}",
            target.host
        ))
    };
    let found = (target.host.as_str(), target.port)
        .to_socket_addrs()
        .map_err(|error| unresolved(without_code(&error.to_string())))?;
    let found: Vec<Address> = found.map(Address::Tcp).collect();
    if found.is_empty() { Err(unresolved("it has none")) } else { Ok(found) }
}

/// The C library's reason without what std puts around it.
fn without_code(text: &str) -> &str {
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(text);
    text.split_once(" (os error ").map_or(text, |(text, _)| text)
}

/// An I/O error in the words of the operating system, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    without_code(&error.to_string()).to_owned()
}

/// Connects to one address.
pub(super) fn dial(address: &Address, config: &Config, wait: &mut Wait<'_>) -> Result<Plain, Stop> {
    match address {
        Address::Tcp(address) => dial_tcp(*address, config, wait).map(Plain::Tcp),
        Address::Unix(path) => dial_unix(path, wait).map(Plain::Unix),
    }
}

fn dial_tcp(address: SocketAddr, config: &Config, wait: &mut Wait<'_>) -> Result<TcpStream, Stop> {
    match begin_tcp(address, config)? {
        Dialled::Connected(socket) => Ok(socket),
        Dialled::UnderWay(socket) => {
            await_connected(&socket, wait)?;
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

fn await_connected(socket: &Socket, wait: &mut Wait<'_>) -> Result<(), Stop> {
    wait.watch(socket)?;
    loop {
        let tick = if wait.hook.parks() {
            wait.pause(Readiness::Writable)?;
            wait.check_deadline()?;
            Duration::ZERO
        } else {
            wait.tick()
        };
        let tick = Timespec::try_from(tick).map_err(io::Error::other)?;
        let mut polled = [PollFd::new(socket, PollFlags::OUT)];
        match rustix::event::poll(&mut polled, Some(&tick)) {
            Ok(0) | Err(rustix::io::Errno::INTR) if wait.hook.parks() => wait.check_deadline()?,
            Ok(0) | Err(rustix::io::Errno::INTR) => wait.look_around()?,
            Ok(_) => return Ok(finish_tcp(socket)?),
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
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
            Err(error) if is_pause(&error) => wait.look_around()?,
            Err(error) => return Err(error.into()),
        }
    }
}
