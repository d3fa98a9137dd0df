//! Cancelling what nobody waits for any more.

use std::thread;

use pyo3::intern;
use pyo3::prelude::*;

use super::link::AsyncLink;
use super::thread::call_in_loop;

impl AsyncLink {
    /// Has the statement behind `future` cancelled, if it is still under way; with None, whatever
    /// is.
    pub(super) fn give_up(
        slf: &Bound<'_, Self>,
        future: Option<&Bound<'_, PyAny>>,
        grace: f64,
    ) -> PyResult<()> {
        let number = {
            let state = slf.get().state();
            let last = match future {
                Some(future) => {
                    state.requests.iter().rev().find(|pending| future.is(&pending.future))
                }
                None => state.requests.back(),
            };
            match last {
                Some(pending) => pending.number,
                None => return Ok(()),
            }
        };
        AsyncLink::ask_to_cancel(slf, number, grace)
    }

    /// Sets a limit for what nobody waits for any more, and is not to be cancelled.
    pub(super) fn leave_to_itself(
        slf: &Bound<'_, Self>,
        future: &Bound<'_, PyAny>,
        grace: f64,
    ) -> PyResult<()> {
        let number = {
            let state = slf.get().state();
            let found = state.requests.iter().rev().find(|pending| future.is(&pending.future));
            found.map(|pending| pending.number)
        };
        match number {
            Some(number) => AsyncLink::limit(slf, number, grace),
            None => Ok(()),
        }
    }

    fn limit(slf: &Bound<'_, Self>, number: u64, grace: f64) -> PyResult<()> {
        let py = slf.py();
        let over = slf.getattr(intern!(py, "on_grace_over"))?;
        // A loop that is closed waits for nothing any more.
        let timer = (grace, over, number, grace);
        let _ = slf.get().event_loop.call_method1(py, intern!(py, "call_later"), timer);
        Ok(())
    }

    /// Sends a cancel request, on a connection and a thread of its own, and sets a limit for what
    /// the server makes of it.
    pub(super) fn ask_to_cancel(slf: &Bound<'_, Self>, number: u64, grace: f64) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let Some(canceller) = this.connection.get().canceller() else { return Ok(()) };
        let event_loop = this.event_loop.clone_ref(py);
        let done = slf.getattr(intern!(py, "on_cancelled"))?.unbind();
        this.state().cancelling += 1;
        let started = thread::Builder::new().name("kecoa-cancelling".to_owned()).spawn(move || {
            // What cannot be cancelled goes on; the limit is there for it.
            let _ = canceller.cancel();
            call_in_loop(event_loop, done);
        });
        if started.is_err() {
            this.state().cancelling -= 1;
        }
        AsyncLink::limit(slf, number, grace)
    }

    /// Closes the connection if request `number` or one before it is still under way.
    pub(super) fn check_grace(slf: &Bound<'_, Self>, number: u64, grace: f64) {
        let stuck = {
            let state = slf.get().state();
            state.requests.front().is_some_and(|pending| pending.number <= number)
                || state.streaming.as_ref().is_some_and(|streaming| streaming.number <= number)
        };
        if stuck {
            let reason = format!(
                "the server did not end a cancelled statement within {grace} s, so the connection \
                 was closed"
            );
            AsyncLink::end_with(slf, Some(&reason));
        }
    }
}
