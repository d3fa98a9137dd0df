//! One client, one connection to the server, and the faults between them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kecoa_proto::SqlState;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::decide::{Act, Decision, Matter, Message, Prepared, decide};
use super::dice::{Dice, Spin};
use super::framing::{self, Phase};
use super::inject::{self, Seen};
use super::pipe::{Gone, Pipe};
use super::plan::{Direction, Kind, Plan, Spot};
use super::reply::{Expected, Fate};
use super::startup::{self, Asked};
use super::{Happened, Log};

/// How long the two sides have to take notice of an end.
const PATIENCE: Duration = Duration::from_secs(1);
/// A client may prepare so many statements; those beyond are not recognized when they run.
const PREPARED: usize = 1_024;

/// What all connections share.
pub(super) struct Harness {
    faults: Vec<Prepared>,
    seed: u64,
    /// How many connections each seed has had.
    seeds: Mutex<HashMap<u64, u64>>,
    log: Log,
}

impl Harness {
    pub(super) fn new(plan: &Plan, seed: u64, log: Log) -> Harness {
        let prepare = |fault: &super::Fault| Prepared {
            fault: fault.clone(),
            text: match &fault.spot {
                Spot::Text(text) => inject::plain(text),
                _ => String::new(),
            },
        };
        let faults = plan.faults.iter().map(prepare).collect();
        Harness { faults, seed, seeds: Mutex::default(), log }
    }

    /// The dice of the next connection with this seed.
    fn dice(&self, seed: u64) -> Dice {
        let mut seeds = self.seeds.lock().unwrap_or_else(PoisonError::into_inner);
        let count = seeds.entry(seed).or_default();
        *count += 1;
        Dice { seed, connection: *count }
    }
}

/// How a connection ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The server has closed it, or there is nobody to tell anything.
    Over,
    /// It is closed without a word.
    Close,
    /// The client's side is reset.
    Reset,
    /// It is closed with these last words to the client.
    Say(Bytes),
}

/// What both directions of one connection know.
struct Shared<'a> {
    harness: &'a Harness,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    dice: Option<Dice>,
    /// How often each fault has happened.
    fired: Vec<u32>,
    /// The client has asked for encryption, and the answer is due.
    negotiating: bool,
    /// The client has opened its session.
    opened: bool,
    /// Nothing can be told apart any more.
    bytes: bool,
    expected: Expected,
}

/// A stream that can be closed by RST.
pub(super) trait Peer: AsyncRead + AsyncWrite + Unpin + Send {
    /// From here on closing it resets it.
    fn reset_when_closed(&self);
}

impl Peer for tokio::net::TcpStream {
    fn reset_when_closed(&self) {
        // Where that is not possible the connection is just closed.
        let _ = self.set_zero_linger();
    }
}

/// Serves a client until both sides have ended, or a fault ends them.
pub(super) async fn serve(
    harness: &Harness,
    mut client: impl Peer,
    mut server: impl AsyncRead + AsyncWrite + Unpin + Send,
) {
    let fired = vec![0; harness.faults.len()];
    let state = Mutex::new(State { fired, ..State::default() });
    let shared = Shared { harness, state };
    let end = {
        let (client_reader, client_writer) = tokio::io::split(&mut client);
        let (server_reader, server_writer) = tokio::io::split(&mut server);
        let up = Pipe::new(client_reader, server_writer);
        let down = Pipe::new(server_reader, client_writer);
        tokio::select! {
            end = Up::new(&shared, up).run() => end,
            end = Down::new(&shared, down).run() => end,
        }
    };
    if end == End::Reset {
        client.reset_when_closed();
        return;
    }
    if matches!(end, End::Close | End::Say(_)) {
        // The server's side ends first, so that what the client does next meets a server that has
        // made up its mind.
        let _ = server.shutdown().await;
        drain(&mut server).await;
    }
    drop(server);
    if let End::Say(words) = &end {
        let _ = client.write_all(words).await;
    }
    let _ = client.shutdown().await;
    // What the client has sent and nobody read would turn the close into a reset.
    drain(&mut client).await;
}

/// Ends a client to whom there is no server, with these words.
pub(super) async fn refuse(mut client: impl Peer, code: SqlState, reason: &str) {
    let _ = client.write_all(&inject::report(code, true, reason)).await;
    let _ = client.shutdown().await;
    drain(&mut client).await;
}

