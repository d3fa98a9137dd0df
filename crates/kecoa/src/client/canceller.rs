//! Cancelling what a connection does.

use std::fmt;
use std::sync::Arc;

use kecoa_proto::CancelKey;

use crate::error::Error;
use crate::interrupt::Never;
use crate::net::wire::Cancel;

/// Cancels, from any thread, what one connection does.
///
/// ```
/// # kecoa::example::blocking(|client| {
/// use std::sync::mpsc::{RecvTimeoutError, channel};
/// use std::time::Duration;
///
/// let canceller = client.canceller();
/// let (done, over) = channel::<()>();
/// let watch = std::thread::spawn(move || {
///     // Cancelled again until it is over: the first time may come before the statement runs.
///     while over.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
///         canceller.cancel()?;
///     }
///     Ok::<(), kecoa::Error>(())
/// });
/// let error = client.query("SELECT pg_sleep(60)", &[]).unwrap_err();
/// drop(done);
/// assert_eq!(error.sqlstate(), Some("57014"));
/// watch.join().expect("the thread ends")?;
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct Canceller {
    inner: Option<(Arc<dyn Cancel>, CancelKey)>,
}

impl fmt::Debug for Canceller {
    /// The key is a secret: whoever has it can cancel.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}

impl Canceller {
    /// With the key that the server gave, if it gave one.
    pub(super) fn new(inner: Option<(Arc<dyn Cancel>, CancelKey)>) -> Canceller {
        Canceller { inner }
    }

    /// Asks the server, on a second connection, to cancel the statement that runs now. The server
    /// does not say whether there was one: the statement fails with SQLSTATE 57014 or it does not.
    ///
    /// # Errors
    /// The second connection could not be made, or the server gave no key to cancel with.
    pub fn cancel(&self) -> Result<(), Error> {
        match &self.inner {
            Some((cancel, key)) => cancel.cancel(key, &mut Never),
            None => Err(Error::connect("the server gave no key to cancel with")),
        }
    }
}
