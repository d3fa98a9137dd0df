//! A tap between a store and its server: it says what was sent, and makes things go wrong where a
//! test wants it. It can say that the server is a CockroachDB, so that the store does as it does there (emulated).

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use kecoa::Config;
use kecoa::config::SslMode;
use kecoa_mongo::store::{Options, Store};

/// What goes wrong, once, at a statement with this text in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) at: &'static str,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// The statement fails; those before it are undone.
    Error(&'static str),
    /// All is done, and the last statement answers with an error all the same.
    ErrorThoughDone(&'static str),
    /// The server says that it ends the session, in the place of the statement.
    Fatal(&'static str),
    /// The connection is lost, and nothing has come to the server.
    LostBefore,
    /// The connection is lost, and all has been done.
    LostAfter,
}

#[derive(Debug, Default)]
struct State {
    /// The statements that were run, up to each Sync.
    sent: Vec<Vec<String>>,
    faults: Vec<Fault>,
    /// The code that the next connections are refused with.
    refusals: Vec<&'static str>,
}

pub(crate) struct Wire {
    port: u16,
    config: Config,
    state: Arc<Mutex<State>>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A message: its tag and what is behind its length.
type Message = (u8, Vec<u8>);

impl Wire {
    pub(crate) fn new(config: &Config, cockroach: bool) -> Wire {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state: Arc<Mutex<State>> = Arc::default();
        let (host, upstream) = (config.host().unwrap_or("127.0.0.1").to_owned(), config.port());
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (state, host) = (shared.clone(), host.clone());
                std::thread::spawn(move || {
                    let server: Box<dyn Stream> = if host.starts_with('/') {
                        Box::new(
                            UnixStream::connect(format!("{host}/.s.PGSQL.{upstream}")).unwrap(),
                        )
                    } else {
                        Box::new(TcpStream::connect((host.as_str(), upstream)).unwrap())
                    };
                    let client = client.unwrap();
                    client.set_nodelay(true).unwrap();
                    // Whoever leaves ends the connection.
                    let _ = relay(client, server, &state, cockroach);
                });
            }
        });
        Wire { port, config: config.clone(), state }
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = self.config.clone();
        config.set_host("127.0.0.1").unwrap();
        config.set_port(self.port).unwrap();
        config.set_ssl_mode(SslMode::Disable).unwrap();
        config
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.config(), Options::default()).await.unwrap()
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push(fault);
    }

    pub(crate) fn refuse(&self, code: &'static str, times: usize) {
        self.state.lock().unwrap().refusals = vec![code; times];
    }

    /// The faults that did not happen, taken back.
    pub(crate) fn left(&self) -> Vec<Fault> {
        std::mem::take(&mut self.state.lock().unwrap().faults)
    }

    /// The statements up to each Sync since the last call.
    pub(crate) fn sent(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.state.lock().unwrap().sent)
    }
}

fn relay(
    mut client: TcpStream,
    mut server: Box<dyn Stream>,
    state: &Mutex<State>,
    cockroach: bool,
) -> io::Result<()> {
    if !start(&mut client, &mut *server, state, cockroach)? {
        return Ok(());
    }
    let mut prepared: HashMap<String, String> = HashMap::new();
    let mut portals: HashMap<String, String> = HashMap::new();
    loop {
        let mut batch: Vec<Message> = Vec::new();
        // The statements that are run, and where the messages of each begin.
        let mut statements: Vec<(usize, String)> = Vec::new();
        let mut begins = 0;
        loop {
            let (tag, body) = read_message(&mut client)?;
            match tag {
                b'P' => {
                    let mut texts = texts(&body);
                    let name = texts.next().unwrap();
                    prepared.insert(name, texts.next().unwrap());
                }
                b'B' => {
                    let mut texts = texts(&body);
                    let portal = texts.next().unwrap();
                    portals.insert(portal, prepared[&texts.next().unwrap()].clone());
                }
                b'E' => {
                    let portal = texts(&body).next().unwrap();
                    statements.push((begins, portals[&portal].clone()));
                    begins = batch.len() + 1;
                }
                b'Q' => statements.push((0, texts(&body).next().unwrap())),
                _ => {}
            }
            batch.push((tag, body));
            if matches!(tag, b'S' | b'Q' | b'X') {
                break;
            }
        }
        let fault = note(state, &statements);
        let Some((fault, cut)) = fault else {
            send(&mut *server, &batch)?;
            let answer = answer(&mut *server)?;
            send(&mut client, &answer)?;
            continue;
        };
        match fault.what {
            What::LostBefore => return Ok(()),
            What::LostAfter => {
                send(&mut *server, &batch)?;
                answer(&mut *server)?;
                return Ok(());
            }
            What::ErrorThoughDone(code) => {
                send(&mut *server, &batch)?;
                let mut answer = answer(&mut *server)?;
                let last = answer.iter().rposition(|(tag, _)| *tag == b'C').unwrap();
                answer.truncate(last);
                answer.push(report("ERROR", code));
                answer.push((b'Z', b"I".to_vec()));
                send(&mut client, &answer)?;
            }
            What::Error(code) | What::Fatal(code) => {
                batch.truncate(cut);
                batch.push((b'S', Vec::new()));
                send(&mut *server, &batch)?;
                let mut answered = answer(&mut *server)?;
                let (_, mut status) = answered.pop().unwrap();
                if status == b"T" {
                    // The transaction fails there as well: what comes behind does nothing.
                    let (sql, after) = if fault.at == "COMMIT" {
                        (b"ROLLBACK\0".to_vec(), b"I".to_vec())
                    } else {
                        (b"SELECT 1 / 0\0".to_vec(), b"E".to_vec())
                    };
                    send(&mut *server, &[(b'Q', sql)])?;
                    answer(&mut *server)?;
                    status = after;
                }
                if matches!(fault.what, What::Fatal(_)) {
                    answered.push(report("FATAL", code));
                    return send(&mut client, &answered);
                }
                answered.push(report("ERROR", code));
                answered.push((b'Z', status));
                send(&mut client, &answered)?;
            }
        }
    }
}

