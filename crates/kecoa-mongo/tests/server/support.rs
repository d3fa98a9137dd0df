//! A service that does what a request's first field says, and a client that sees bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::command::{Next, Outcome};
use kecoa_mongo::server::{Arrival, Options, Service, serve};
use kecoa_mongo::wire::{Compressor, Delivery, Envelope, Reply, Request};
use kecoa_server::listener::Listener;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What the service has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connected: AtomicUsize,
    pub(crate) gone: AtomicUsize,
    pub(crate) begun: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) written: AtomicUsize,
}

/// Waits until a counter is there.
pub(crate) async fn reach(counter: &AtomicUsize, value: usize) {
    let reached = async {
        while counter.load(Ordering::SeqCst) < value {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reached).await.unwrap();
}

/// Commands: `ping`, `hello`, `sleep` (for ever), `wait` (as many ms), `write` (as many ms, then counted), `again` (as
/// many replies more), `login`, `close`.
struct Commands(Arc<Seen>);

/// Counts a command that is dropped before it is done.
struct Guard<'a>(&'a Seen, bool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Service for Commands {
    type Client = bool;

    fn connect(&self, arrival: &Arrival) -> bool {
        assert!(arrival.id > 0 && arrival.local.is_some() && arrival.address.is_local());
        self.0.connected.fetch_add(1, Ordering::SeqCst);
        false
    }

    async fn handle(&self, client: &mut bool, request: Request) -> Outcome {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let mut guard = Guard(&self.0, false);
        let name = request.command_name();
        let value = request.body().get_i32(name).unwrap();
        let pause = Duration::from_millis(u64::try_from(value).unwrap_or(0));
        let mut next = Next::Await;
        match name {
            "sleep" => std::future::pending().await,
            "wait" => tokio::time::sleep(pause).await,
            "write" => {
                tokio::time::sleep(pause).await;
                self.0.written.fetch_add(1, Ordering::SeqCst);
            }
            "login" => *client = true,
            "close" => next = Next::Close,
            "again" if value > 0 => {
                let body = rawdoc! { "again": value - 1 };
                next = Next::Again(Request::new(body).with_envelope(*request.envelope()));
            }
            _ => {}
        }
        guard.1 = true;
        Outcome { reply: Some(Reply::new(rawdoc! { "to": name, "value": value })), next }
    }

    fn is_admitted(&self, client: &bool) -> bool {
        *client
    }

    fn disconnect(&self, _client: bool) {
        self.0.gone.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) served: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(options: Options) -> Self {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let service = Arc::new(Commands(seen.clone()));
        let served = tokio::spawn(async move {
            serve(&listener, service, options, async { drop(stopped.await) }).await;
        });
        Self { address, seen, stop: Some(stop), served }
    }

    pub(crate) async fn connect(&self) -> Client<TcpStream> {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take();
    }
}

/// A message of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) id: i32,
    pub(crate) response_to: i32,
    pub(crate) opcode: i32,
    pub(crate) flags: i32,
    pub(crate) document: RawDocumentBuf,
}

pub(crate) struct Client<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Sends bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// Sends OP_MSG.
    pub(crate) async fn send(&mut self, id: i32, flags: u32, body: &RawDocumentBuf) {
        self.write(&request(id, flags, body)).await;
    }

    /// Sends OP_COMPRESSED, by the encoder for replies: requests have the same form.
    pub(crate) async fn send_compressed(&mut self, id: i32, body: &RawDocumentBuf) {
        let compressor = Some(Compressor::Zlib);
        let delivery = Delivery { id, response_to: 0, more_to_come: false, compressor };
        let mut output = bytes::BytesMut::new();
        Reply::new(body.clone()).encode(&Envelope::default(), &delivery, &mut output);
        self.write(&output).await;
    }

    /// The next message. Only its kind is read of a compressed one.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut header = [0; 16];
        let read = self.0.read_exact(&mut header);
        tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
        let field = |at: usize| i32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let mut rest = vec![0; usize::try_from(field(0)).unwrap() - 16];
        self.0.read_exact(&mut rest).await.unwrap();
        let flags = i32::from_le_bytes(rest[..4].try_into().unwrap());
        let document = match field(12) {
            2013 => RawDocumentBuf::from_bytes(rest[5..].to_vec()).unwrap(),
            _ => rawdoc! {},
        };
        Answer { id: field(4), response_to: field(8), opcode: field(12), flags, document }
    }

    /// Waits for the server to close.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        let read = self.0.read_to_end(&mut rest);
        // A reset is an end, too.
        let _ = tokio::time::timeout(Duration::from_secs(10), read).await.unwrap();
        assert!(rest.is_empty());
    }
}

/// OP_MSG.
pub(crate) fn request(id: i32, flags: u32, body: &RawDocumentBuf) -> Vec<u8> {
    let length = i32::try_from(21 + body.as_bytes().len()).unwrap();
    let mut bytes = Vec::new();
    for field in [length, id, 0, 2013] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(flags.to_le_bytes());
    bytes.push(0);
    bytes.extend(body.as_bytes());
    bytes
}
