//! What there is to see of a run, for the thread that shows it and for the end.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use kecoa_workload::{About, End, Event, Recorder, Summary};

/// What there is to see of a run.
pub(super) struct Seen {
    about: About,
    recorder: Mutex<Recorder>,
    started: SystemTime,
    begun: Instant,
    end: Mutex<End>,
}

/// Says how the run ended, once it is dropped: that it failed, if nobody has said so. Else whoever shows it would
/// go on behind a panic.
pub(super) struct Ends<'a> {
    seen: &'a Seen,
    end: End,
}

impl Seen {
    pub(super) fn new(about: About) -> Seen {
        Seen {
            about,
            recorder: Mutex::new(Recorder::new()),
            started: SystemTime::now(),
            begun: Instant::now(),
            end: Mutex::new(End::Running),
        }
    }

    pub(super) fn record(&self, event: &Event) {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner).record(event);
    }

    pub(super) fn ends(&self) -> Ends<'_> {
        Ends { seen: self, end: End::Failed }
    }

    pub(super) fn summary(&self) -> Summary {
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        if end == End::Running {
            recorder.advance(self.begun.elapsed());
        }
        Summary::new(&recorder, &self.about, self.started, end)
    }
}

impl Ends<'_> {
    /// The run has ended like this.
    pub(super) fn by(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        *self.seen.end.lock().unwrap_or_else(PoisonError::into_inner) = self.end;
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn seen() -> Seen {
        Seen::new(About {
            workload: "bank".to_owned(),
            client: "blocking",
            server: String::new(),
            url: String::new(),
            concurrency: 1,
            rate: None,
            duration: None,
            seed: 1,
            chosen: Vec::new(),
        })
    }

    #[test]
    fn a_run_that_panics_has_ended() {
        let seen = seen();
        assert_eq!(seen.summary().run.end, End::Running);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ends = seen.ends();
            panic!("in the run");
        }));
        assert!(panicked.is_err());
        assert_eq!(seen.summary().run.end, End::Failed);
    }

    #[test]
    fn a_run_ends_as_it_is_said() {
        let seen = seen();
        seen.ends().by(End::Interrupted);
        assert_eq!(seen.summary().run.end, End::Interrupted);
    }
}
