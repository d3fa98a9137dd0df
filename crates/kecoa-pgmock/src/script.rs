//! What one connection must receive, and what it answers.

use std::time::Duration;

/// One step of a [`Script`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A StartupMessage of protocol 3.
    Startup,
    /// A CancelRequest, with this process id and secret.
    Cancel { process_id: u32, secret: Vec<u8> },
    /// A message with this tag, and this body when one is given.
    Message { tag: u8, body: Option<Vec<u8>> },
    /// Every message up to a Sync, whatever it is.
    UntilSync,
    /// Bytes to the client.
    Send(Vec<u8>),
    /// From here on only so many bytes are sent, then the connection ends.
    Cut(usize),
    /// Bytes to the client again and again, until the event is set or the client leaves.
    Endless { piece: Vec<u8>, until: String },
    /// Bytes to the client one by one, with a pause after each.
    Drip { bytes: Vec<u8>, pause: Duration },
    /// The client may leave from here on, whatever is left of the script.
    MayLeave,
    /// Silence, until the event is set.
    Wait(String),
    /// Sets the event.
    Signal(String),
    /// The connection ends in an orderly way.
    Close,
    /// The connection ends with a reset.
    Reset,
}

/// The process id that [`Script::startup`] announces.
pub const PROCESS_ID: u32 = 4321;
/// The cancel secret that [`Script::startup`] announces.
pub const SECRET: u32 = 0x0102_0304;

