//! A data directory of PostgreSQL: made in one step, started with our settings.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kecoa_server::files::{self, is_full};
use kecoa_server::log;
use kecoa_server::names::random_suffix;
use kecoa_server::process::ProcessIdentity;

use crate::error::Error;
use crate::options::{CLIENTS, STEP_LIMIT};
use crate::postgres::binaries::Binaries;
use crate::postgres::privileges::RunAs;
use crate::postgres::program;
use crate::postgres::server::{PidFile, Server, clear_leftovers, find_postmaster};
use crate::postgres::{SOCKET_PORT, SUPERUSER, extensions, socket};
use crate::service::SERVICE;

/// The file in a data directory by which we know it for one that we made.
pub(crate) const MARKER: &str = "kecoa_data";
/// What a fresh data directory takes, with room for the first writes: 39 MB were measured.
const FRESH_SIZE: u64 = 60 << 20;
/// Recovery after a crash may take this long.
const START_TIMEOUT: Duration = STEP_LIMIT;
/// With less than a segment of its log free, a server does not start.
const SEGMENT_SIZE: u64 = 16 << 20;
/// Sessions beside those of clients: of the endpoint itself, and of clients that have just left.
const BETWEEN: usize = 97;
/// Those that only a superuser may have.
const RESERVED: usize = 3;
/// So many locks at least are there for all connections together: 64 for each of 203.
const LOCKS: usize = 13_000;
/// Backends of a postmaster that was killed notice it within this time.
const LEFTOVER_TIMEOUT: Duration = Duration::from_secs(10);

/// A data directory, the programs for it and the user they run as.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    run_as: RunAs,
    data_dir: PathBuf,
    log: PathBuf,
    notes: Vec<String>,
}

/// Where a started server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The directory of its socket.
    pub socket_dir: PathBuf,
    /// The number in the socket's name.
    pub port: u16,
}

