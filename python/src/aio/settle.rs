//! Statements: settled when they are answered.

use kecoa::call::Settled;
use kecoa::{Never, ResultSet};
use kecoa_proto::Format;
use pyo3::intern;
use pyo3::prelude::*;

use super::link::{AsyncLink, set_future};
use super::state::{Pending, Sent, Target};
use crate::dbapi::cursor::Cursor;
use crate::dbapi::cursor::binding::BoundCall;
use crate::dbapi::cursor::execute_arrow::{Batches, forms};
use crate::dbapi::cursor::overlap::Work;
use crate::sync::lock;

/// How many seconds a request may take to end that is cancelled because its results are too large.
const GRACE: f64 = 10.0;

/// What a request came to.
enum Answer {
    Over(Result<Vec<ResultSet>, kecoa::Error>),
    Again(Sent),
    /// The columns of a statement are known: it can run, with them in these forms.
    Described(BoundCall, Vec<Format>),
}

impl AsyncLink {
    /// Goes on as far as it goes without waiting, and settles what is answered.
    pub(super) fn advance(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let (idle, streaming) = {
            let state = this.state();
            (state.requests.is_empty(), state.streaming.is_some())
        };
        if streaming {
            return AsyncLink::wake_streaming(slf);
        }
        let too_large;
        let stepped = {
            let mut link = this.connection.get().link(py);
            let Some(client) = link.client.as_mut() else { return Ok(()) };
            let stepped = if idle { client.poll().map(|()| None) } else { client.advance() };
            too_large = client.has_excess();
            stepped
        };
        if too_large {
            AsyncLink::give_up(slf, None, GRACE)?;
        }
        match stepped {
            Ok(Some(wanted)) => {
                AsyncLink::catch_up(slf);
                AsyncLink::work_ahead(slf);
                AsyncLink::watch(slf, Some(wanted))
            }
            Ok(None) if idle => {
                AsyncLink::catch_up(slf);
                Ok(())
            }
            Ok(None) => {
                AsyncLink::watch(slf, None)?;
                AsyncLink::settle_all(slf)
            }
            Err(error) => AsyncLink::lose(slf, &error),
        }
    }

    /// Works on the rows that have come of the request under way, where it is the only one.
    fn work_ahead(slf: &Bound<'_, Self>) {
        let this = slf.get();
        let pending = {
            let mut state = this.state();
            let worked = |pending: &Pending| !matches!(pending.work, Work::Nothing);
            let alone = state.requests.len() == 1 && state.requests.front().is_some_and(worked);
            if alone { state.requests.pop_front() } else { None }
        };
        let Some(mut pending) = pending else { return };
        if let Some(client) = this.connection.get().link(slf.py()).client.as_mut() {
            match &pending.sent {
                Sent::Query(id) => client.work_ahead(*id, &mut pending.work),
                Sent::Call(call, _) => client.work_ahead_call(call, &mut pending.work),
                Sent::Described(..) => {}
            }
        }
        this.state().requests.push_front(pending);
    }

    /// Takes what came without being asked for; raises when the server has gone.
    pub(super) fn look(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let looked = {
            let mut link = this.connection.get().link(py);
            link.client.as_mut().map(kecoa::blocking::Client::poll)
        };
        AsyncLink::catch_up(slf);
        match looked {
            Some(Err(error)) => {
                let raised = this.raise(py, &error, None, b"", false);
                AsyncLink::lose(slf, &error)?;
                // The caller gets the error.
                this.state().end = None;
                Err(raised)
            }
            _ => Ok(()),
        }
    }

    fn settle_all(slf: &Bound<'_, Self>) -> PyResult<()> {
        // Those that have to be sent once more come after all that are answered.
        let count = slf.get().state().requests.len();
        for _ in 0..count {
            let Some(pending) = slf.get().state().requests.pop_front() else { break };
            AsyncLink::settle(slf, pending)?;
        }
        if slf.get().state().requests.is_empty() {
            AsyncLink::next_turn(slf);
            return Ok(());
        }
        AsyncLink::send(slf)
    }