/// What one connection must receive, and what it answers, in order.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// A script without steps.
    #[must_use]
    pub fn new() -> Script {
        Script::default()
    }

    fn step(mut self, step: Step) -> Script {
        self.steps.push(step);
        self
    }

    /// Appends the steps of another script.
    #[must_use]
    pub fn then(mut self, other: Script) -> Script {
        self.steps.extend(other.steps);
        self
    }

    // What the client must send.

    /// A whole start-up without a password, as PostgreSQL answers it.
    #[must_use]
    pub fn startup(self) -> Script {
        self.startup_with(&[
            ("server_version", "18.0"),
            ("server_encoding", "UTF8"),
            ("client_encoding", "UTF8"),
            ("standard_conforming_strings", "on"),
        ])
    }

    /// A whole start-up without a password, as CockroachDB answers it (emulated).
    #[must_use]
    pub fn startup_cockroach(self) -> Script {
        self.startup_with(&[
            ("server_version", "13.0.0"),
            ("server_encoding", "UTF8"),
            ("client_encoding", "UTF8"),
            ("standard_conforming_strings", "on"),
            ("crdb_version", "CockroachDB CCL v26.2.0 (emulated)"),
        ])
    }

    /// A whole start-up without a password, with these ParameterStatus messages.
    #[must_use]
    pub fn startup_with(self, parameters: &[(&str, &str)]) -> Script {
        let mut script = self.expect_startup().send(&message(b'R', &0_u32.to_be_bytes()));
        for (name, value) in parameters {
            script = script.parameter_status(name, value);
        }
        let mut key = PROCESS_ID.to_be_bytes().to_vec();
        key.extend_from_slice(&SECRET.to_be_bytes());
        script.send(&message(b'K', &key)).ready('I')
    }

    /// A StartupMessage, unanswered.
    #[must_use]
    pub fn expect_startup(self) -> Script {
        self.step(Step::Startup)
    }

    /// A CancelRequest with the key that [`startup`](Script::startup) announced.
    #[must_use]
    pub fn expect_cancel(self) -> Script {
        self.step(Step::Cancel { process_id: PROCESS_ID, secret: SECRET.to_be_bytes().to_vec() })
    }

    /// A Query with exactly this text.
    #[must_use]
    pub fn query(self, sql: &str) -> Script {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.step(Step::Message { tag: b'Q', body: Some(body) })
    }

    /// A message with this tag, whatever its body.
    #[must_use]
    pub fn expect(self, tag: char) -> Script {
        self.step(Step::Message { tag: ascii(tag), body: None })
    }

    /// A message with this tag and body.
    #[must_use]
    pub fn expect_exactly(self, tag: char, body: &[u8]) -> Script {
        self.step(Step::Message { tag: ascii(tag), body: Some(body.to_vec()) })
    }

    /// Every message of an extended query, its Sync included.
    #[must_use]
    pub fn expect_until_sync(self) -> Script {
        self.step(Step::UntilSync)
    }

    /// A Terminate, then the end of the connection.
    #[must_use]
    pub fn terminate(self) -> Script {
        self.expect_exactly('X', b"").close()
    }

    // What the server sends.

    /// These bytes.
    #[must_use]
    pub fn send(self, bytes: &[u8]) -> Script {
        self.step(Step::Send(bytes.to_vec()))
    }

    /// A message with this tag and body.
    #[must_use]
    pub fn send_message(self, tag: char, body: &[u8]) -> Script {
        self.send(&message(ascii(tag), body))
    }

    /// ReadyForQuery: `'I'`, `'T'` or `'E'`.
    #[must_use]
    pub fn ready(self, status: char) -> Script {
        self.send_message('Z', &[ascii(status)])
    }

    /// CommandComplete.
    #[must_use]
    pub fn complete(self, tag: &str) -> Script {
        self.send_message('C', &text(tag))
    }

    /// A query that answers with a tag and nothing else.
    #[must_use]
    pub fn simple(self, sql: &str, tag: &str, status: char) -> Script {
        self.query(sql).complete(tag).ready(status)
    }

    /// A query that answers with an error.
    #[must_use]
    pub fn failing(self, sql: &str, sqlstate: &str, status: char) -> Script {
        self.query(sql).error(sqlstate, "scripted").ready(status)
    }

    /// ErrorResponse.
    #[must_use]
    pub fn error(self, sqlstate: &str, text: &str) -> Script {
        self.report('E', "ERROR", sqlstate, text, None)
    }

    /// ErrorResponse with a position, in characters from 1.
    #[must_use]
    pub fn error_at(self, sqlstate: &str, text: &str, position: usize) -> Script {
        self.report('E', "ERROR", sqlstate, text, Some(position))
    }

    /// ErrorResponse of severity FATAL; the server closes after it.
    #[must_use]
    pub fn fatal(self, sqlstate: &str, text: &str) -> Script {
        self.report('E', "FATAL", sqlstate, text, None)
    }

    /// NoticeResponse.
    #[must_use]
    pub fn notice(self, sqlstate: &str, text: &str) -> Script {
        self.report('N', "NOTICE", sqlstate, text, None)
    }

    fn report(
        self,
        tag: char,
        severity: &str,
        state: &str,
        text: &str,
        at: Option<usize>,
    ) -> Script {
        let mut body = Vec::new();
        for (field, value) in [(b'S', severity), (b'V', severity), (b'C', state), (b'M', text)] {
            body.push(field);
            body.extend_from_slice(value.as_bytes());
            body.push(0);
        }
        if let Some(position) = at {
            body.extend_from_slice(format!("P{position}\0").as_bytes());
        }
        body.push(0);
        self.send_message(tag, &body)
    }

    /// ParameterStatus.
    #[must_use]
    pub fn parameter_status(self, name: &str, value: &str) -> Script {
        self.send_message('S', &[text(name), text(value)].concat())
    }

    /// NotificationResponse.
    #[must_use]
    pub fn notification(self, process_id: u32, channel: &str, payload: &str) -> Script {
        let body = [process_id.to_be_bytes().to_vec(), text(channel), text(payload)].concat();
        self.send_message('A', &body)
    }

    /// RowDescription: name, type oid and format (0 text, 1 binary) of each column.
    #[must_use]
    pub fn row_description(self, columns: &[(&str, u32, u16)]) -> Script {
        let mut body = count(columns.len()).to_vec();
        for (name, oid, format) in columns {
            body.extend_from_slice(&text(name));
            body.extend_from_slice(&[0; 6]);
            body.extend_from_slice(&oid.to_be_bytes());
            body.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
            body.extend_from_slice(&format.to_be_bytes());
        }
        self.send_message('T', &body)
    }

    /// DataRow.
    #[must_use]
    pub fn row(self, fields: &[Option<&[u8]>]) -> Script {
        let mut body = count(fields.len()).to_vec();
        for field in fields {
            match field {
                Some(bytes) => {
                    body.extend_from_slice(&length(bytes.len()));
                    body.extend_from_slice(bytes);
                }
                None => body.extend_from_slice(&[0xff; 4]),
            }
        }
        self.send_message('D', &body)
    }

    /// CopyInResponse (`'G'`) or CopyOutResponse (`'H'`) in text format.
    #[must_use]
    pub fn copy_response(self, tag: char, columns: usize) -> Script {
        let mut body = vec![0];
        body.extend_from_slice(&count(columns));
        body.extend_from_slice(&vec![0; columns * 2]);
        self.send_message(tag, &body)
    }

    // Faults.

    /// From here on only `bytes` more bytes are sent, then the connection ends.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Script {
        self.step(Step::Cut(bytes))
    }

    /// These bytes again and again, until the event is set or the client leaves.
    #[must_use]
    pub fn endless(self, piece: &[u8], until: &str) -> Script {
        self.step(Step::Endless { piece: piece.to_vec(), until: until.to_owned() })
    }

    /// These bytes one by one, with a pause after each; the client may leave meanwhile. Without I/O
    /// there are no pauses.
    #[must_use]
    pub fn drip(self, bytes: &[u8], pause: Duration) -> Script {
        self.step(Step::Drip { bytes: bytes.to_vec(), pause })
    }

    /// The client may leave from here on, whatever is left of the script.
    #[must_use]
    pub fn may_leave(self) -> Script {
        self.step(Step::MayLeave)
    }

    /// Silence, until another connection signals the event.
    #[must_use]
    pub fn wait(self, event: &str) -> Script {
        self.step(Step::Wait(event.to_owned()))
    }

    /// Silence for good.
    #[must_use]
    pub fn stall(self) -> Script {
        self.wait("an event that never comes")
    }

    /// Sets the event that another connection waits for.
    #[must_use]
    pub fn signal(self, event: &str) -> Script {
        self.step(Step::Signal(event.to_owned()))
    }

    /// The connection ends in an orderly way.
    #[must_use]
    pub fn close(self) -> Script {
        self.step(Step::Close)
    }

    /// The connection ends with a reset. Over sockets that takes bytes of the client that were not
    /// read; without them it just ends.
    #[must_use]
    pub fn reset(self) -> Script {
        self.step(Step::Reset)
    }

    /// How many bytes the script sends in all, cuts not counted.
    #[must_use]
    pub fn sent_bytes(&self) -> usize {
        let sent = |step: &Step| if let Step::Send(bytes) = step { bytes.len() } else { 0 };
        self.steps.iter().map(sent).sum()
    }
}

/// A message: tag, length, body.
#[must_use]
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&length(body.len() + 4));
    bytes.extend_from_slice(body);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn ascii(letter: char) -> u8 {
    u8::try_from(letter).expect("an ASCII letter")
}

fn count(count: usize) -> [u8; 2] {
    u16::try_from(count).expect("a count below 65536").to_be_bytes()
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a length below 4 GiB").to_be_bytes()
}
