//! A PostgreSQL of the test's own, an endpoint in front of it, and a client that speaks the
//! protocol message by message.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail"
)]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kecoa_local::dialect::BOOTSTRAP_SQL;
use kecoa_local::endpoint::{BackendAddress, Endpoint, EndpointOptions, Password, PasswordReader};
use kecoa_local::postgres::bootstrap::bootstrap;
use kecoa_local::postgres::cluster::Address;
use kecoa_local::postgres::{CLIENT_ROLE, SUPERUSER};
use kecoa_proto::frame::{FrameDecoder, Limits};
use kecoa_proto::message::backend::Message as Backend;
use kecoa_proto::message::frontend::{Bind, Execute, Message, Parse, Query, Target};
use kecoa_proto::message::startup::Startup;
use kecoa_proto::{ProtocolVersion, TransactionStatus};
use tokio::sync::oneshot;

/// The folder of PostgreSQL's programs, if the environment names one; says so if not.
pub(crate) fn binaries() -> Option<PathBuf> {
    let found = std::env::var_os("KECOA_POSTGRES_BIN").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: KECOA_POSTGRES_BIN does not name PostgreSQL's bin folder");
    }
    found
}

/// A PostgreSQL server in a folder of its own, stopped when dropped.
pub(crate) struct Server {
    bin: PathBuf,
    folder: tempfile::TempDir,
    endpoint: Option<(oneshot::Sender<()>, std::thread::JoinHandle<()>)>,
    pub(crate) address: SocketAddr,
}

const PORT: u16 = 5432;
/// As many as the test's PostgreSQL has room for.
const CLIENTS: usize = 95;
const NOBODY: u32 = 65534;

impl Server {
    pub(crate) fn start() -> Option<Server> {
        Self::start_with(None)
    }

    /// One whose clients need this password.
    pub(crate) fn start_with(password: Option<&str>) -> Option<Server> {
        Self::start_for(CLIENTS, password)
    }

    /// One that serves so many clients at a time.
    pub(crate) fn start_for(clients: usize, password: Option<&str>) -> Option<Server> {
        let bin = binaries()?;
        let folder = tempfile::Builder::new().prefix("kd").tempdir().unwrap();
        let root = folder.path().metadata().unwrap().uid() == 0;
        if root {
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        let mut init = command(&bin, "initdb", root);
        init.arg("-D").arg(&data).args([
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
        ]);
        run(init.arg("--no-sync"));
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c port={PORT} -c fsync=off \
             -c default_transaction_isolation=serializable -c plpgsql.variable_conflict=use_column \
             -c shared_buffers=16MB",
            folder.path().display()
        );
        let mut start = command(&bin, "pg_ctl", root);
        start.arg("-D").arg(&data).args(["-w", "-o", &options, "-l"]);
        run(start.arg(folder.path().join("log")).arg("start"));
        let mut server =
            Server { bin, folder, endpoint: None, address: ([127, 0, 0, 1], 0).into() };
        server.bootstrap();
        server.serve(clients, password);
        Some(server)
    }

    fn bootstrap(&self) {
        let address = Address { socket_dir: self.folder.path().to_owned(), port: PORT };
        // Once more does no harm.
        for _ in 0..2 {
            assert_eq!(bootstrap(&address, BOOTSTRAP_SQL).unwrap(), [""; 0]);
        }
    }

    fn serve(&mut self, clients: usize, password: Option<&str>) {
        let backend = BackendAddress {
            socket_dir: self.folder.path().to_owned(),
            port: PORT,
            user: CLIENT_ROLE.to_owned(),
        };
        let password = password.map(|password| Password::new(password).unwrap());
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let mut options = EndpointOptions::new(([127, 0, 0, 1], 0).into(), backend);
                options.password = password;
                options.clients = clients;
                options.passwords = Some(PasswordReader {
                    user: SUPERUSER.to_owned(),
                    database: "template1".to_owned(),
                    options: String::new(),
                });
                let endpoint = Endpoint::bind(options).await.unwrap();
                bound.send(endpoint.local_addr().unwrap()).unwrap();
                endpoint.serve(async { drop(stopped.await) }).await;
            });
        });
        self.address = address.recv().unwrap();
        self.endpoint = Some((stop, thread));
    }

    /// Stops the endpoint; its clients receive an error.
    pub(crate) fn stop_endpoint(&mut self) {
        if let Some((stop, thread)) = self.endpoint.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }

    /// Stops PostgreSQL at once, as a crash would.
    pub(crate) fn stop_postgres(&self) {
        let root = self.folder.path().metadata().unwrap().uid() == NOBODY;
        let mut stop = command(&self.bin, "pg_ctl", root);
        stop.arg("-D").arg(self.folder.path().join("data")).args(["-m", "immediate", "stop"]);
        let _ = stop.output();
    }

    /// The superuser's own session, past the endpoint.
    pub(crate) fn postgres(&self, database: &str) -> Client<UnixStream> {
        let socket = self.folder.path().join(format!(".s.PGSQL.{PORT}"));
        let stream = UnixStream::connect(socket).unwrap();
        Client::over(stream, &[("user", SUPERUSER), ("database", database)])
    }

    pub(crate) fn client(&self, database: &str) -> Tcp {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Client::over(stream, &[("user", "root"), ("database", database)])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_endpoint();
        self.stop_postgres();
    }
}

