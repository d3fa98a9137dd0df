//! The few words we speak to our own server: start up, run a statement, read text rows.
//!
//! Not every PostgreSQL installation comes with `psql`. The server is our own child behind a
//! private socket, so there is no TLS and no password; all else is an error.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// More than any answer to our own statements.
const LONGEST: usize = 16 << 20;

/// One row: a text or null for each column.
pub(crate) type TextRow = Vec<Option<String>>;

/// A session with our own server.
pub(crate) struct Session<S> {
    stream: S,
}

impl Session<UnixStream> {
    /// Opens a session over PostgreSQL's socket `.s.PGSQL.<port>` in `directory`.
    pub(crate) fn over_socket(
        directory: &Path,
        port: u16,
        user: &str,
        database: &str,
        patience: Duration,
    ) -> io::Result<Session<UnixStream>> {
        let stream = UnixStream::connect(directory.join(format!(".s.PGSQL.{port}")))?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Session::begin(stream, user, database)
    }
}

impl Session<TcpStream> {
    /// Opens a session over 127.0.0.1.
    pub(crate) fn over_loopback(
        port: u16,
        user: &str,
        database: &str,
        patience: Duration,
    ) -> io::Result<Session<TcpStream>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Session::begin(stream, user, database)
    }
}

impl<S: Read + Write> Session<S> {
    fn begin(stream: S, user: &str, database: &str) -> io::Result<Session<S>> {
        let mut session = Session { stream };
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for text in ["user", user, "database", database] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        session.send(None, &body)?;
        session.answer()?;
        Ok(session)
    }

    /// Runs SQL, several statements too, and returns all rows of all of them.
    ///
    /// A server error is an [`io::Error`] whose text is the server's.
    pub(crate) fn run(&mut self, sql: &str) -> io::Result<Vec<TextRow>> {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.send(Some(b'Q'), &body)?;
        self.answer()
    }

    fn send(&mut self, tag: Option<u8>, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
        let mut message = Vec::with_capacity(body.len() + 5);
        message.extend(tag);
        message.extend(length.to_be_bytes());
        message.extend_from_slice(body);
        self.stream.write_all(&message)
    }

    /// Reads up to ReadyForQuery.
    fn answer(&mut self) -> io::Result<Vec<TextRow>> {
        let mut rows = Vec::new();
        let mut failure = None;
        loop {
            let (tag, body) = self.receive()?;
            match tag {
                b'Z' => return failure.map_or(Ok(rows), Err),
                b'D' => rows.push(row(&body).ok_or_else(malformed)?),
                b'E' => {
                    let (text, fatal) = error_text(&body);
                    let error = io::Error::other(text);
                    if fatal {
                        return Err(error);
                    }
                    failure.get_or_insert(error);
                }
                b'R' if body.as_slice() != [0; 4] => {
                    return Err(io::Error::other("the server asks for a password"));
                }
                _ => {}
            }
        }
    }

    fn receive(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let [tag, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
        if !(4..=LONGEST).contains(&length) {
            return Err(malformed());
        }
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body)?;
        Ok((tag, body))
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the server's answer is malformed")
}

fn row(body: &[u8]) -> Option<TextRow> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut row = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        row.push(match usize::try_from(i32::from_be_bytes(*length)) {
            Err(_) => None,
            Ok(length) => {
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                Some(String::from_utf8_lossy(value).into_owned())
            }
        });
    }
    Some(row)
}

/// The message of an ErrorResponse with its SQLSTATE, and whether the session is over.
fn error_text(body: &[u8]) -> (String, bool) {
    let mut message = String::from("error without a message");
    let mut code = String::new();
    let mut fatal = false;
    for field in body.split(|byte| *byte == 0) {
        if let Some((kind, value)) = field.split_first() {
            let value = String::from_utf8_lossy(value).into_owned();
            match kind {
                b'M' => message = value,
                b'C' => code = value,
                b'S' | b'V' => fatal |= value == "FATAL" || value == "PANIC",
                _ => {}
            }
        }
    }
    (format!("{message} (SQLSTATE {code})"), fatal)
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
        let mut session = Session::begin(ours, "root", "defaultdb").unwrap();
        let answer = session.run("SELECT 1");
        let startup = server.join().unwrap();
        assert_eq!(startup, b"\0\x03\0\0user\0root\0database\0defaultdb\0\0");
        answer
    }

    #[test]
    fn rows_with_nulls() {
        let rows = talk(b"D\0\0\0\x0f\0\x02\0\0\0\x01x\xff\xff\xff\xffZ\0\0\0\x05I".to_vec());
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
