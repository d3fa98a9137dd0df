//! Requests whose replies are taken one by one: COPY, and results that are read as they come.
//!
//! Nothing is read while nobody asks, so that a slow reader slows the server down.

use std::sync::Arc;

use kecoa::{NextReply, Readiness};
use kecoa_proto::{Reply, Request, RowDescription, ServerError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::link::{AsyncLink, set_future};
use super::state::Streaming;
use crate::dbapi::cursor::Cursor;
use crate::names;

/// What `stream_next` gives where it gives no bytes; as in `kecoa.aio._copy`.
const OVER: u8 = 0;
const COPY_IN: u8 = 1;
const COPY_OUT: u8 = 2;
const ROWS: u8 = 3;
const COMPLETE: u8 = 4;

/// How many replies nobody wants are dropped at a time.
const DRAINED: usize = 1_000;

/// What a reply comes to.
enum Received {
    Waiting,
    Code(u8),
    Data(bytes::Bytes),
    Rows(kecoa_proto::Rows),
    Described(Arc<RowDescription>),
    Over(Option<Box<ServerError>>),
}

impl AsyncLink {
    pub(super) fn start_streaming(
        slf: &Bound<'_, Self>,
        cursor: &Bound<'_, Cursor>,
        sql: &[u8],
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_loop(py)?;
        this.check_open(py)?;
        let sql: Arc<[u8]> = sql.into();
        let submitted = {
            let mut link = this.connection.get().link(py);
            link.client.as_mut().map(|client| client.submit(&Request::Query(&sql)))
        };
        let id = match submitted {
            Some(Ok(id)) => id,
            Some(Err(error)) => return Err(this.raise(py, &error, None, &sql, false)),
            None => {
                return Err(names::interface_error(py, "the connection is closed"));
            }
        };
        cursor.get().begin_statement(sql.clone());
        this.connection.get().count_statement(true);
        let mut state = this.state();
        let number = state.next_number();
        state.streaming = Some(Streaming {
            number,
            id,
            cursor: cursor.clone().unbind(),
            sql,
            description: None,
            error: None,
            waiter: None,
            wanted: Readiness::Writable,
            abandoned: false,
        });
        Ok(())
    }

    /// The next reply that means something to the caller.
    pub(super) fn next_reply_object<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let this = slf.get();
        loop {
            let received = match AsyncLink::next_reply(slf) {
                Ok(received) => received,
                Err(error) => return Err(AsyncLink::lose_streaming(slf, &error)?),
            };
            let code = match received {
                Received::Waiting => {
                    AsyncLink::catch_up(slf);
                    return Ok(None);
                }
                Received::Code(code) => code,
                Received::Data(data) => return Ok(Some(PyBytes::new(py, &data).into_any())),
                Received::Described(description) => {
                    if let Some(cursor) = this.streaming_cursor(py) {
                        Cursor::take_rows(&cursor, None, &description)?;
                    }
                    continue;
                }
                Received::Rows(rows) => {
                    let described = {
                        let state = this.state();
                        state.streaming.as_ref().and_then(|streaming| streaming.description.clone())
                    };
                    if let (Some(cursor), Some(described)) = (this.streaming_cursor(py), described)
                    {
                        Cursor::take_rows(&cursor, Some(rows), &described)?;
                    }
                    ROWS
                }
                Received::Over(error) => {
                    let streaming = this.state().streaming.take();
                    this.connection.get().count_statement(false);
                    AsyncLink::watch_reading(slf, true)?;
                    AsyncLink::watch(slf, None)?;
                    AsyncLink::catch_up(slf);
                    if let (Some(error), Some(streaming)) = (error, streaming) {
                        let error = kecoa::Error::from_server(error);
                        return Err(this.raise(
                            py,
                            &error,
                            Some(&streaming.cursor),
                            &streaming.sql,
                            false,
                        ));
                    }
                    this.deferred_error()?;
                    OVER
                }
            };
            return Ok(Some(code.into_pyobject(py)?.into_any()));
        }
    }

    fn streaming_cursor<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Cursor>> {
        self.state().streaming.as_ref().map(|streaming| streaming.cursor.bind(py).clone())
    }

    fn next_reply(slf: &Bound<'_, Self>) -> Result<Received, kecoa::Error> {
        let this = slf.get();
        let mut link = this.connection.get().link(slf.py());
        let mut state = this.state();
        let (Some(client), Some(streaming)) = (link.client.as_mut(), state.streaming.as_mut())
        else {
            return Ok(Received::Over(None));
        };
        loop {
            let reply = match client.try_reply(streaming.id)? {
                NextReply::Reply(reply) => reply,
                NextReply::Waiting(wanted) => {
                    streaming.wanted = wanted;
                    return Ok(Received::Waiting);
                }
            };
            return Ok(match reply {
                Reply::CopyIn(_) => Received::Code(COPY_IN),
                Reply::CopyOut(_) => Received::Code(COPY_OUT),
                Reply::CopyData(data) => Received::Data(data),
                Reply::RowDescription(description) => {
                    streaming.description = Some(description.clone());
                    Received::Described(description)
                }
                Reply::Rows(rows) => Received::Rows(rows),
                Reply::CommandComplete(tag) => {
                    streaming.cursor.get().take_tag(&tag);
                    Received::Code(COMPLETE)
                }
                Reply::Error(error) => {
                    streaming.error.get_or_insert(error);
                    continue;
                }
                Reply::Ready(_) => Received::Over(streaming.error.take()),
                _ => continue,
            });
        }
    }

    /// The connection is gone: the exception for it.
    fn lose_streaming(slf: &Bound<'_, Self>, error: &kecoa::Error) -> PyResult<PyErr> {
        let py = slf.py();
        let this = slf.get();
        let streaming = this.state().streaming.take();
        let raised = match &streaming {
            Some(streaming) => {
                this.connection.get().count_statement(false);
                this.raise(py, error, Some(&streaming.cursor), &streaming.sql, false)
            }
            None => this.raise(py, error, None, b"", false),
        };
        AsyncLink::lose(slf, error)?;
        let mut state = this.state();
        state.end = None;
        state.loss_reported = true;
        drop(state);
        Ok(raised)
    }

    /// A future for the moment when something can be done.
    pub(super) fn await_reply<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let future = this.new_future(py)?;
        let (old, wanted) = {
            let mut state = this.state();
            let Some(streaming) = state.streaming.as_mut() else {
                drop(state);
                return Err(names::interface_error(
                    py,
                    "expected a request under way, found it over",
                ));
            };
            (streaming.waiter.replace(future.clone().unbind()), streaming.wanted)
        };
        drop(old);
        // What arrives may have to be read before there is room to send.
        AsyncLink::watch_reading(slf, true)?;
        AsyncLink::watch(slf, Some(wanted))?;
        Ok(future)
    }

    /// The socket is ready: wakes who waits for a reply. While nobody does, it is left alone.
    pub(super) fn wake_streaming(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let (waiter, abandoned) = {
            let mut state = slf.get().state();
            match state.streaming.as_mut() {
                Some(streaming) => (streaming.waiter.take(), streaming.abandoned),
                None => return Ok(()),
            }
        };
        if abandoned {
            return AsyncLink::drain(slf);
        }
        match waiter {
            Some(waiter) => {
                set_future(py, &waiter, Ok(()));
                Ok(())
            }
            None => {
                AsyncLink::watch(slf, None)?;
                AsyncLink::watch_reading(slf, false)
            }
        }
    }

    /// Drops what comes until the request is over.
    fn drain(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        // A bound for one turn of the loop.
        for _ in 0..DRAINED {
            let over = match AsyncLink::next_reply(slf) {
                Ok(Received::Waiting) => {
                    let wanted = this.state().streaming.as_ref().map(|streaming| streaming.wanted);
                    return AsyncLink::watch(slf, wanted);
                }
                Ok(Received::Over(_)) => true,
                Ok(Received::Code(COPY_IN)) => {
                    AsyncLink::end_copy(slf, Some("the copy was given up"))?;
                    false
                }
                Ok(_) => false,
                Err(error) => return AsyncLink::lose_streaming(slf, &error).map(drop),
            };
            if over {
                drop(this.state().streaming.take());
                this.connection.get().count_statement(false);
                AsyncLink::watch(slf, None)?;
                AsyncLink::catch_up(slf);
                AsyncLink::next_turn(slf);
                return Ok(());
            }
        }
        // More may have been read already: the socket would not become readable again.
        let again = slf.getattr(intern!(slf.py(), "on_readable"))?;
        this.event_loop.call_method1(slf.py(), intern!(slf.py(), "call_soon"), (again,)).map(drop)
    }

    /// Nobody wants the rest: it is cancelled, and drained in the background.
    pub(super) fn abandon_streaming(slf: &Bound<'_, Self>, grace: f64) -> PyResult<()> {
        let (old, number) = {
            let mut state = slf.get().state();
            let Some(streaming) = state.streaming.as_mut() else { return Ok(()) };
            streaming.abandoned = true;
            (streaming.waiter.take(), streaming.number)
        };
        drop(old);
        AsyncLink::ask_to_cancel(slf, number, grace)?;
        AsyncLink::watch_reading(slf, true)?;
        AsyncLink::drain(slf)
    }

    /// Sends; whether everything went.
    pub(super) fn send_copy(slf: &Bound<'_, Self>, data: &[u8]) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let sent = {
            let mut link = this.connection.get().link(py);
            let Some(client) = link.client.as_mut() else { return Ok(false) };
            let queued = if data.is_empty() { Ok(()) } else { client.copy_data(data) };
            queued.and_then(|()| client.try_send())
        };
        match sent {
            Ok(wanted) => {
                if let Some(streaming) = this.state().streaming.as_mut() {
                    streaming.wanted = wanted.unwrap_or(Readiness::Readable);
                }
                Ok(wanted.is_none())
            }
            Err(error) => Err(AsyncLink::lose_streaming(slf, &error)?),
        }
    }

    /// Whether the server dropped out of the COPY. Takes what it says, which may be why it reads no
    /// further.
    pub(super) fn is_copy_refused(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let refused = {
            let mut link = slf.get().connection.get().link(slf.py());
            let Some(client) = link.client.as_mut() else { return Ok(false) };
            client.is_copy_refused()
        };
        match refused {
            Ok(refused) => Ok(refused),
            Err(error) => Err(AsyncLink::lose_streaming(slf, &error)?),
        }
    }

    pub(super) fn end_copy(slf: &Bound<'_, Self>, reason: Option<&str>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let ended = {
            let mut link = this.connection.get().link(py);
            let Some(client) = link.client.as_mut() else { return Ok(()) };
            let ended = match reason {
                Some(reason) => client.copy_fail(reason),
                None => client.copy_done(),
            };
            ended.and_then(|()| client.try_send())
        };
        match ended {
            Ok(wanted) => {
                if let Some(streaming) = this.state().streaming.as_mut() {
                    streaming.wanted = wanted.unwrap_or(Readiness::Readable);
                }
                Ok(())
            }
            Err(error)
                if this
                    .connection
                    .get()
                    .link(py)
                    .client
                    .as_ref()
                    .is_some_and(|c| !c.is_closed()) =>
            {
                Err(this.raise(py, &error, None, b"", false))
            }
            Err(error) => Err(AsyncLink::lose_streaming(slf, &error)?),
        }
    }
}
