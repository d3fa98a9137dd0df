//! A little server on loopback that knows the opening of the protocol, with and without TLS.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does with a connection.
#[derive(Clone, Default)]
pub(super) struct Script {
    /// TLS, when it is asked for.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// TLS begins with the first byte.
    pub(super) direct: bool,
    /// Sent instead of any answer to the first message, or at once if it is an SSH banner.
    pub(super) instead: Option<&'static [u8]>,
    /// Accepts TLS, then hangs up.
    pub(super) break_tls: bool,
    /// Sent right behind the reply to the TLS request, in clear.
    pub(super) behind_reply: &'static [u8],
    /// SQLSTATE that sessions with TLS, and without, are refused with.
    pub(super) refuse_tls: Option<&'static str>,
    pub(super) refuse_plain: Option<&'static str>,
    /// Asks for a password in clear text.
    pub(super) ask_password: bool,
    /// Reads this many bytes once the session is open, then sends as many.
    pub(super) echo: usize,
}

/// What the server saw of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) tls_asked: bool,
    pub(super) tls: bool,
    pub(super) sni: Option<String>,
    /// Names and values in turn.
    pub(super) parameters: Vec<String>,
    pub(super) password: Option<String>,
    pub(super) cancelled: Option<[u8; 8]>,
    pub(super) client_certificate: bool,
}

pub(super) struct Server {
    pub(super) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(super) fn start(script: Script) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &script, &log);
            }
        });
        Server { port, seen }
    }

    pub(super) fn start_unix(path: &Path) -> Server {
        let listener = UnixListener::bind(path).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut seen = Seen::default();
                let _ = open(&mut stream.unwrap(), &Script::default(), &mut seen, None);
                log.lock().unwrap().push(seen);
            }
        });
        Server { port: 0, seen }
    }

    /// What was seen, once it is this many connections.
    pub(super) fn seen(&self, count: usize) -> Vec<Seen> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let seen = self.seen.lock().unwrap().clone();
            if seen.len() >= count || Instant::now() > deadline {
                return seen;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn only(&self) -> Seen {
        let mut seen = self.seen(1);
        assert_eq!(seen.len(), 1);
        seen.remove(0)
    }
}

fn serve(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<Seen>>) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut seen = Seen::default();
    // Whatever breaks here is seen on the other side.
    let _ = begin(&mut stream, script, &mut seen);
    log.lock().unwrap().push(seen);
}

fn begin(stream: &mut TcpStream, script: &Script, seen: &mut Seen) -> io::Result<()> {
    if let Some(instead) = script.instead {
        if !instead.starts_with(b"SSH") {
            packet(stream)?;
        }
        stream.write_all(instead)?;
        return stream.read(&mut [0; 100]).map(drop);
    }
    if script.direct {
        return secure(stream, script, seen);
    }
    let first = packet(stream)?;
    if first != 80_877_103_u32.to_be_bytes() {
        return open(stream, script, seen, Some(first));
    }
    seen.tls_asked = true;
    if script.break_tls {
        return stream.write_all(b"S");
    }
    if script.tls.is_none() {
        stream.write_all(b"N")?;
        return open(stream, script, seen, None);
    }
    stream.write_all(&[b"S", script.behind_reply].concat())?;
    secure(stream, script, seen)
}

fn secure(stream: &mut TcpStream, script: &Script, seen: &mut Seen) -> io::Result<()> {
    let tls = script.tls.as_ref().unwrap();
    let tls = ServerConnection::new(Arc::clone(tls)).unwrap();
    let mut stream = StreamOwned::new(tls, stream);
    stream.flush()?;
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    seen.tls = true;
    seen.sni = stream.conn.server_name().map(str::to_owned);
    seen.client_certificate = stream.conn.peer_certificates().is_some();
    open(&mut stream, script, seen, None)
}

/// A message without tag, without its length.
fn packet(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn open(
    stream: &mut (impl Read + Write),
    script: &Script,
    seen: &mut Seen,
    startup: Option<Vec<u8>>,
) -> io::Result<()> {
    let startup = startup.map_or_else(|| packet(stream), Ok)?;
    if startup[..4] == 80_877_102_u32.to_be_bytes() {
        seen.cancelled = startup[4..].try_into().ok();
        return Ok(());
    }
    let texts = startup[4..].split(|byte| *byte == 0);
    seen.parameters = texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    seen.parameters.truncate(seen.parameters.len().saturating_sub(2));
    if let Some(code) = if seen.tls { script.refuse_tls } else { script.refuse_plain } {
        let body = format!("SFATAL\0VFATAL\0C{code}\0Mno entry for you\0Dnone at all\0Hask\0\0");
        return stream.write_all(&message(b'E', body.as_bytes()));
    }
    if script.ask_password {
        stream.write_all(&message(b'R', &[0, 0, 0, 3]))?;
        stream.flush()?;
        stream.read_exact(&mut [0])?;
        let password = packet(stream)?;
        seen.password = Some(String::from_utf8_lossy(&password[..password.len() - 1]).into_owned());
    }
    let opening = [
        message(b'R', &[0, 0, 0, 0]),
        message(b'S', b"server_version\x0015.0\0"),
        message(b'K', &[0, 0, 0, 7, 1, 2, 3, 4]),
        message(b'Z', b"I"),
    ];
    stream.write_all(&opening.concat())?;
    stream.flush()?;
    let mut data = vec![0; script.echo];
    stream.read_exact(&mut data)?;
    stream.write_all(&data)?;
    stream.flush()
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &length.to_be_bytes()[..], body].concat()
}
