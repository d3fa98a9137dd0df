//! Whether a session is of the kind that `target_session_attrs` asks for.
//!
//! Source: PostgreSQL's documentation of libpq's option. Servers since PostgreSQL 14 report what
//! there is to know by themselves; others are asked, with libpq's statements.

use std::io;

use kecoa_proto::{Connection, Event, Reply, Request};

use super::failure::{Failure, Place};
use super::stream::Stream;
use super::wait::{Stop, Wait};
use crate::config::SessionAttributes;
use crate::error::Error;

const READ_ONLY: &str = "SHOW transaction_read_only";
const IN_RECOVERY: &str = "SELECT pg_catalog.pg_is_in_recovery()";

/// Leaves the session as it is if it is of that kind, and ends it if not.
///
/// # Errors
///
/// What the session is instead, in libpq's words; another place may do better.
pub(super) fn check(
    wanted: SessionAttributes,
    stream: &mut Stream,
    connection: &mut Connection,
    place: &Place<'_>,
    wait: &mut Wait<'_>,
) -> Result<(), Failure> {
    let mut check = SessionCheck { stream, connection, place, wait };
    let complaint = match wanted {
        SessionAttributes::Any | SessionAttributes::PreferStandby => None,
        SessionAttributes::ReadWrite => check.is_read_only()?.then_some("session is read-only"),
        SessionAttributes::ReadOnly => {
            (!check.is_read_only()?).then_some("session is not read-only")
        }
        SessionAttributes::Primary => {
            check.is_standby()?.then_some("server is in hot standby mode")
        }
        SessionAttributes::Standby => {
            (!check.is_standby()?).then_some("server is not in hot standby mode")
        }
    };
    match complaint {
        None => Ok(()),
        Some(complaint) => {
            check.terminate();
            Err(Failure::elsewhere(Error::connect(place.failed(complaint))))
        }
    }
}

struct SessionCheck<'a, 'w> {
    stream: &'a mut Stream,
    connection: &'a mut Connection,
    place: &'a Place<'a>,
    wait: &'a mut Wait<'w>,
}

impl SessionCheck<'_, '_> {
    fn is_read_only(&mut self) -> Result<bool, Failure> {
        let reported = |name| self.connection.parameter(name).map(|value| value == "on");
        match (reported("default_transaction_read_only"), reported("in_hot_standby")) {
            (Some(by_default), Some(standby)) => Ok(by_default || standby),
            _ => Ok(self.ask(READ_ONLY)? == b"on"),
        }
    }

    fn is_standby(&mut self) -> Result<bool, Failure> {
        // Every node of a cluster takes writes.
        if self.connection.is_crdb() {
            return Ok(false);
        }
        match self.connection.parameter("in_hot_standby") {
            Some(value) => Ok(value == "on"),
            None => Ok(self.ask(IN_RECOVERY)? == b"t"),
        }
    }

    /// The one value of a statement's result.
    fn ask(&mut self, sql: &str) -> Result<Vec<u8>, Failure> {
        let parks = self.wait.hook.parks();
        if parks {
            self.set_nonblocking(true)?;
        }
        let answer = self.run_query(sql).map_err(|stop| stop.into_failure(self.place))?;
        if parks {
            self.set_nonblocking(false)?;
        }
        answer.map_err(|why| {
            let failed = format!("\"{sql}\" failed: {why}");
            Failure::elsewhere(Error::connect(self.place.failed(&failed)))
        })
    }

    fn set_nonblocking(&self, on: bool) -> Result<(), Failure> {
        let set = self.stream.set_nonblocking(on);
        set.map_err(|error| Stop::Io(error).into_failure(self.place))
    }

    /// The value, or why there is none.
    fn run_query(&mut self, sql: &str) -> Result<Result<Vec<u8>, String>, Stop> {
        self.connection.submit(&Request::Query(sql.as_bytes())).map_err(io::Error::other)?;
        let mut answer = Err("no row came".to_owned());
        loop {
            while let Some(data) = self.connection.poll_transmit() {
                let written = self.stream.write_some(data, self.wait)?;
                self.connection.transmitted(written);
            }
            let stream = &mut *self.stream;
            self.wait.until_done(|| stream.flush())?;
            while let Some(event) = self.connection.poll_event().map_err(io::Error::other)? {
                match event {
                    Event::Reply(_, Reply::Rows(rows)) => {
                        let value = rows.iter().next().and_then(|row| row.get(0).flatten());
                        answer = Ok(value.unwrap_or_default().to_vec());
                    }
                    Event::Reply(_, Reply::Error(error)) | Event::Unsolicited(error) => {
                        answer = Err(error.message().into_owned());
                    }
                    Event::Reply(_, Reply::Ready(_)) => return Ok(answer),
                    _ => {}
                }
            }
            let connection = &mut *self.connection;
            if self.wait.until_done(|| stream.read_into(connection.read_buffer(), 0))? == 0 {
                // What it said before is more than that it is gone.
                return match answer {
                    Err(why) if why != "no row came" => Ok(Err(why)),
                    _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                };
            }
        }
    }

    /// One attempt to send Terminate: the server notices the end of the connection in any case.
    fn terminate(&mut self) {
        self.connection.terminate();
        if let Some(output) = self.connection.poll_transmit() {
            let _ = self.stream.write(output).and_then(|_| self.stream.flush());
        }
        self.stream.shutdown();
    }
}