/// Notes what is sent; the fault that happens in it, and where the messages of its statement begin.
fn note(state: &Mutex<State>, statements: &[(usize, String)]) -> Option<(Fault, usize)> {
    let mut state = state.lock().unwrap();
    if !statements.is_empty() {
        state.sent.push(statements.iter().map(|(_, sql)| sql.clone()).collect());
    }
    let found = state.faults.iter().enumerate().find_map(|(number, fault)| {
        let (cut, _) = statements.iter().find(|(_, sql)| sql.contains(fault.at))?;
        Some((number, *cut))
    });
    let (number, cut) = found?;
    Some((state.faults.remove(number), cut))
}

/// From the first byte to the first ReadyForQuery; whether there is more.
fn start(
    client: &mut TcpStream,
    server: &mut dyn Stream,
    state: &Mutex<State>,
    cockroach: bool,
) -> io::Result<bool> {
    loop {
        let packet = read_frame(client)?;
        let code = u32::from_be_bytes(packet[..4].try_into().unwrap());
        match code {
            // TLS, GSSAPI.
            80_877_103 | 80_877_104 => client.write_all(b"N")?,
            80_877_102 => {
                write_frame(server, &packet)?;
                // The server closes when the request was cancelled. Whoever is let go earlier has its next
                // statement cancelled.
                server.read_to_end(&mut Vec::new())?;
                return Ok(false);
            }
            _ => {
                let refusal = state.lock().unwrap().refusals.pop();
                if let Some(code) = refusal {
                    send(client, &[report("FATAL", code)])?;
                    return Ok(false);
                }
                write_frame(server, &packet)?;
                break;
            }
        }
    }
    loop {
        let (tag, body) = read_message(server)?;
        let asks = tag == b'R' && matches!(body[3], 3 | 5 | 10 | 11);
        if tag == b'Z' && cockroach {
            let version = b"crdb_version\0CockroachDB CCL v26.2.0 (emulated)\0".to_vec();
            send(client, &[(b'S', version)])?;
        }
        send(client, &[(tag, body)])?;
        if tag == b'Z' {
            return Ok(true);
        }
        if asks {
            let answer = read_message(client)?;
            send(server, &[answer])?;
        }
    }
}

/// All up to ReadyForQuery.
fn answer(server: &mut dyn Stream) -> io::Result<Vec<Message>> {
    let mut messages = Vec::new();
    loop {
        messages.push(read_message(server)?);
        if messages.last().unwrap().0 == b'Z' {
            return Ok(messages);
        }
    }
}

fn report(severity: &str, code: &str) -> Message {
    let body = format!("S{severity}\0V{severity}\0C{code}\0Mmade up by a test\0\0");
    (b'E', body.into_bytes())
}

fn texts(body: &[u8]) -> impl Iterator<Item = String> + '_ {
    body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
}

fn read_message(stream: &mut (impl Read + ?Sized)) -> io::Result<Message> {
    let mut tag = [0];
    stream.read_exact(&mut tag)?;
    Ok((tag[0], read_frame(stream)?))
}

fn read_frame(stream: &mut (impl Read + ?Sized)) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn write_frame(stream: &mut (impl Write + ?Sized), body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 4).unwrap();
    stream.write_all(&[&length.to_be_bytes(), body].concat())
}

fn send(stream: &mut (impl Write + ?Sized), messages: &[Message]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (tag, body) in messages {
        bytes.push(*tag);
        write_frame(&mut bytes, body)?;
    }
    stream.write_all(&bytes)
}
