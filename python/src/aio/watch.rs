//! What the event loop watches the socket for.

use kecoa::Readiness;
use pyo3::intern;
use pyo3::prelude::*;

use super::link::AsyncLink;

impl AsyncLink {
    /// Watches the socket for what it has to be, and no more.
    pub(super) fn watch(slf: &Bound<'_, Self>, wanted: Option<Readiness>) -> PyResult<()> {
        let wants = wanted == Some(Readiness::Writable);
        let was = std::mem::replace(&mut slf.get().state().writing, wants);
        if wants == was {
            return Ok(());
        }
        let py = slf.py();
        let event_loop = slf.get().event_loop.bind(py);
        if wants {
            let callback = slf.getattr(intern!(py, "on_writable"))?;
            event_loop.call_method1(intern!(py, "add_writer"), (slf.get().fd, callback))?;
        } else {
            event_loop.call_method1(intern!(py, "remove_writer"), (slf.get().fd,))?;
        }
        Ok(())
    }

    /// Whether the loop calls when something arrives.
    pub(super) fn watch_reading(slf: &Bound<'_, Self>, on: bool) -> PyResult<()> {
        let was = std::mem::replace(&mut slf.get().state().reading, on);
        if was == on {
            return Ok(());
        }
        let py = slf.py();
        let event_loop = slf.get().event_loop.bind(py);
        if on {
            let callback = slf.getattr(intern!(py, "on_readable"))?;
            event_loop.call_method1(intern!(py, "add_reader"), (slf.get().fd, callback))?;
        } else {
            event_loop.call_method1(intern!(py, "remove_reader"), (slf.get().fd,))?;
        }
        Ok(())
    }

    /// Leaves the event loop alone from now on.
    pub(super) fn unwatch(slf: &Bound<'_, Self>) {
        if slf.get().pid != std::process::id() {
            return;
        }
        // A loop that is closed has forgotten the socket by itself.
        let _ = AsyncLink::watch(slf, None);
        let _ = AsyncLink::watch_reading(slf, false);
    }
}
