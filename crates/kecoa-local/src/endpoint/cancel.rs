//! CancelRequests: from the key a client was given to the backend it has now.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use kecoa_proto::CancelKey;
use kecoa_proto::message::startup::Startup;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Whose key leads where.
///
/// A client is given its first backend's own key, whose secret PostgreSQL made; `USE` may give the
/// session another backend later.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<(i32, Bytes), CancelKey>>);

impl Keys {
    /// Notes, or changes, the backend behind a client's key.
    pub(super) fn set(&self, client: &CancelKey, backend: CancelKey) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert((client.process_id, client.secret.clone()), backend);
    }

    /// Forgets a client's key.
    pub(super) fn remove(&self, client: &CancelKey) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&(client.process_id, client.secret.clone()));
    }

    /// The backend behind a client's key.
    pub(super) fn get(&self, client: &CancelKey) -> Option<CancelKey> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(&(client.process_id, client.secret.clone())).cloned()
    }
}

/// Asks PostgreSQL to cancel what the backend with this key is doing, and waits until it has
/// taken note.
pub(super) async fn send(socket: &Path, key: CancelKey) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut out = BytesMut::new();
    Startup::Cancel(key).encode(&mut out).map_err(io::Error::other)?;
    stream.write_all(&out).await?;
    // PostgreSQL closes once the signal is sent.
    let mut nothing = [0; 1];
    let _ = stream.read(&mut nothing).await?;
    Ok(())
}