async fn drain(from: &mut (impl AsyncRead + Unpin)) {
    let mut chunk = BytesMut::with_capacity(4096);
    let all = async {
        while matches!(from.read_buf(&mut chunk).await, Ok(length) if length > 0) {
            chunk.clear();
        }
    };
    let _ = tokio::time::timeout(PATIENCE, all).await;
}

impl Shared<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that the connection has a number; with a seed, one of that seed.
    fn identify(&self, seed: Option<u64>) {
        let mut state = self.state();
        if state.dice.is_none() || seed.is_some() {
            state.dice = Some(self.harness.dice(seed.unwrap_or(self.harness.seed)));
        }
    }

    /// Decides what happens to a message. A connection without a number has no faults.
    fn decide(&self, message: &Message<'_>) -> Decision {
        let state = &mut *self.state();
        let Some(dice) = state.dice else { return Decision::default() };
        let faults = &self.harness.faults;
        let fired = &mut state.fired;
        let mut fires = |index: usize, spin: Spin| {
            let (Some(Prepared { fault, .. }), Some(fired)) =
                (faults.get(index), fired.get_mut(index))
            else {
                return false;
            };
            let meant = fault.connection.is_none_or(|number| number == dice.connection)
                && fault.times.is_none_or(|times| *fired < times)
                && dice.happens(fault.probability, spin);
            *fired = fired.saturating_add(u32::from(meant));
            meant
        };
        decide(faults, message, &mut fires, &|bound, spin| dice.below(bound, spin))
    }

    fn what(&self, fault: usize) -> String {
        self.harness.faults.get(fault).map(|p| p.fault.to_string()).unwrap_or_default()
    }

    /// Notes a fault down.
    fn tell(&self, message: &Message<'_>, offset: u64, fault: usize) {
        let Some(dice) = self.state().dice else { return };
        (self.harness.log)(&Happened {
            seed: dice.seed,
            connection: dice.connection,
            direction: message.direction,
            byte: message.start + offset,
            message: message.number,
            what: self.what(fault),
        });
    }

    /// The SQLSTATE a fault reports.
    fn code(&self, fault: usize) -> Option<SqlState> {
        match self.harness.faults.get(fault)?.fault.kind {
            Kind::Error(code) => Some(code),
            _ => None,
        }
    }

    /// Moves a message as was decided; `instead` goes in its place.
    async fn carry<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &self,
        pipe: &mut Pipe<R, W>,
        message: &Message<'_>,
        decision: &Decision,
        instead: Option<Bytes>,
    ) -> Result<Option<End>, Gone> {
        if let Some(fault) = decision.split {
            self.tell(message, 0, fault);
        }
        let split = decision.split.is_some();
        let mut passed = 0;
        for stop in &decision.stops {
            // What is replaced has no bytes to stop at.
            let offset = if instead.is_some() { 0 } else { stop.offset };
            pipe.pass(offset - passed, split).await?;
            passed = offset;
            pipe.flush().await?;
            self.tell(message, offset, stop.fault);
            match stop.act {
                Act::Close => return Ok(Some(End::Close)),
                Act::Reset => return Ok(Some(End::Reset)),
                Act::Wait(time) => pipe.stall(time).await?,
            }
        }
        match instead {
            Some(bytes) => {
                pipe.discard(message.unit.length).await?;
                pipe.put(&bytes, split).await?;
            }
            None => pipe.pass(message.unit.length - passed, split).await?,
        }
        Ok(None)
    }
}

/// The bytes of a message that have been looked at.
fn head(input: &BytesMut, length: u64) -> &[u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(input.len());
    input.get(..length).unwrap_or_default()
}

