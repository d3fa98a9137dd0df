//! Keeps the state file as it was written, for as long as the process serves: whoever empties or
//! removes it must not leave an endpoint that nobody can find or stop.

use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::Error;
use crate::files::{self, Found};
use crate::home::Home;
use crate::state::{State, put};

/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

/// The state file of a process that serves.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    written: Arc<Mutex<Vec<u8>>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Begins to keep the state file of `home`, whose lock `serving` is.
    pub(crate) fn begin(home: &Home, serving: &File) -> Result<Keeper, Error> {
        let path = home.state_file();
        let serving = serving.try_clone().map_err(Error::io("opening", &path))?;
        let written = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn({
            let (home, path, written) = (home.clone(), path.clone(), written.clone());
            move || {
                let us = rustix::process::geteuid().as_raw();
                while stopped.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                    let bytes = written.lock().unwrap_or_else(PoisonError::into_inner);
                    let limit = u64::try_from(bytes.len()).unwrap_or(u64::MAX - 1);
                    let found = files::read(&path, limit, us);
                    let same = matches!(&found, Ok(Found::Bytes(found)) if *found == *bytes);
                    // A home made anew is another endpoint's.
                    if !same && !bytes.is_empty() && home.still_holds(&serving) {
                        // It is tried again; nobody waits here who could be told.
                        let _ = put(&path, &bytes);
                    }
                }
            }
        });
        Ok(Keeper { path, written, stop: Some(stop), thread: Some(thread) })
    }

    /// Writes another state.
    pub(crate) fn write(&self, state: &State) -> Result<(), Error> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        *written = state.bytes(&self.path)?;
        put(&self.path, &written)
    }

    /// Stops keeping it; the file stays as it is.
    pub(crate) fn end(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}