fn command(bin: &Path, name: &str, root: bool) -> Command {
    let mut command = Command::new(bin.join(name));
    // The start must not inherit our pipes, or waiting for its output never ends.
    command.current_dir("/").stdin(std::process::Stdio::null());
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn run(command: &mut Command) {
    let log = tempfile::tempfile().unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log.try_clone().unwrap());
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// What a request was answered.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Replies {
    pub(crate) names: Vec<String>,
    pub(crate) oids: Vec<u32>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) tags: Vec<String>,
    /// SQLSTATE, message, position.
    pub(crate) error: Option<(String, String, Option<u32>)>,
    pub(crate) hint: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) notices: Vec<String>,
    pub(crate) status: Option<TransactionStatus>,
    pub no_data: bool,
}

impl Replies {
    /// The first value of the first row.
    pub(crate) fn one(&self) -> String {
        self.rows[0][0].clone().unwrap()
    }
}

/// A client of the endpoint.
pub(crate) type Tcp = Client<TcpStream>;

pub(crate) struct Client<S> {
    pub(crate) stream: S,
    decoder: FrameDecoder,
    input: BytesMut,
    pub(crate) parameters: Vec<(String, String)>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn over(stream: S, parameters: &[(&str, &str)]) -> Self {
        let decoder = FrameDecoder::new(Limits::default());
        let mut client = Self { stream, decoder, input: BytesMut::new(), parameters: Vec::new() };
        let own = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let parameters = parameters.iter().map(|(name, value)| (own(name), own(value))).collect();
        let startup = Startup::Startup { version: ProtocolVersion::V3_0, parameters };
        let mut out = BytesMut::new();
        startup.encode(&mut out).unwrap();
        client.stream.write_all(&out).unwrap();
        loop {
            match client.next() {
                Some(Backend::ParameterStatus(status)) => {
                    client.parameters.push((text(&status.name), text(&status.value)));
                }
                Some(Backend::ReadyForQuery(_)) => return client,
                Some(Backend::ErrorResponse(error)) => panic!("{error:?}"),
                Some(_) => {}
                None => panic!("closed at startup"),
            }
        }
    }

    /// The next message; `None` when the connection is closed.
    pub(crate) fn next(&mut self) -> Option<Backend> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.input).unwrap() {
                return Some(Backend::decode(frame.tag, frame.body).unwrap());
            }
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(length) => self.input.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("waiting for the endpoint: {error}"),
            }
        }
    }

    pub(crate) fn send(&mut self, messages: &[Message]) {
        let mut out = BytesMut::new();
        for message in messages {
            message.encode(&mut out).unwrap();
        }
        self.stream.write_all(&out).unwrap();
    }

    /// Runs statements that succeed.
    pub(crate) fn done(&mut self, sql: &str) -> Replies {
        let replies = self.simple(sql);
        assert_eq!(replies.error, None, "{sql}");
        replies
    }

    pub(crate) fn simple(&mut self, sql: &str) -> Replies {
        self.send(&[Message::Query(Query { sql: Bytes::copy_from_slice(sql.as_bytes()) })]);
        self.replies()
    }

    pub(crate) fn parse(name: &str, sql: &str) -> Message {
        Message::Parse(Parse {
            name: Bytes::copy_from_slice(name.as_bytes()),
            sql: Bytes::copy_from_slice(sql.as_bytes()),
            types: Vec::new(),
        })
    }

    pub(crate) fn bind(name: &str, parameters: &[&str]) -> Message {
        Message::Bind(Bind {
            portal: Bytes::new(),
            statement: Bytes::copy_from_slice(name.as_bytes()),
            formats: Vec::new(),
            parameters: parameters
                .iter()
                .map(|value| Some(Bytes::copy_from_slice(value.as_bytes())))
                .collect(),
            results: Vec::new(),
        })
    }

    pub(crate) fn execute() -> Message {
        Message::Execute(Execute { portal: Bytes::new(), max_rows: 0 })
    }

    pub(crate) fn extended(&mut self, sql: &str, parameters: &[&str]) -> Replies {
        self.send(&[
            Self::parse("", sql),
            Self::bind("", parameters),
            Message::Describe(Target::Portal(Bytes::new())),
            Self::execute(),
            Message::Sync,
        ]);
        self.replies()
    }

    /// Everything up to ReadyForQuery, or the end.
    pub(crate) fn replies(&mut self) -> Replies {
        let mut replies = Replies::default();
        while let Some(message) = self.next() {
            match message {
                Backend::RowDescription(description) => {
                    replies.names = description.fields.iter().map(|f| text(&f.name)).collect();
                    replies.oids = description.fields.iter().map(|f| f.type_oid).collect();
                }
                Backend::DataRow(row) => replies.rows.push(
                    row.columns.iter().map(|value| value.as_ref().map(|v| text(v))).collect(),
                ),
                Backend::CommandComplete(tag) => replies.tags.push(text(tag.as_bytes())),
                Backend::ErrorResponse(error) => {
                    replies.hint = error.hint().map(|hint| hint.into_owned());
                    replies.detail = error.detail().map(|detail| detail.into_owned());
                    replies.error = Some((
                        error.sqlstate().to_string(),
                        error.message().into_owned(),
                        error.position(),
                    ));
                }
                Backend::NoticeResponse(notice) => {
                    replies.notices.push(notice.message().into_owned());
                }
                Backend::NoData => replies.no_data = true,
                Backend::ReadyForQuery(status) => {
                    replies.status = Some(status);
                    return replies;
                }
                _ => {}
            }
        }
        replies
    }
}
