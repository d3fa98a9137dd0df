//! Plays scripts on a real loopback listener.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::peer::{Events, Peer, State};
use crate::script::Script;

/// A silent client or a script that never ends fails the test after this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a free port of 127.0.0.1 that plays one script a connection, in the order in which
/// the connections come; each on its own thread.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and plays the scripts.
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    pub fn start(scripts: Vec<Script>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let thread = thread::spawn(move || serve(&listener, scripts));
        Server { address, thread: Some(thread) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens: the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
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

fn serve(listener: &TcpListener, scripts: Vec<Script>) {
    listener.set_nonblocking(true).expect("a listener that does not block");
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

fn accept(listener: &TcpListener) -> TcpStream {
    let started = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("a stream that blocks");
                stream.set_read_timeout(Some(Duration::from_millis(5))).expect("a read timeout");
                stream.set_nodelay(true).expect("no delay");
                return stream;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(started.elapsed() < PATIENCE, "no client came");
                thread::sleep(Duration::from_millis(2));
            }
            Err(error) => panic!("accept failed: {error}"),
        }
    }
}

fn play(mut stream: TcpStream, mut peer: Peer) {
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
                let _ = stream.shutdown(Shutdown::Write);
                while matches!(stream.read(&mut buffer), Ok(n) if n > 0) {}
                return;
            }
            State::Closed { reset: true } => return reset(stream),
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
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(started.elapsed() < PATIENCE, "still at: {state:?}");
            }
            Err(_) if peer.is_finished() => return,
            Err(error) => panic!("reading failed at {state:?}: {error}"),
        }
    }
}

/// std cannot set SO_LINGER; closing with unread input makes the kernel send a reset instead.
fn reset(stream: TcpStream) {
    let mut byte = [0];
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(200) {
        if matches!(stream.peek(&mut byte), Ok(n) if n > 0) {
            break;
        }
    }
    drop(stream);
}
