//! A session with PostgreSQL: opening it, and queries the client does not see.

use std::io;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use kecoa_proto::frame::{Frame, MAX_MESSAGE};
use kecoa_proto::message::startup::Startup;
use kecoa_proto::{CancelKey, ProtocolVersion};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::BackendAddress;
use super::messages::{Messages, Stream, put_parts};
use super::replies::{Fields, row};

/// The stream to PostgreSQL.
pub(super) type Backend = Stream<OwnedReadHalf, OwnedWriteHalf>;

/// What PostgreSQL says when a session opens.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) backend: Backend,
    /// The role.
    pub(super) user: String,
    /// ParameterStatus and notices, in order.
    pub(super) frames: Vec<Frame>,
    pub(super) key: Option<CancelKey>,
}

/// Why a session did not open.
#[derive(Debug)]
pub(super) enum Refused {
    /// PostgreSQL says so.
    Error(Fields),
    /// It cannot be reached, or does not speak as it should.
    Io(io::Error),
}

impl Refused {
    /// The error for the client.
    pub(super) fn into_fields(self) -> Fields {
        match self {
            Self::Error(error) => error,
            Self::Io(error) => {
                let message =
                    format!("the local endpoint cannot reach its PostgreSQL server: {error}");
                let mut error = Fields::own("FATAL", "57P03", &message);
                error.set(b'H', "see `kecoa local status`; `kecoa local start` starts it again");
                error
            }
        }
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The path of PostgreSQL's socket.
pub(super) fn socket(address: &BackendAddress) -> PathBuf {
    address.socket_dir.join(format!(".s.PGSQL.{}", address.port))
}

/// Opens a session as `user`, which must be one that a client may be.
pub(super) async fn open(
    address: &BackendAddress,
    user: &str,
    version: ProtocolVersion,
    database: &[u8],
    parameters: &[(Bytes, Bytes)],
) -> Result<Opened, Refused> {
    let (reader, writer) = UnixStream::connect(socket(address)).await?.into_split();
    let mut backend = Stream::new(reader, writer, Messages::up_to(MAX_MESSAGE));
    let mut all = vec![
        (Bytes::from_static(b"user"), Bytes::copy_from_slice(user.as_bytes())),
        (Bytes::from_static(b"database"), Bytes::copy_from_slice(database)),
    ];
    all.extend_from_slice(parameters);
    let startup = Startup::Startup { version, parameters: all };
    startup.encode(&mut backend.output).map_err(io::Error::other)?;
    backend.flush().await?;
    let mut frames = Vec::new();
    let mut key = None;
    loop {
        let frame = match next(&mut backend).await {
            Ok(frame) => frame,
            Err(error) => return Err(no_process(&backend.input).unwrap_or(error.into())),
        };
        match frame.tag {
            b'R' if frame.body.as_ref() == [0; 4] => {}
            b'R' => {
                let message = "PostgreSQL asks the local endpoint for a password; it must trust it";
                return Err(io::Error::other(message).into());
            }
            b'K' => {
                if let Some((id, secret)) = frame.body.split_first_chunk::<4>() {
                    let process_id = i32::from_be_bytes(*id);
                    key = Some(CancelKey { process_id, secret: Bytes::copy_from_slice(secret) });
                }
            }
            b'S' | b'N' => frames.push(frame),
            b'E' => return Err(Refused::Error(full(Fields::read(&frame.body)))),
            b'Z' => return Ok(Opened { backend, user: user.to_owned(), frames, key }),
            b'v' => {} // the client knows what the endpoint speaks
            other => {
                let message = format!("unexpected message {:?} at startup", char::from(other));
                return Err(io::Error::other(message).into());
            }
        }
    }
}

/// Without room but for a superuser PostgreSQL says something else than CockroachDB does whenever there is none.
fn full(mut error: Fields) -> Fields {
    if error.code() == "53300"
        && error.get(b'M').is_some_and(|said| said.starts_with(b"remaining connection slots"))
    {
        error.set(b'M', "sorry, too many clients already");
    }
    error
}

/// What PostgreSQL says without a process for the session: an error in the form of an older protocol, a letter and a
/// text.
fn no_process(input: &[u8]) -> Option<Refused> {
    let text = input.strip_prefix(b"E").filter(|text| text.starts_with(b"could not fork"))?;
    let text = text.split(|byte| matches!(byte, 0 | b'\n')).next()?;
    let mut error = Fields::own("FATAL", "53300", &String::from_utf8_lossy(text));
    error.set(
        b'H',
        "the system allows no more processes: close connections, or raise its limit (`ulimit -u`)",
    );
    Some(Refused::Error(error))
}

/// The next message; writes what is to be written meanwhile.
pub(super) async fn next(backend: &mut Backend) -> io::Result<Frame> {
    loop {
        if let Some(frame) = backend.message()? {
            return Ok(frame);
        }
        backend.exchange().await?;
    }
}

/// Appends a simple query.
pub(super) fn put_query(sql: &[u8], out: &mut BytesMut) {
    put_parts(out, b'Q', &[sql, &[0]]);
}

/// Runs a query between the client's and returns its rows, or the error. Nothing may be in flight.
pub(super) async fn internal_query(
    backend: &mut Backend,
    sql: &[u8],
) -> io::Result<Result<Vec<Vec<Option<String>>>, Fields>> {
    put_query(sql, &mut backend.output);
    let mut rows = Vec::new();
    let mut error = None;
    loop {
        let frame = next(backend).await?;
        match frame.tag {
            b'D' => rows.push(row(&frame.body)),
            b'E' => error = Some(Fields::read(&frame.body)),
            b'Z' => return Ok(error.map_or(Ok(rows), Err)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_without_a_process_for_the_session_is_understood() {
        let said =
            b"Ecould not fork new process for connection: Resource temporarily unavailable\n\0";
        let Some(Refused::Error(error)) = no_process(said) else { panic!("{said:?}") };
        assert_eq!(error.code(), "53300");
        assert!(error.get(b'M').unwrap().ends_with(b"Resource temporarily unavailable"));
        assert!(no_process(b"E\0\0\0\x09SFATAL\0\0").is_none());
        assert!(no_process(b"").is_none());
    }

    #[test]
    fn a_server_that_is_full_says_one_thing() {
        for message in [
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "sorry, too many clients already",
        ] {
            let error = full(Fields::own("FATAL", "53300", message));
            assert_eq!(error.get(b'M').unwrap(), b"sorry, too many clients already");
        }
        let own = "too many connections for role \"r\"";
        assert_eq!(full(Fields::own("FATAL", "53300", own)).get(b'M').unwrap(), own.as_bytes());
    }
}