    /// Gives a request's answer to whom it is for.
    fn settle(slf: &Bound<'_, Self>, pending: Pending) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let connection = this.connection.bind(py);
        let Pending { number, future, sent, sql, target, commits, work } = pending;
        // The server's errors are about what was sent.
        let mut about = None;
        let answer = {
            let mut link = connection.get().link(py);
            link.client.as_mut().map(|client| match sent {
                Sent::Query(id) => Answer::Over(client.finish(id, &mut Never)),
                Sent::Described(id, call) => match client.finish(id, &mut Never) {
                    Ok(mut described) => Answer::Described(call, forms(&mut described)),
                    Err(error) => Answer::Over(Err(error)),
                },
                Sent::Call(pending, call) => match call.settle(client, pending) {
                    Ok(Settled::Done(set)) => Answer::Over(Ok(vec![set])),
                    Ok(Settled::Again(again)) => Answer::Again(Sent::Call(again, call)),
                    Err(error) => {
                        about = Some(call);
                        Answer::Over(Err(error))
                    }
                },
            })
        };
        let answer = match answer {
            Some(Answer::Over(answer)) => answer,
            Some(Answer::Again(sent)) => {
                let pending = Pending { number, future, sent, sql, target, commits, work };
                this.state().requests.push_back(pending);
                return Ok(());
            }
            Some(Answer::Described(call, forms)) => {
                connection.get().count_statement(false);
                AsyncLink::catch_up(slf);
                // One that was cancelled, or took too long, is over.
                if future.call_method0(py, intern!(py, "done"))?.is_truthy(py)? {
                    return Ok(());
                }
                let future = future.bind(py);
                let sent = AsyncLink::submit_formed(slf, sql, call, forms, target, future);
                if sent.is_err() {
                    set_future(py, future.as_unbound(), sent);
                }
                return Ok(());
            }
            // Closed meanwhile.
            None => Err(kecoa::Error::connection_lost("the connection was closed")),
        };
        connection.get().count_statement(false);
        AsyncLink::catch_up(slf);
        let settled = match &target {
            Target::Cursor(cursor) => {
                let sql = about.as_ref().map_or(&*sql, |call| call.call.sql());
                Cursor::take_settled(cursor.bind(py), connection, sql, answer)
            }
            Target::Arrow(cursor) => {
                let answer = answer.map(|mut sets| Batches::of(sets.pop().unwrap_or_default()));
                Cursor::take_batches(cursor.bind(py), connection, &sql, answer)
            }
            Target::Command { commit } => {
                answer.map(drop).map_err(|e| this.raise(py, &e, None, &sql, *commit))
            }
            Target::Count { cursor, first_error, rest } => {
                let counted = answer.map(|sets| {
                    for set in &sets {
                        let tag = set.tag.as_ref();
                        cursor.get().add_count(tag.and_then(kecoa_proto::CommandTag::rows));
                    }
                });
                let counted = counted.map_err(|e| this.raise(py, &e, Some(cursor), &sql, false));
                if let Err(error) = counted {
                    let mut first = lock(first_error);
                    let later = if first.is_some() { Some(error) } else { first.replace(error) };
                    drop(first);
                    drop(later);
                }
                match rest {
                    // Reported behind the last of them.
                    None => return Ok(()),
                    Some(_) => {
                        let first = lock(first_error).take();
                        first.map_or(Ok(()), Err)
                    }
                }
            }
        };
        if let (Ok(()), Target::Count { cursor, first_error, rest: Some(mut rest) }) =
            (&settled, target)
            && let Some(next) = rest.pop_front()
        {
            let target = Target::Count { cursor, first_error, rest: Some(rest) };
            let sent = AsyncLink::submit_many_request(slf, next, target, future.bind(py), false);
            if sent.is_err() {
                set_future(py, &future, sent);
            }
            return Ok(());
        }
        if settled.is_err() && connection.get().is_closed() {
            this.state().loss_reported = true;
        }
        set_future(py, &future, settled.and(this.deferred_error()));
        Ok(())
    }
}
