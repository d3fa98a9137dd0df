//! Which faults happen to a message.

use std::time::Duration;

use crate::dice::Spin;
use crate::framing::Unit;
use crate::inject::Seen;
use crate::plan::{Direction, Fault, Kind, Location};

/// What a message is, as far as faults care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// It opens the session.
    Startup,
    /// It runs these statements.
    Statements(&'a [Seen]),
    /// The server says that a transaction is committed.
    Committed,
    /// Nothing that a fault could name.
    Other,
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) direction: Direction,
    pub(super) unit: Unit,
    /// Its number in its direction, from 1.
    pub(super) number: u64,
    /// Where it starts in its direction's stream, in bytes from 0.
    pub(super) start: u64,
    pub(super) matter: Content<'a>,
}

/// What happens to one message, all faults together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// Its bytes go one by one; by which fault.
    pub(super) split: Option<usize>,
    /// Where it is held up or ends, in order.
    pub(super) stops: Vec<Stop>,
    /// The error that is reported: the fault, and the statement's place among the message's.
    pub(super) error: Option<(usize, usize)>,
}

/// A place in a message where something happens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stop {
    /// In front of this byte of the message.
    pub(super) offset: u64,
    pub(super) action: Action,
    /// Which fault of the plan.
    pub(super) fault: usize,
}

/// What happens at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Both sides are closed.
    Close,
    /// The client's side is reset.
    Reset,
    /// Nothing moves: for so long, or for ever.
    Wait(Option<Duration>),
}

/// A fault with the text it looks for.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) fault: Fault,
    /// [`crate::inject::plain`] of the text.
    pub(super) text: String,
}

/// Where in a message a fault may act.
enum Reach {
    /// At this byte.
    At(u64),
    /// At any byte that suits the kind.
    Any,
}

/// Decides. `fires` rolls the dice for a fault, and counts.
pub(super) fn decide(
    faults: &[Prepared],
    message: &Message<'_>,
    fires: &mut dyn FnMut(usize, Spin) -> bool,
    below: &dyn Fn(u64, Spin) -> u64,
) -> Decision {
    let mut decision = Decision::default();
    for (index, prepared) in faults.iter().enumerate() {
        let spin = |statement: usize| Spin {
            direction: message.direction,
            message: message.number,
            fault: index as u64,
            statement: statement as u64,
        };
        let places = places(prepared, message);
        let Some((statement, reach)) =
            places.into_iter().find(|(statement, _)| fires(index, spin(*statement)))
        else {
            continue;
        };
        let spin = spin(statement);
        let length = message.unit.length;
        let (action, offset) = match (&prepared.fault.kind, reach) {
            (Kind::Split, _) => {
                decision.split.get_or_insert(index);
                continue;
            }
            (Kind::Error(_), _) => {
                if decision.error.is_none() && !decision.ends() {
                    decision.error = Some((index, statement));
                }
                continue;
            }
            (Kind::Truncate, _) => (Action::Close, below(length - 1, spin) + u64::from(length > 1)),
            (Kind::Drop, Reach::At(byte)) => (Action::Close, byte),
            (Kind::Drop, Reach::Any) => (Action::Close, 0),
            (Kind::Reset, Reach::At(byte)) => (Action::Reset, byte),
            (Kind::Reset, Reach::Any) => (Action::Reset, below(length, spin)),
            (Kind::Delay(time), Reach::At(byte)) => (Action::Wait(Some(*time)), byte),
            (Kind::Delay(time), Reach::Any) => (Action::Wait(Some(*time)), 0),
            (Kind::Stall(time), Reach::At(byte)) => (Action::Wait(*time), byte),
            (Kind::Stall(time), Reach::Any) => (Action::Wait(*time), below(length, spin)),
        };
        let ends = !matches!(action, Action::Wait(_));
        if ends && (decision.error.is_some() || decision.ends()) {
            continue;
        }
        decision.stops.push(Stop { offset, action, fault: index });
    }
    decision.stops.sort_by_key(|stop| stop.offset);
    decision
}

impl Decision {
    fn ends(&self) -> bool {
        self.stops.iter().any(|stop| !matches!(stop.action, Action::Wait(_)))
    }
}

/// The places of a message where a fault may act: each with the statement it is about.
fn places(prepared: &Prepared, message: &Message<'_>) -> Vec<(usize, Reach)> {
    let Message { direction, unit, number, start, matter } = *message;
    let once = |found: bool, reach: Reach| if found { vec![(0, reach)] } else { Vec::new() };
    let among = |wanted: &dyn Fn(&Seen) -> bool| match matter {
        Content::Statements(seen) => {
            let found = seen.iter().enumerate().filter(|(_, seen)| wanted(seen));
            found.map(|(at, _)| (at, Reach::At(0))).collect()
        }
        _ => Vec::new(),
    };
    match &prepared.fault.location {
        Location::Messages(wanted) => {
            once(wanted.is_none_or(|wanted| wanted == direction), Reach::Any)
        }
        Location::Message(wanted, which) => {
            once((*wanted, *which) == (direction, number), Reach::At(0))
        }
        Location::Byte(wanted, byte) => {
            let offset = byte.checked_sub(start).filter(|offset| *offset < unit.length);
            offset
                .filter(|_| *wanted == direction)
                .map(|offset| vec![(0, Reach::At(offset))])
                .unwrap_or_default()
        }
        Location::Startup => once(matter == Content::Startup, Reach::At(0)),
        Location::AfterCommit => once(matter == Content::Committed, Reach::At(0)),
        Location::Statement => among(&|seen| !seen.control),
        Location::Text(_) => among(&|seen| seen.holds(&prepared.text)),
        Location::Commit => among(&|seen| seen.commit),
    }
}
