//! Plays a script, without I/O.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::script::{Script, Step};

/// Named events by which the connections of one test wait for each other.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<BTreeSet<String>>>);

impl Events {
    /// No event is set.
    #[must_use]
    pub fn new() -> Events {
        Events::default()
    }

    /// Sets an event.
    pub fn signal(&self, event: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(event.to_owned());
    }

    /// Whether an event is set.
    #[must_use]
    pub fn is_set(&self, event: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(event)
    }
}

/// What a [`Peer`] does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for input from the client; the text describes which.
    Listening(String),
    /// It is silent until an event is set.
    Waiting(String),
    /// It goes on to send without waiting for input, after a pause.
    Sending(Duration),
    /// It ended the connection, by a reset or in an orderly way.
    Closed {
        /// By a reset.
        reset: bool,
    },
    /// The script is over; the client may only send Terminate or close.
    Done,
}

/// Plays a script: bytes in, bytes out.
#[derive(Debug)]
pub struct Peer {
    steps: VecDeque<Step>,
    input: Vec<u8>,
    output: Vec<u8>,
    budget: Option<usize>,
    closed: Option<bool>,
    may_leave: bool,
    events: Events,
}

impl Peer {
    /// A peer at the first step of its script.
    #[must_use]
    pub fn new(script: Script, events: Events) -> Peer {
        Peer {
            steps: script.steps.into(),
            input: Vec::new(),
            output: Vec::new(),
            budget: None,
            closed: None,
            may_leave: false,
            events,
        }
    }

    /// Takes bytes from the client.
    pub fn handle_input(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Takes the bytes for the client that the script has come to.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Goes as far in the script as the input allows.
    ///
    /// # Panics
    /// When the client said something else than the script expects.
    pub fn advance(&mut self) -> State {
        loop {
            if let Some(reset) = self.closed {
                return State::Closed { reset };
            }
            let Some(step) = self.steps.front().cloned() else {
                self.check_terminate();
                return State::Done;
            };
            match &step {
                Step::Startup | Step::Cancel { .. } => {
                    let Some(packet) = self.take_packet() else {
                        return State::Listening(format!("{step:?}"));
                    };
                    check_packet(&step, &packet);
                }
                Step::Message { tag, body } => {
                    let Some((found_tag, found)) = self.take_message() else {
                        return State::Listening(describe(*tag, body.as_deref()));
                    };
                    if found_tag != *tag || body.as_ref().is_some_and(|body| *body != found) {
                        panic!(
                            "the script expects {}, the client said {}",
                            describe(*tag, body.as_deref()),
                            describe(found_tag, Some(&found))
                        );
                    }
                }
                Step::UntilSync => match self.take_message() {
                    None => return State::Listening("Sync".to_owned()),
                    Some((b'S', _)) => {}
                    Some((b'P' | b'B' | b'D' | b'E' | b'C' | b'H', _)) => continue,
                    Some((tag, body)) => {
                        panic!("the script expects Sync, found {}", describe(tag, Some(&body)))
                    }
                },
                Step::Send(bytes) => self.emit(bytes),
                Step::Cut(bytes) => self.budget = Some(*bytes),
                Step::Endless { piece, until } => {
                    self.may_leave = true;
                    if !self.events.is_set(until) {
                        if self.output.is_empty() {
                            self.emit(piece);
                        }
                        return State::Sending(Duration::ZERO);
                    }
                }
                Step::Drip { bytes, pause } => {
                    self.may_leave = true;
                    if let Some((first, rest)) = bytes.split_first() {
                        let rest = Step::Drip { bytes: rest.to_vec(), pause: *pause };
                        self.steps[0] = rest;
                        self.emit(&[*first]);
                        return State::Sending(*pause);
                    }
                }
                Step::MayLeave => self.may_leave = true,
                Step::Wait(event) => {
                    if !self.events.is_set(event) {
                        return State::Waiting(event.clone());
                    }
                }
                Step::Signal(event) => self.events.signal(event),
                Step::Close => self.closed = Some(false),
                Step::Reset => self.closed = Some(true),
            }
            self.steps.pop_front();
        }
    }

    /// Whether every step was played, or the connection ended by the script, or the script leaves it
    /// to the client.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.steps.is_empty() || self.closed.is_some() || self.may_leave
    }

    /// The steps that were not played, for a message.
    #[must_use]
    pub fn remaining(&self) -> String {
        format!("{:?}", self.steps)
    }

    fn emit(&mut self, bytes: &[u8]) {
        let allowed = self.budget.map_or(bytes.len(), |budget| budget.min(bytes.len()));
        self.output.extend_from_slice(&bytes[..allowed]);
        if let Some(budget) = &mut self.budget {
            *budget -= allowed;
            if *budget == 0 {
                self.closed = Some(false);
            }
        }
    }

    fn take_packet(&mut self) -> Option<Vec<u8>> {
        self.take_frame(0)
    }

    fn take_message(&mut self) -> Option<(u8, Vec<u8>)> {
        let tag = *self.input.first()?;
        Some((tag, self.take_frame(1)?))
    }

    fn take_frame(&mut self, offset: usize) -> Option<Vec<u8>> {
        let header = self.input.get(offset..offset + 4)?;
        let length = u32::from_be_bytes(header.try_into().expect("four bytes"));
        let end = offset + usize::try_from(length).expect("a 64-bit machine");
        let body = self.input.get(offset + 4..end)?.to_vec();
        self.input.drain(..end);
        Some(body)
    }

    fn check_terminate(&mut self) {
        while let Some((tag, body)) = self.take_message() {
            assert!(
                tag == b'X',
                "the script is over, the client went on with {}",
                describe(tag, Some(&body))
            );
        }
    }
}

fn check_packet(step: &Step, packet: &[u8]) {
    let code = u32::from_be_bytes(packet[..4].try_into().expect("four bytes"));
    match step {
        Step::Startup => {
            assert!(code >> 16 == 3, "the script expects a StartupMessage, found code {code}");
        }
        Step::Cancel { process_id, secret } => {
            assert!(code == 80_877_102, "the script expects a CancelRequest, found code {code}");
            let expected = [&process_id.to_be_bytes()[..], secret].concat();
            assert!(packet[4..] == expected, "a CancelRequest with another key: {packet:?}");
        }
        _ => {}
    }
}

fn describe(tag: u8, body: Option<&[u8]>) -> String {
    let tag = char::from(tag);
    match body {
        Some(body) => format!("'{tag}' {}", body.escape_ascii()),
        None => format!("'{tag}'"),
    }
}
