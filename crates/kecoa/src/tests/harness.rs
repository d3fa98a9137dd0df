//! A connector that plays scripts, and a runtime whose clock only moves by sleeping.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use kecoa_pgmock::{Events, Memory, Peer, Script};
use kecoa_proto::{CancelKey, Connection, Handshake, Progress, StartupConfig};

use crate::client::blocking::Client;
use crate::config::Target;
use crate::error::Error;
use crate::interrupt::{Interrupt, Never};
use crate::net::wire::{Cancel, Connector, Link, Wire};
use crate::retry::Runtime;

/// What the next connection attempt meets.
enum Next {
    Script(Script),
    Refused(Error),
}

/// Plays one script a connection.
pub(super) struct Net {
    next: Mutex<VecDeque<Next>>,
    joined: Mutex<Vec<Arc<Mutex<Memory>>>>,
    cancels: Arc<Mutex<Vec<CancelKey>>>,
    events: Events,
    chunk: usize,
    calls: Arc<Calls>,
}

/// How often the session read, wrote, and looked without waiting.
#[derive(Default)]
struct Calls {
    reads: AtomicUsize,
    writes: AtomicUsize,
    looks: AtomicUsize,
}

impl Net {
    /// PostgreSQL servers that play these scripts behind their start-up.
    pub(super) fn postgres(scripts: Vec<Script>) -> Arc<Net> {
        Net::build(scripts, Script::startup, usize::MAX)
    }

    /// CockroachDB servers (emulated).
    pub(super) fn cockroach(scripts: Vec<Script>) -> Arc<Net> {
        Net::build(scripts, Script::startup_cockroach, usize::MAX)
    }

    /// A server whose bytes come, and are taken, only a few at a time.
    pub(super) fn in_chunks(script: Script, chunk: usize) -> Arc<Net> {
        Net::build(vec![script], Script::startup, chunk)
    }

    fn build(scripts: Vec<Script>, startup: fn(Script) -> Script, chunk: usize) -> Arc<Net> {
        let next = scripts
            .into_iter()
            .map(|script| Next::Script(startup(Script::new()).then(script)))
            .collect();
        Arc::new(Net {
            next: Mutex::new(next),
            joined: Mutex::default(),
            cancels: Arc::default(),
            events: Events::new(),
            chunk,
            calls: Arc::default(),
        })
    }

    /// The connection attempt after `position` others fails with this error.
    pub(super) fn refuse(self: Arc<Net>, position: usize, error: Error) -> Arc<Net> {
        self.next.lock().unwrap().insert(position, Next::Refused(error));
        self
    }

    pub(super) fn client(self: &Arc<Net>) -> Client {
        Client::through(self.clone(), &mut Never).unwrap()
    }

    /// Sets an event that a script waits for.
    pub(super) fn signal(&self, event: &str) {
        self.events.signal(event);
    }

    /// How many cancel requests came.
    pub(super) fn cancels(&self) -> usize {
        self.cancels.lock().unwrap().len()
    }

    /// How many reads and writes, and reads that do not wait, there were since it was last asked.
    pub(super) fn take_calls(&self) -> (usize, usize, usize) {
        let Calls { reads, writes, looks } = &*self.calls;
        let take = |count: &AtomicUsize| count.swap(0, Ordering::Relaxed);
        (take(reads), take(writes), take(looks))
    }

    /// Every script was played to its end, over as many connections as there are scripts.
    pub(super) fn finish(&self) {
        assert!(self.next.lock().unwrap().is_empty(), "a connection that was never made");
        for memory in self.joined.lock().unwrap().iter() {
            memory.lock().unwrap().finish();
        }
    }
}

struct ScriptedWire(Arc<Mutex<Memory>>, Arc<Calls>);

impl Wire for ScriptedWire {
    fn read_into(&mut self, buffer: &mut BytesMut, _hint: usize) -> io::Result<usize> {
        self.1.reads.fetch_add(1, Ordering::Relaxed);
        let mut bytes = vec![0; 4096];
        let n = self.0.lock().unwrap().read(&mut bytes)?;
        buffer.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn try_read_into(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        self.1.looks.fetch_add(1, Ordering::Relaxed);
        let mut bytes = vec![0; 4096];
        let n = self.0.lock().unwrap().try_read(&mut bytes)?;
        buffer.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if std::thread::panicking() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.1.writes.fetch_add(1, Ordering::Relaxed);
        self.0.lock().unwrap().write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&mut self) {}

    fn raw_fd(&self) -> Option<RawFd> {
        None
    }

    fn target(&self) -> Option<&Target> {
        None
    }

    fn tls_info(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}

/// Cancelling sets the event `cancelled`, for a script that waits for it.
struct ScriptedCancel(Arc<Mutex<Vec<CancelKey>>>, Events);

impl Cancel for ScriptedCancel {
    fn cancel(&self, key: &CancelKey, hook: &mut dyn Interrupt) -> Result<(), Error> {
        if self.1.is_set("stopped") {
            // A server that takes no request waits for the hook alone.
            while hook.check().is_continue() {}
            return Err(Error::interrupted("given up"));
        }
        if self.1.is_set("unreachable") {
            return Err(Error::connect("nobody listens"));
        }
        self.0.lock().unwrap().push(key.clone());
        self.1.signal("cancelled");
        Ok(())
    }
}

impl Connector for Net {
    fn connect(&self, _hook: &mut dyn Interrupt) -> Result<Link, Error> {
        let next = self.next.lock().unwrap().pop_front();
        let script = match next.expect("no further connection is scripted") {
            Next::Script(script) => script,
            Next::Refused(error) => return Err(error),
        };
        let memory = Memory::new(Peer::new(script, self.events.clone())).in_chunks(self.chunk);
        let memory = Arc::new(Mutex::new(memory));
        self.joined.lock().unwrap().push(memory.clone());
        let mut wire = ScriptedWire(memory, self.calls.clone());
        let connection = shake_hands(&mut wire);
        let cancel = Arc::new(ScriptedCancel(self.cancels.clone(), self.events.clone()));
        Ok(Link { wire: Box::new(wire), connection, cancel })
    }
}

fn shake_hands(wire: &mut ScriptedWire) -> Connection {
    let mut handshake = Handshake::new(StartupConfig::new("tester").tls(false)).unwrap();
    loop {
        while let Some(output) = handshake.poll_transmit() {
            let n = wire.write(output).unwrap();
            handshake.transmitted(n);
        }
        handshake = match handshake.advance().unwrap() {
            Progress::Ready(connection) => return connection,
            Progress::NeedInput(mut handshake) => {
                if handshake.poll_transmit().is_none() {
                    wire.read_into(handshake.read_buffer(), 0).unwrap();
                }
                handshake
            }
            other => panic!("an unexpected step of the handshake: {other:?}"),
        };
    }
}

/// A clock that only sleeping moves, and the same random number always.
pub(super) struct Virtual {
    pub(super) now: Duration,
    pub(super) sleeps: Vec<Duration>,
    pub(super) random: f64,
}

impl Virtual {
    pub(super) fn new() -> Virtual {
        Virtual { now: Duration::ZERO, sleeps: Vec::new(), random: 0.5 }
    }

    pub(super) fn slept_ms(&self) -> Vec<u128> {
        self.sleeps.iter().map(Duration::as_millis).collect()
    }
}

impl Runtime for Virtual {
    fn now(&self) -> Duration {
        self.now
    }

    fn sleep(&mut self, duration: Duration) {
        self.now += duration;
        self.sleeps.push(duration);
    }

    fn random(&mut self) -> f64 {
        self.random
    }
}