/// From the client to the server.
struct Up<'a, R, W> {
    shared: &'a Shared<'a>,
    pipe: Pipe<R, W>,
    number: u64,
    start: u64,
    /// The statements that were prepared, by name.
    prepared: HashMap<Bytes, Seen>,
    /// What comes before the next Sync is not sent: the request has failed.
    skip_to_sync: bool,
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Up<'a, R, W> {
    fn new(shared: &'a Shared<'a>, pipe: Pipe<R, W>) -> Self {
        let prepared = HashMap::new();
        Up { shared, pipe, number: 0, start: 0, prepared, skip_to_sync: false }
    }

    async fn run(mut self) -> End {
        loop {
            match self.step().await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(gone) => {
                    if gone == Gone::Source {
                        self.pipe.finish().await;
                    }
                    // The server has the last word.
                    return std::future::pending().await;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<End>, Gone> {
        let phase = {
            let state = self.shared.state();
            match (state.bytes, state.opened) {
                (true, _) => Phase::Bytes,
                (false, true) => Phase::Messages,
                (false, false) => Phase::Startup,
            }
        };
        let Some(mut unit) = framing::next(phase, Direction::Client, &self.pipe.input) else {
            self.pipe.fill().await?;
            return Ok(None);
        };
        if unit.phase == Phase::Startup {
            let asked = startup::look(head(&self.pipe.input, unit.length));
            if let Some(end) = self.open(asked, &mut unit.length) {
                return Ok(Some(end));
            }
        } else {
            self.shared.identify_unless_quiet(unit.phase);
        }
        let session = unit.phase == Phase::Startup && self.shared.state().opened;
        let head = head(&self.pipe.input, unit.length);
        if self.skip_to_sync {
            self.skip_to_sync = unit.tag != b'S';
            if self.skip_to_sync {
                self.pipe.discard(unit.length).await?;
                return Ok(None);
            }
        }
        let seen = match unit.phase {
            Phase::Messages => statements(&mut self.prepared, unit.tag, head),
            _ => Vec::new(),
        };
        let matter = match seen.as_slice() {
            _ if session => Matter::Startup,
            [] => Matter::Other,
            seen => Matter::Statements(seen),
        };
        self.number += 1;
        let start = self.start;
        self.start += unit.length;
        let direction = Direction::Client;
        let message = Message { direction, unit, number: self.number, start, matter };
        let decision = self.shared.decide(&message);
        let mut instead = None;
        if let Some((fault, statement)) = decision.error
            && let Some(code) = self.shared.code(fault)
        {
            self.shared.tell(&message, 0, fault);
            let what = self.shared.what(fault);
            let fatal = inject::is_fatal(code) || matter == Matter::Startup;
            let error = inject::error(code, fatal, &what);
            if fatal {
                return Ok(Some(End::Say(error)));
            }
            let Some(seen) = seen.get(statement) else { return Ok(None) };
            instead = Some(self.replace(unit.tag, seen, error));
        }
        let shared = self.shared;
        shared.carry(&mut self.pipe, &message, &decision, instead).await
    }

    /// Takes notice of an untagged message; the end, if the client asked for nonsense.
    fn open(&mut self, asked: Asked, length: &mut u64) -> Option<End> {
        let shared = self.shared;
        match asked {
            Asked::Encryption => {
                shared.identify(None);
                shared.state().negotiating = true;
            }
            Asked::Cancel => shared.state().bytes = true,
            Asked::Session => {
                shared.identify(None);
                shared.state().opened = true;
            }
            Asked::Seeded(seed, message) => {
                shared.identify(Some(seed));
                shared.state().opened = true;
                let rest = self.pipe.input.split_off(head(&self.pipe.input, *length).len());
                *length = message.len() as u64;
                self.pipe.input = BytesMut::from(&message[..]);
                self.pipe.input.unsplit(rest);
            }
            Asked::BadSeed(found) => {
                let reason = format!(
                    "kecoa.fault_seed: expected a number from 0 to 18446744073709551615, found \
                     {found:?}"
                );
                let code = SqlState::INVALID_PARAMETER_VALUE;
                return Some(End::Say(inject::report(code, true, &reason)));
            }
        }
        None
    }

    /// What is sent in the place of a message so that the server reports an error for a statement.
    fn replace(&mut self, tag: u8, seen: &Seen, error: Bytes) -> Bytes {
        let expected = &mut self.shared.state().expected;
        let body = self.pipe.input.get(5..).unwrap_or_default();
        match tag {
            b'Q' if seen.commit => {
                expected.rollback(error, false);
                inject::rollback_query(inject::query_text(body), seen.offset)
            }
            b'Q' => {
                let marker = expected.error(|| error);
                inject::failing_query(inject::query_text(body), seen.offset, marker)
            }
            _ if seen.commit => {
                expected.rollback(error, true);
                self.skip_to_sync = true;
                inject::rollback_query(&[], 0)
            }
            _ => inject::failing_bind(expected.error(|| error)),
        }
    }
}

/// The statements that a message runs.
fn statements(prepared: &mut HashMap<Bytes, Seen>, tag: u8, head: &[u8]) -> Vec<Seen> {
    let body = head.get(5..).unwrap_or_default();
    match tag {
        b'Q' => inject::statements(inject::query_text(body)),
        b'P' => {
            let (name, sql) = inject::two_strings(body);
            prepared.remove(name);
            if let Some(seen) = inject::statements(sql).into_iter().next()
                && prepared.len() < PREPARED
            {
                prepared.insert(Bytes::copy_from_slice(name), seen);
            }
            Vec::new()
        }
        b'B' => prepared.get(inject::two_strings(body).1).cloned().into_iter().collect(),
        b'C' => {
            if let Some((b'S', name)) = body.split_first() {
                prepared.remove(inject::query_text(name));
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

impl Shared<'_> {
    /// Numbers a connection whose first bytes are no message; one that cancels has no number.
    fn identify_unless_quiet(&self, phase: Phase) {
        let quiet = {
            let mut state = self.state();
            let quiet = state.bytes && state.dice.is_none();
            state.bytes |= phase == Phase::Bytes;
            quiet
        };
        if !quiet {
            self.identify(None);
        }
    }
}

/// From the server to the client.
struct Down<'a, R, W> {
    shared: &'a Shared<'a>,
    pipe: Pipe<R, W>,
    number: u64,
    start: u64,
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Down<'a, R, W> {
    fn new(shared: &'a Shared<'a>, pipe: Pipe<R, W>) -> Self {
        Down { shared, pipe, number: 0, start: 0 }
    }

    async fn run(mut self) -> End {
        loop {
            match self.step().await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(_) => {
                    self.pipe.finish().await;
                    return End::Over;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<End>, Gone> {
        let phase = {
            let state = self.shared.state();
            match (state.bytes, state.negotiating) {
                (true, _) => Phase::Bytes,
                (false, true) => Phase::Reply,
                (false, false) => Phase::Messages,
            }
        };
        let Some(unit) = framing::next(phase, Direction::Server, &self.pipe.input) else {
            // Nobody waits for a message that is still on its way but a client that is served
            // slowly on purpose.
            self.pipe.fill().await?;
            return Ok(None);
        };
        match unit.phase {
            Phase::Bytes => self.shared.state().bytes = true,
            Phase::Reply => {
                let mut state = self.shared.state();
                state.negotiating = false;
                state.bytes = matches!(unit.tag, b'S' | b'G');
            }
            _ => {}
        }
        let head = head(&self.pipe.input, unit.length);
        let committed = unit.tag == b'C' && head.get(5..) == Some(b"COMMIT\0");
        let fate = match unit.phase {
            Phase::Messages => self.shared.state().expected.fate(unit.tag, head),
            _ => Fate::Itself,
        };
        let start = self.start;
        self.start += unit.length;
        self.number += 1;
        match fate {
            Fate::Itself => {}
            Fate::Hidden => {
                self.pipe.discard(unit.length).await?;
                return Ok(None);
            }
            Fate::Instead(bytes) => {
                self.pipe.discard(unit.length).await?;
                self.pipe.put(&bytes, false).await?;
                return Ok(None);
            }
        }
        let matter = if committed { Matter::Committed } else { Matter::Other };
        let direction = Direction::Server;
        let message = Message { direction, unit, number: self.number, start, matter };
        let decision = self.shared.decide(&message);
        let mut instead = None;
        if let Some((fault, _)) = decision.error
            && let Some(code) = self.shared.code(fault)
        {
            self.shared.tell(&message, 0, fault);
            let fatal = inject::is_fatal(code);
            let error = inject::error(code, fatal, &self.shared.what(fault));
            if fatal {
                self.pipe.flush().await?;
                return Ok(Some(End::Say(error)));
            }
            self.shared.state().expected.skip_to_ready();
            instead = Some(error);
        }
        let shared = self.shared;
        shared.carry(&mut self.pipe, &message, &decision, instead).await
    }
}
