//! The faults of all connections, and what both directions of one connection know.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use kecoa_proto::SqlState;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::decide::{Action, Decision, Message, Prepared, decide};
use crate::dice::{Dice, Spin};
use crate::event::{FaultEvent, Log};
use crate::framing::Phase;
use crate::inject;
use crate::pipe::{Gone, Pipe};
use crate::plan::{Fault, Kind, Location, Plan};
use crate::reply::Expected;

/// What all connections share.
pub(super) struct Injector {
    faults: Vec<Prepared>,
    seed: u64,
    /// How many connections each seed has had.
    seeds: Mutex<HashMap<u64, u64>>,
    log: Log,
}

impl Injector {
    pub(super) fn new(plan: &Plan, seed: u64, log: Log) -> Injector {
        let prepare = |fault: &Fault| Prepared {
            fault: fault.clone(),
            text: match &fault.location {
                Location::Text(text) => inject::plain(text),
                _ => String::new(),
            },
        };
        let faults = plan.faults.iter().map(prepare).collect();
        Injector { faults, seed, seeds: Mutex::default(), log }
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
pub(super) enum End {
    /// The server has closed it, or nobody is left to report to.
    Over,
    /// It is closed without a message.
    Close,
    /// The client's side is reset.
    Reset,
    /// It is closed behind this message to the client.
    Report(Bytes),
}

/// What both directions of one connection know.
pub(super) struct Shared<'a> {
    injector: &'a Injector,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    dice: Option<Dice>,
    /// How often each fault has happened.
    fired: Vec<u32>,
    /// The client has asked for encryption, and the answer is due.
    pub(super) negotiating: bool,
    /// The client has opened its session.
    pub(super) opened: bool,
    /// No message can be recognized any more.
    pub(super) bytes: bool,
    pub(super) expected: Expected,
}

impl<'a> Shared<'a> {
    pub(super) fn new(injector: &'a Injector) -> Shared<'a> {
        let fired = vec![0; injector.faults.len()];
        Shared { injector, state: Mutex::new(State { fired, ..State::default() }) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that the connection has a number; with a seed, one of that seed.
    pub(super) fn identify(&self, seed: Option<u64>) {
        let mut state = self.state();
        if state.dice.is_none() || seed.is_some() {
            state.dice = Some(self.injector.dice(seed.unwrap_or(self.injector.seed)));
        }
    }

    /// Decides what happens to a message. A connection without a number has no faults.
    pub(super) fn decide(&self, message: &Message<'_>) -> Decision {
        let state = &mut *self.state();
        let Some(dice) = state.dice else { return Decision::default() };
        let faults = &self.injector.faults;
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

    pub(super) fn what(&self, fault: usize) -> String {
        self.injector.faults.get(fault).map(|p| p.fault.to_string()).unwrap_or_default()
    }

    /// Reports that a fault happens.
    pub(super) fn log(&self, message: &Message<'_>, offset: u64, fault: usize) {
        let Some(dice) = self.state().dice else { return };
        (self.injector.log)(&FaultEvent {
            seed: dice.seed,
            connection: dice.connection,
            direction: message.direction,
            byte: message.start + offset,
            message: message.number,
            what: self.what(fault),
        });
    }

    /// The SQLSTATE a fault reports.
    pub(super) fn code(&self, fault: usize) -> Option<SqlState> {
        match self.injector.faults.get(fault)?.fault.kind {
            Kind::Error(code) => Some(code),
            _ => None,
        }
    }

    /// Moves a message as was decided; `instead` goes in its place.
    pub(super) async fn carry<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &self,
        pipe: &mut Pipe<R, W>,
        message: &Message<'_>,
        decision: &Decision,
        instead: Option<Bytes>,
    ) -> Result<Option<End>, Gone> {
        if let Some(fault) = decision.split {
            self.log(message, 0, fault);
        }
        let split = decision.split.is_some();
        let mut passed = 0;
        for stop in &decision.stops {
            // What is replaced has no bytes to stop at.
            let offset = if instead.is_some() { 0 } else { stop.offset };
            pipe.pass(offset - passed, split).await?;
            passed = offset;
            pipe.flush().await?;
            self.log(message, offset, stop.fault);
            match stop.action {
                Action::Close => return Ok(Some(End::Close)),
                Action::Reset => return Ok(Some(End::Reset)),
                Action::Wait(time) => pipe.stall(time).await?,
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

    /// Numbers a connection whose first bytes are no message; one that cancels has no number.
    pub(super) fn identify_unless_cancelling(&self, phase: Phase) {
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

/// The bytes of a message that have been looked at.
pub(super) fn head(input: &BytesMut, length: u64) -> &[u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(input.len());
    input.get(..length).unwrap_or_default()
}
