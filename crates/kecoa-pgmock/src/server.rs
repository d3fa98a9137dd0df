//! Plays scripts on a real loopback listener.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::peer::{Events, Peer, State};
use crate::script::Script;

/// A silent client or a script that never ends fails the test after this long.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A server that plays one script a connection, in the order in which the connections come; each on
/// its own thread.
#[derive(Debug)]
pub struct Server {
    port: u16,
    thread: Option<JoinHandle<()>>,
}

/// The port in the name of the socket of [`Server::start_unix`].
const UNIX_PORT: u16 = 5432;

impl Server {
    /// Listens on a free port of 127.0.0.1, and plays the scripts.
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    pub fn start(scripts: Vec<Script>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        Server::serve(Listener::Tcp(listener), port, scripts)
    }

    /// Listens on the socket `.s.PGSQL.5432` in this directory, and plays the scripts.
    ///
    /// # Panics
    /// When the socket cannot be made.
    #[must_use]
    pub fn start_unix(directory: &Path, scripts: Vec<Script>) -> Server {
        let path = directory.join(format!(".s.PGSQL.{UNIX_PORT}"));
        let listener = UnixListener::bind(path).expect("a directory that takes a socket");
        Server::serve(Listener::Unix(listener), UNIX_PORT, scripts)
    }

    fn serve(listener: Listener, port: u16, scripts: Vec<Script>) -> Server {
        let thread = thread::spawn(move || serve(&listener, scripts));
        Server { port, thread: Some(thread) }
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for every script to end.
    ///
    /// # Panics
    /// With the failure of the first script that failed.
    pub fn finish(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(Err(failure)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(failure);
        }
    }
}

impl Drop for Server {
    /// A script that failed fails the test, also when the test forgot to ask.
    fn drop(&mut self) {
        if thread::panicking() {
            // The test failed already; a script that still waits would only hide why.
            return;
        }
        self.join();
    }
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// What the scripts need of a stream.
trait Stream: Read + Write + Send {
    /// No more output; the client reads the end.
    fn finish(&self);
}

impl Stream for TcpStream {
    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Stream for UnixStream {
    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Listener {
    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Listener::Tcp(listener) => listener.set_nonblocking(true),
            Listener::Unix(listener) => listener.set_nonblocking(true),
        }
    }

    fn accept(&self) -> io::Result<Box<dyn Stream>> {
        let tick = Some(Duration::from_millis(5));
        match self {
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(tick)?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(tick)?;
                Ok(Box::new(stream))
            }
        }
    }
}

fn serve(listener: &Listener, scripts: Vec<Script>) {
    listener.set_nonblocking().expect("a listener that does not block");
    let events = Events::new();
    let mut threads = Vec::new();
    for script in scripts {
        let stream = accept(listener);
        let peer = Peer::new(script, events.clone());
        threads.push(thread::spawn(move || play(stream, peer)));
    }
    for thread in threads {
        if let Err(failure) = thread.join() {
            std::panic::resume_unwind(failure);
        }
    }
}

fn accept(listener: &Listener) -> Box<dyn Stream> {
    let started = Instant::now();
    loop {
        match listener.accept() {
            Ok(stream) => return stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(started.elapsed() < TIMEOUT, "no client came");
                thread::sleep(Duration::from_millis(2));
            }
            Err(error) => panic!("accept failed: {error}"),
        }
    }
}

fn play(mut stream: Box<dyn Stream>, mut peer: Peer) {
    let started = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let state = peer.advance();
        let output = peer.take_output();
        if !output.is_empty() && stream.write_all(&output).is_err() {
            // The client left; whether it was allowed to shows below.
            assert!(peer.is_finished(), "the client left before: {}", peer.remaining());
            return;
        }
        match state {
            State::Closed { reset: false } => {
                // The peer's last words must arrive: close only once the client did, too.
                stream.finish();
                // A read that times out is no sign that the client has gone.
                while started.elapsed() < TIMEOUT {
                    match stream.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) if is_timeout(&error) => {}
                        Err(_) => break,
                    }
                }
                return;
            }
            // With input unread, TCP sends a reset; there is no other way without SO_LINGER.
            State::Closed { reset: true } => return thread::sleep(Duration::from_millis(50)),
            State::Sending(pause) => {
                assert!(started.elapsed() < TIMEOUT, "the client takes it all");
                thread::sleep(pause);
                continue;
            }
            State::Done | State::Listening(_) | State::Waiting(_) => {}
        }
        match stream.read(&mut buffer) {
            Ok(0) => {
                peer.advance();
                assert!(
                    peer.is_finished() || matches!(state, State::Waiting(_)),
                    "the client left before: {}",
                    peer.remaining()
                );
                return;
            }
            Ok(n) => peer.handle_input(&buffer[..n]),
            Err(error) if is_timeout(&error) => {
                assert!(started.elapsed() < TIMEOUT, "still at: {state:?}");
            }
            Err(_) if peer.is_finished() => return,
            Err(error) => panic!("reading failed at {state:?}: {error}"),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
