//! Restores the state file for as long as the process serves: whoever empties or removes it must not
//! leave a service that nobody can find or stop.

use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::files::{self, Found};
use crate::home::Home;
use crate::state::State;

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(200);

/// The state file of a process that serves.
#[derive(Debug)]
pub struct StateMonitor {
    path: PathBuf,
    written: Arc<Mutex<Vec<u8>>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StateMonitor {
    /// Begins to watch the state file of `home`, whose lock `serving` is.
    ///
    /// # Errors
    ///
    /// When the lock cannot be shared with a thread.
    pub fn begin(home: &Home, serving: &File) -> Result<StateMonitor, Error> {
        let path = home.state_file();
        let serving = serving.try_clone().map_err(Error::io("opening", &path))?;
        let written = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn({
            let (home, path, written) = (home.clone(), path.clone(), written.clone());
            move || {
                let us = rustix::process::geteuid().as_raw();
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    let bytes = written.lock().unwrap_or_else(PoisonError::into_inner);
                    let limit = u64::try_from(bytes.len()).unwrap_or(u64::MAX - 1);
                    let found = files::read(&path, limit, us);
                    let same = matches!(&found, Ok(Found::Bytes(found)) if *found == *bytes);
                    // A home made anew is another endpoint's.
                    if !same && !bytes.is_empty() && home.still_holds(&serving) {
                        // It is tried again; nobody waits here for the error.
                        let _ = files::put(&path, &bytes);
                    }
                }
            }
        });
        Ok(StateMonitor { path, written, stop: Some(stop), thread: Some(thread) })
    }

    /// Writes another state.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written.
    pub fn write<D: Serialize + DeserializeOwned>(&self, state: &State<D>) -> Result<(), Error> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        *written = state.bytes(&self.path)?;
        files::put(&self.path, &written)
    }

    /// Stops watching it; the file stays as it is.
    pub fn end(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for StateMonitor {
    fn drop(&mut self) {
        self.end();
    }
}