impl Cluster {
    /// The cluster in `root` for these binaries; the server's log goes to `log`. Makes no data yet.
    ///
    /// # Errors
    ///
    /// When something else is in the data's place.
    pub fn new(
        root: &Path,
        log: PathBuf,
        binaries: Binaries,
        run_as: RunAs,
    ) -> Result<Cluster, Error> {
        let data_dir = root.join(format!("pg{}", binaries.major()));
        let mut notes = Vec::new();
        match fs::symlink_metadata(&data_dir) {
            Ok(meta) if !meta.is_dir() => {
                let what = "is not a directory".to_owned();
                return Err(kecoa_server::Error::OddFile { path: data_dir, what }.into());
            }
            Ok(meta) if meta.uid() != run_as.file_owner() => {
                let (owner, us) = (meta.uid(), run_as.file_owner());
                return Err(kecoa_server::Error::NotOurs { path: data_dir, owner, us }.into());
            }
            _ => {}
        }
        if !data_dir.exists() {
            notes.extend(other_majors(root, binaries.major()));
        }
        Ok(Cluster { binaries, run_as, data_dir, log, notes })
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The user that the data belongs to.
    pub fn file_owner(&self) -> u32 {
        self.run_as.file_owner()
    }

    /// The programs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// Notes for the user about where the data is.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Makes the data directory if it is not there; says whether it did.
    ///
    /// It is made beside its place and then renamed, so that one that is there is whole. Leftovers
    /// of an attempt that was killed are removed: the caller holds the lock of the one who serves.
    ///
    /// # Errors
    ///
    /// When `initdb` fails; what it said is in the error. [`Interrupted`](kecoa_server::Error::Interrupted)
    /// when `interrupted` says so meanwhile.
    pub fn init(&self, interrupted: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
        match fs::symlink_metadata(self.data_dir.join("PG_VERSION")) {
            Ok(meta) if meta.is_file() => return Ok(false),
            Ok(_) => {
                let path = self.data_dir.join("PG_VERSION");
                let what = "is not a file".to_owned();
                return Err(kecoa_server::Error::OddFile { path, what }.into());
            }
            Err(_) => {}
        }
        let root = self.data_dir.parent().unwrap_or(&self.data_dir);
        let prefix = format!("pg{}.new-", self.binaries.major());
        remove_leftovers(root, &prefix)?;
        if is_full(root, FRESH_SIZE) {
            return Err(Error::DiskFull { path: root.to_path_buf() });
        }
        let building = root.join(format!("{prefix}{}", random_suffix()));
        DirBuilder::new()
            .mode(0o700)
            .create(&building)
            .map_err(Error::io("creating", &building))?;
        let built = self
            .run_as
            .give(&building)
            .and_then(|()| self.initdb(&building, interrupted))
            .and_then(|()| mark(&building));
        let placed = built.and_then(|()| {
            fs::rename(&building, &self.data_dir).map_err(Error::io("creating", &self.data_dir))
        });
        if placed.is_err() {
            let _ = fs::remove_dir_all(&building);
        }
        placed.map(|()| true)
    }

    fn initdb(&self, directory: &Path, interrupted: &mut dyn FnMut() -> bool) -> Result<(), Error> {
        // CockroachDB compares strings by code point; so does PostgreSQL with these locales. The
        // built-in provider knows upper and lower case without the system's locales.
        let locales: &[&[&str]] = if self.binaries.major() >= 17 {
            &[&["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]]
        } else {
            &[&["--locale=C.UTF-8"], &["--locale=C"]]
        };
        let mut last = String::new();
        for locale in locales {
            let mut command = self.run_as.command(self.binaries.program("initdb"));
            command
                .arg("-D")
                .arg(directory)
                .args(["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"])
                .args(["--no-sync", "--no-instructions"])
                .args(*locale)
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            let ran = program::run(command, interrupted)
                .map_err(Error::io("running initdb for", directory))?;
            let Some((status, said)) = ran else { return Err(interrupted_error()) };
            if status.success() {
                return Ok(());
            }
            last = said.trim().to_owned();
            if is_full_disk(&last) {
                return Err(Error::DiskFull { path: directory.to_path_buf() });
            }
            if last.contains("could not look up effective user ID") {
                return Err(Error::NamelessUser { uid: self.run_as.file_owner() });
            }
        }
        Err(Error::Init { path: self.data_dir.clone(), output: last })
    }

    /// A command that writes a fresh data directory through to the disk: `init` leaves that out
    /// because it costs more than all else, and it can be done while the server already works.
    pub(crate) fn sync_command(&self) -> Command {
        let mut command = self.run_as.command(self.binaries.program("initdb"));
        command.arg("--sync-only").arg("-D").arg(&self.data_dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts the server, or takes over the one that runs on this data directory, and waits until
    /// it accepts sessions.
    ///
    /// # Errors
    ///
    /// When it does not come up; what it said last is in the error. As [`init`](Self::init) when it is
    /// interrupted; the server is stopped then.
    pub fn start(&self, interrupted: &mut dyn FnMut() -> bool) -> Result<(Server, Address), Error> {
        if let Some((identity, _)) = find_postmaster(&self.data_dir) {
            return self.await_ready(Server::adopted(identity), 0, interrupted);
        }
        let socket_dir = socket::make_somewhere(&self.data_dir, &self.run_as)?;
        clear_leftovers(&self.data_dir)?;
        socket::clear(&socket_dir, self.run_as.file_owner());
        let deadline = Instant::now() + LEFTOVER_TIMEOUT;
        loop {
            let result = self.launch(&socket_dir, interrupted);
            match &result {
                // Processes of a killed server still hold its shared memory; they are ending.
                Err(Error::ServerFailed { reason, .. })
                    if reason.contains("shared memory block")
                        && Instant::now() < deadline
                        && !interrupted() =>
                {
                    thread::sleep(Duration::from_millis(100));
                }
                Err(_) => {
                    socket::remove(&socket_dir, self.run_as.file_owner());
                    return result;
                }
                Ok(_) => return result,
            }
        }
    }

    fn launch(
        &self,
        socket_dir: &Path,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<(Server, Address), Error> {
        let log = log::open(&self.log)?;
        let from = log.metadata().map_err(Error::io("reading", &self.log))?.len();
        let both = log.try_clone().map_err(Error::io("opening", &self.log))?;
        let mut command = self.run_as.command(self.binaries.program("postgres"));
        command.arg("-D").arg(&self.data_dir);
        let mut settings = settings(self.binaries.major(), socket_dir);
        if self.binaries.major() >= 18
            && let Some(root) = self.data_dir.parent()
        {
            let postgres = self.binaries.program("postgres");
            settings.extend(extensions::trust(postgres.parent().unwrap_or(&postgres), root)?);
        }
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(both)
            // A Ctrl-C meant for us must not reach it: we stop it in an orderly way.
            .process_group(0)
            .spawn()
            .map_err(Error::io("starting", &self.binaries.program("postgres")))?;
        match ProcessIdentity::of(child.id()) {
            Some(identity) => self.await_ready(Server::started(child, identity), from, interrupted),
            None => {
                let _ = child.wait();
                Err(self.failed(from))
            }
        }
    }

    fn await_ready(
        &self,
        mut server: Server,
        log_from: u64,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<(Server, Address), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(PidFile { pid, port, socket_dir: Some(socket_dir), ready: true }) =
                PidFile::read(&self.data_dir)
                && pid == server.identity().pid
            {
                if !files::is_private(&socket_dir, self.run_as.file_owner()) {
                    return Err(Error::ServerFailed {
                        program: "postgres",
                        reason: format!(
                            "its socket is in {}, open to others",
                            socket_dir.display()
                        ),
                        log: self.log.clone(),
                    });
                }
                return Ok((server, Address { socket_dir, port: port.unwrap_or(SOCKET_PORT) }));
            }
            if !server.is_running() {
                return Err(self.failed(log_from));
            }
            if interrupted() {
                server.stop(rustix::process::Signal::INT)?;
                return Err(interrupted_error());
            }
            thread::sleep(Duration::from_millis(3));
        }
        server.stop(rustix::process::Signal::QUIT)?;
        Err(Error::ServerFailed {
            program: "postgres",
            reason: format!("it accepted no sessions within {} s", START_TIMEOUT.as_secs()),
            log: self.log.clone(),
        })
    }

    fn failed(&self, log_from: u64) -> Error {
        let reason = log::tail(&self.log, log_from);
        // It does not always say so last.
        if is_full_disk(&reason) || is_full(&self.data_dir, SEGMENT_SIZE) {
            return Error::DiskFull { path: self.data_dir.clone() };
        }
        let reason =
            if reason.is_empty() { "it ended without a message".to_owned() } else { reason };
        Error::ServerFailed { program: "postgres", reason, log: self.log.clone() }
    }
}

/// Writes the marker into a data directory that was made. Another user may own that: nothing there is followed
/// or replaced.
fn mark(directory: &Path) -> Result<(), Error> {
    let path = directory.join(MARKER);
    fs::File::create_new(&path).map_err(Error::io("creating", &path))?;
    Ok(())
}

/// Settings given on the command line, so that a newer kecoa changes them for old data too.
///
/// `fsync` and `synchronous_commit` stay on: what was committed survives a killed server and a
/// lost machine. Everything else is kept small: the usual server here has one user and two tables.
fn settings(major: u32, socket_dir: &Path) -> Vec<String> {
    let mut settings: Vec<String> = [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "default_transaction_isolation=serializable",
        // initdb takes it from the machine's language.
        "default_text_search_config=pg_catalog.english",
        // A name that a variable and a column have is the column's, as in CockroachDB.
        "plpgsql.variable_conflict=use_column",
        "timezone=UTC",
        "log_timezone=UTC",
        "shared_buffers=16MB",
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_logical_replication_workers=0",
        "jit=off",
        "logging_collector=off",
        "log_destination=stderr",
        "log_checkpoints=off",
        // Errors of statements go to the one who sent them; logged they could reveal data.
        "log_min_messages=log",
        "log_min_error_statement=panic",
    ]
    .map(str::to_owned)
    .to_vec();
    settings.extend(connections(CLIENTS));
    if major >= 16 {
        // Who makes a role may become it and owns what it owns, as CockroachDB's root does.
        settings.push("createrole_self_grant=set,inherit".to_owned());
    }
    if major >= 18 {
        settings.push("io_method=sync".to_owned());
    }
    settings.push(format!("port={SOCKET_PORT}"));
    settings.push(format!("unix_socket_directories={}", socket_dir.display()));
    settings
}

/// Settings for so many clients. PostgreSQL makes its tables of locks when it starts, so many locks for each
/// connection: the usual 64 for 2,000 would take 50 MB, and longer than all else of the start. What one transaction
/// may take is bounded by the whole table alone.
fn connections(clients: usize) -> [String; 5] {
    let all = clients + BETWEEN + RESERVED;
    let locks = LOCKS.div_ceil(all).max(10);
    [
        format!("max_connections={all}"),
        format!("superuser_reserved_connections={RESERVED}"),
        format!("max_locks_per_transaction={locks}"),
        format!("max_pred_locks_per_transaction={locks}"),
        // By default it is half of that: a few rows of a table would soon stand for all of it, and more
        // transactions would have to be retried.
        "max_pred_locks_per_relation=32".to_owned(),
    ]
}

fn interrupted_error() -> Error {
    kecoa_server::Error::Interrupted { service: &SERVICE }.into()
}

/// What PostgreSQL says depends on whether the system refused a write or cut it short.
fn is_full_disk(output: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "Check free disk space"]
        .iter()
        .any(|sign| output.contains(sign))
}

fn remove_leftovers(root: &Path, prefix: &str) -> Result<(), Error> {
    for entry in fs::read_dir(root).map_err(Error::io("reading", root))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            match fs::remove_dir_all(entry.path()) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("removing", &entry.path())(e));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Data that another major version of PostgreSQL wrote cannot be read by this one.
fn other_majors(root: &Path, major: u32) -> Option<String> {
    let mut others: Vec<u32> = fs::read_dir(root)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("pg")?.parse().ok())
        .filter(|other| *other != major)
        .collect();
    others.sort_unstable();
    let list: Vec<String> = others.iter().map(u32::to_string).collect();
    (!list.is_empty()).then(|| {
        format!(
            "this is PostgreSQL {major}, which begins with an empty database; data of version {} \
             stays where it is, in {}",
            list.join(", "),
            root.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_a_killed_attempt_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["pg18.new-aa", "pg18", "pg17.new-bb", "other"] {
            fs::create_dir_all(dir.path().join(name).join("base")).unwrap();
        }
        remove_leftovers(dir.path(), "pg18.new-").unwrap();
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["other", "pg17.new-bb", "pg18"]);
    }

    #[test]
    fn other_versions_data_is_mentioned() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(other_majors(dir.path(), 18), None);
        for name in ["pg18", "pg15", "pgx", "pg18.new-1"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let note = other_majors(dir.path(), 18).unwrap();
        assert!(note.contains("version 15 stays"), "{note}");
    }

    #[test]
    fn locks_are_as_many_however_many_clients() {
        let settings = connections(2_000);
        assert_eq!(settings[0], "max_connections=2100");
        assert_eq!(settings[2], "max_locks_per_transaction=10");
        let settings = connections(200);
        assert_eq!(settings[0], "max_connections=300");
        assert_eq!(settings[2], "max_locks_per_transaction=44");
    }

    #[test]
    fn durability_is_not_switched_off() {
        let settings = settings(18, Path::new("/tmp/x")).join(" ");
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            assert!(!settings.contains(name), "{name} is set");
        }
    }
}
