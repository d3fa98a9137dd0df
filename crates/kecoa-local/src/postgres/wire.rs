//! A session with our own server, over the protocol core: start up, run SQL, read text rows.
//!
//! Not every PostgreSQL installation comes with `psql`. The server is our own child behind a
//! private socket or on the loopback, so there is no TLS and no password.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use kecoa_proto::{
    Connection, Event, Handshake, Limits, Progress, Reply, Request, Rows, ServerError,
    StartupConfig,
};

/// More than any answer to our own statements.
const LONGEST: usize = 16 << 20;

/// One row: a text or null for each column.
pub(crate) type TextRow = Vec<Option<String>>;

/// A session with our own server.
pub(crate) struct Session<S> {
    stream: S,
    connection: Connection,
}

impl Session<UnixStream> {
    /// Opens a session over PostgreSQL's socket `.s.PGSQL.<port>` in `directory`.
    pub(crate) fn over_socket(
        directory: &Path,
        port: u16,
        user: &str,
        database: &str,
        options: &str,
        timeout: Duration,
    ) -> io::Result<Session<UnixStream>> {
        let path = directory.join(format!(".s.PGSQL.{port}"));
        let stream = uninterrupted(|| UnixStream::connect(&path))?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Session::begin(stream, user, database, options)
    }
}

impl Session<TcpStream> {
    /// Opens a session over 127.0.0.1.
    pub(crate) fn over_loopback(
        port: u16,
        user: &str,
        database: &str,
        timeout: Duration,
    ) -> io::Result<Session<TcpStream>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Session::begin(stream, user, database, "")
    }
}

impl<S: Read + Write> Session<S> {
    fn begin(mut stream: S, user: &str, database: &str, options: &str) -> io::Result<Session<S>> {
        let mut limits = Limits::default();
        limits.message = LONGEST;
        let mut config = StartupConfig::new(user)
            .parameter("database", database)
            .parameter("application_name", "kecoa local")
            .limits(limits);
        if !options.is_empty() {
            config = config.parameter("options", options);
        }
        let mut handshake = Handshake::new(config).map_err(io::Error::other)?;
        loop {
            while let Some(bytes) = handshake.poll_transmit() {
                let written = uninterrupted(|| stream.write(bytes))?;
                handshake.transmitted(written);
            }
            handshake = match handshake.advance().map_err(io::Error::other)? {
                Progress::Ready(connection) => return Ok(Session { stream, connection }),
                Progress::NeedInput(mut handshake) => {
                    if handshake.poll_transmit().is_none() {
                        read_into(&mut stream, handshake.read_buffer())?;
                    }
                    handshake
                }
                Progress::Notice(_, handshake)
                | Progress::TlsAccepted(handshake)
                | Progress::TlsRefused(handshake) => handshake,
            };
        }
    }

    /// Runs SQL, several statements too, and returns all rows of all of them.
    ///
    /// A server error is an [`io::Error`] whose text is the server's.
    pub(crate) fn run(&mut self, sql: &str) -> io::Result<Vec<TextRow>> {
        self.connection.submit(&Request::Query(sql.as_bytes())).map_err(io::Error::other)?;
        let mut rows = Vec::new();
        let mut failure = None;
        loop {
            while let Some(bytes) = self.connection.poll_transmit() {
                let written = uninterrupted(|| self.stream.write(bytes))?;
                self.connection.transmitted(written);
            }
            match self.connection.poll_event().map_err(io::Error::other)? {
                None => read_into(&mut self.stream, self.connection.read_buffer())?,
                Some(Event::Reply(_, Reply::Rows(found))) => rows.extend(text_rows(&found)),
                Some(Event::Reply(_, Reply::Error(error))) => {
                    failure.get_or_insert(refused(&error));
                }
                Some(Event::Unsolicited(error)) => return Err(refused(&error)),
                Some(Event::Reply(_, Reply::Ready(_))) => return failure.map_or(Ok(rows), Err),
                Some(_) => {}
            }
        }
    }
}

/// A signal ends no call here: it is another's business, and calls on sockets with a time limit are not taken up
/// again by the system (`signal(7)`).
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn read_into(stream: &mut impl Read, buffer: &mut bytes::BytesMut) -> io::Result<()> {
    let mut chunk = [0; 8192];
    match uninterrupted(|| stream.read(&mut chunk))? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended the session")),
        length => {
            buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
            Ok(())
        }
    }
}

fn text_rows(rows: &Rows) -> impl Iterator<Item = TextRow> {
    rows.iter().map(|row| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        row.fields().map(|field| field.map(text)).collect()
    })
}

fn refused(error: &ServerError) -> io::Error {
    io::Error::other(format!("{} (SQLSTATE {})", error.message(), error.sqlstate()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn talk(answer: Vec<u8>) -> io::Result<Vec<TextRow>> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let server = thread::spawn(move || {
            // Startup first: its length says how much there is.
            let mut head = [0; 4];
            theirs.read_exact(&mut head).unwrap();
            let mut rest = vec![0; u32::from_be_bytes(head) as usize - 4];
            theirs.read_exact(&mut rest).unwrap();
            theirs.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
            let mut query = [0; 14];
            theirs.read_exact(&mut query).unwrap();
            assert_eq!(&query, b"Q\0\0\0\x0dSELECT 1\0");
            theirs.write_all(&answer).unwrap();
            rest
        });
        let mut session = Session::begin(ours, "root", "defaultdb", "").unwrap();
        let answer = session.run("SELECT 1");
        let startup = server.join().unwrap();
        let expected = b"\0\x03\0\0user\0root\0database\0defaultdb\0";
        assert!(startup.starts_with(expected), "{startup:?}");
        answer
    }

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[tag][..], &length, body].concat()
    }

    #[test]
    fn rows_with_nulls() {
        let column = [&b"c\0"[..], &[0; 18]].concat();
        let answer = [
            message(b'T', &[&b"\0\x02"[..], &column, &column].concat()),
            message(b'D', b"\0\x02\0\0\0\x01x\xff\xff\xff\xff"),
            message(b'C', b"SELECT 1\0"),
            message(b'Z', b"I"),
        ];
        let rows = talk(answer.concat());
        assert_eq!(rows.unwrap(), [[Some("x".to_owned()), None]]);
    }

    #[test]
    fn errors_carry_message_and_code() {
        let error = talk(b"E\0\0\0\x17SERROR\0C42601\0Mno\0\0Z\0\0\0\x05I".to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "no (SQLSTATE 42601)");
    }

    #[test]
    fn hostile_lengths_are_refused() {
        for bytes in [&b"D\xff\xff\xff\xff"[..], b"D\0\0\0\x03", b"D\0\0\0\x0a\0\x01\0\0\0\x09"] {
            assert!(talk(bytes.to_vec()).is_err());
        }
    }
}
