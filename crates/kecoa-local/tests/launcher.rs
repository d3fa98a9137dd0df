//! The life of an endpoint with a real PostgreSQL: started, found, killed, stopped.
//!
//! These need PostgreSQL's programs: `KECOA_POSTGRES_BIN` names their directory, or they are found
//! as the product finds them. Without any, each test says so and passes.

// Helpers of tests count as tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use kecoa_local::postgres::{Binaries, RunAs, Search};
use kecoa_local::process::ProcessIdentity;
use kecoa_local::state::State;
use kecoa_local::{Engine, Error, Mode, Options, Running, Status, Stopped};
use rustix::process::Signal;

/// Arguments of the background process, a line each; its presence makes this program serve.
const ARGUMENTS: &str = "KECOA_TEST_SERVE_ARGUMENTS";

/// The port of the fake CockroachDB; its presence makes this program that.
const COCKROACH_PORT: &str = "KECOA_TEST_COCKROACH_PORT";

/// Not a test: the background process that the tests start, this same program.
#[test]
#[ignore = "the background process of the other tests"]
fn serve_entry() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let mut options = Options::default();
    let mut lines = arguments.lines();
    while let Some(line) = lines.next() {
        let mut value = || lines.next().unwrap().to_owned();
        match line {
            "local" | "serve" | "--detached" => {}
            "--home" => options.home = Some(value().into()),
            "--name" => options.name = Some(value()),
            "--port" => options.port = Some(value().parse().unwrap()),
            "--postgres" => options.binaries = Some(value().into()),
            "--engine" => {
                if value() == "cockroach" {
                    options.engine = Engine::Cockroach;
                }
            }
            other => panic!("unexpected argument {other:?}"),
        }
    }
    if let Err(error) = kecoa_local::serve(&options, Mode::Detached, &mut |_| {}) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// Not a test: what the tests take for CockroachDB. Answers every query with one row.
#[test]
#[ignore = "the fake database of another test"]
fn cockroach_entry() {
    let Ok(port) = std::env::var(COCKROACH_PORT) else { return };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse().unwrap())).unwrap();
    let message = |tag: u8, body: &[u8]| -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[tag][..], &length, body].concat()
    };
    let ready = message(b'Z', b"I");
    let greeting = [message(b'R', &[0; 4]), ready.clone()].concat();
    let column = [&b"\0\x01version\0"[..], &[0, 0, 0, 0, 0, 0, 0, 0, 0, 25], &[0; 8]].concat();
    let answer = [
        message(b'T', &column),
        message(b'D', b"\0\x01\0\0\0\x0eCockroachDB v0"),
        message(b'C', b"SELECT 1\0"),
        ready,
    ]
    .concat();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        thread::spawn({
            let (greeting, answer) = (greeting.clone(), answer.clone());
            move || {
                // One message a read will do for a fake.
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer);
                let _ = stream.write_all(&greeting);
                while stream.read(&mut buffer).is_ok_and(|n| n > 0 && buffer[0] == b'Q') {
                    let _ = stream.write_all(&answer);
                }
            }
        });
    }
}

#[test]
fn cockroach_is_started_taken_over_and_stopped_alike() {
    let directory = tempfile::Builder::new().prefix("kecoa engine ").tempdir().unwrap();
    // A `cockroach` that becomes this program; its arguments are checked by the shell.
    let program = directory.path().join("cockroach");
    let script = format!(
        "#!/bin/sh\n[ \"$1 $2\" = 'start-single-node --insecure' ] || exit 9\n\
         for a; do case \"$a\" in --listen-addr=127.0.0.1:*) p=${{a##*:}};; esac; done\n\
         {COCKROACH_PORT}=$p exec '{}' --exact cockroach_entry --ignored\n",
        std::env::current_exe().unwrap().display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut options = Options::default();
    options.home = Some(directory.path().join("home"));
    options.engine = Engine::Cockroach;
    options.port = Some(free_port());
    let mut command: Vec<OsString> = vec!["/usr/bin/env".into()];
    let path = std::env::var("PATH").unwrap_or_default();
    command.push(format!("PATH={}:{path}", directory.path().display()).into());
    command.extend(self_command());
    options.self_command = command;
    let place = Place { options, _directory: directory };

    let first = place.start();
    assert_eq!(first.version.as_deref(), Some("CockroachDB v0"));
    assert!(answers(first.port));
    let state = place.state();
    assert!(state.daemon.signal(Signal::KILL));
    assert!(state.daemon.wait_gone(Duration::from_secs(5)));
    let second = place.start();
    assert_eq!((second.server_pid, second.port), (first.server_pid, first.port));
    let state = place.state();
    assert!(state.daemon.signal(Signal::KILL));
    assert!(state.daemon.wait_gone(Duration::from_secs(5)));
    assert_eq!(place.stop(), Stopped::Stopped);
    assert!(!state.details.server.unwrap().is_alive());
    assert_eq!(kecoa_local::status(&place.options).unwrap(), Status::Stopped);
}

fn self_command() -> Vec<OsString> {
    let script = format!(
        "IFS='\n'; {ARGUMENTS}=\"$*\"; export {ARGUMENTS}; \
         exec \"$0\" --exact serve_entry --ignored --nocapture"
    );
    let me = std::env::current_exe().unwrap();
    vec!["/bin/sh".into(), "-c".into(), script.into(), me.into()]
}

/// A home of its own, stopped and removed when the test ends, whatever its end.
struct Place {
    options: Options,
    _directory: tempfile::TempDir,
}

impl Place {
    /// `None`, and a word about it, where there is no PostgreSQL to test with.
    fn new(test: &str) -> Option<Place> {
        let directory = tempfile::Builder::new().prefix("kecoa launcher ").tempdir().unwrap();
        // tempfile closes it to others; as root, PostgreSQL's user must pass.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Place::within(directory, test)
    }

    fn within(directory: tempfile::TempDir, test: &str) -> Option<Place> {
        let mut options = Options::default();
        options.home = Some(directory.path().join("kecoa home"));
        options.name = Some("default".to_owned());
        options.binaries = std::env::var_os("KECOA_POSTGRES_BIN").map(PathBuf::from);
        options.self_command = self_command();
        let found = RunAs::choose().and_then(|run_as| {
            Binaries::find(&Search::new(&options), &run_as, &directory.path().join("copies"))
        });
        if let Err(error) = found {
            eprintln!("skipped {test}: no PostgreSQL to test with: {error}");
            return None;
        }
        Some(Place { options, _directory: directory })
    }

    fn instance(&self) -> PathBuf {
        self.options.home.as_ref().unwrap().join("instances/default")
    }

    fn state(&self) -> State {
        State::read(&self.instance().join("state.json")).unwrap().expect("a state file")
    }

    fn start(&self) -> Running {
        kecoa_local::start(&self.options).unwrap()
    }

    fn stop(&self) -> Stopped {
        kecoa_local::stop(&self.options).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = kecoa_local::stop(&self.options) {
            eprintln!("a test left a server behind: {error}");
        }
    }
}

macro_rules! place {
    ($name:literal) => {
        match Place::new($name) {
            Some(place) => place,
            None => return,
        }
    };
}

/// The port accepts connections.
fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that no test running beside this one takes by default.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// PostgreSQL itself answers a startup message on its socket.
fn postgres_answers(state: &State) -> bool {
    let socket = state.details.socket_dir.as_ref().unwrap().join(".s.PGSQL.5432");
    let Ok(mut stream) = std::os::unix::net::UnixStream::connect(socket) else { return false };
    let body = b"\0\x03\0\0user\0root\0database\0defaultdb\0\0";
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    stream.write_all(&length).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).is_ok() && answer == *b"R\0\0\0\x08\0\0\0\0"
}

#[test]
fn cold_and_warm_start_in_a_path_with_a_space() {
    let place = place!("cold_and_warm_start");
    assert_eq!(kecoa_local::status(&place.options).unwrap(), Status::Stopped);
    let began = Instant::now();
    let cold = place.start();
    let cold_time = began.elapsed();
    assert!(!cold.was_running);
    assert!(answers(cold.port));
    let password = fs::read_to_string(place.instance().join("password")).unwrap();
    let password = password.trim();
    assert_eq!(
        cold.url,
        format!("postgresql://root:{password}@127.0.0.1:{}/defaultdb?sslmode=disable", cold.port)
    );
    for shown in [
        format!("{cold:?}"),
        format!("{:?}", place.state()),
        kecoa_local::status(&place.options).unwrap().to_json(),
        format!("{:?}", kecoa_local::status(&place.options)),
        fs::read_to_string(&cold.log).unwrap(),
    ] {
        assert!(!shown.contains(password), "{shown}");
    }
    let state = place.state();
    assert!(postgres_answers(&state));
    let socket_dir = state.details.socket_dir.clone().unwrap();
    let mode = fs::metadata(&socket_dir).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    let again = place.start();
    assert!(again.was_running);
    assert_eq!((again.pid, &again.url), (cold.pid, &cold.url));
    assert!(matches!(kecoa_local::status(&place.options).unwrap(), Status::Running(_)));
    assert_eq!(kecoa_local::url(&place.options).unwrap(), cold.url);

    assert_eq!(place.stop(), Stopped::Stopped);
    assert!(!state.details.server.unwrap().is_alive());
    assert!(!state.daemon.is_alive());
    assert!(!socket_dir.exists(), "the socket's directory is left behind");
    assert_eq!(kecoa_local::status(&place.options).unwrap(), Status::Stopped);
    assert_eq!(place.stop(), Stopped::WasNotRunning);

    let began = Instant::now();
    place.start();
    let warm_time = began.elapsed();
    eprintln!("cold {cold_time:?}, warm {warm_time:?}");
    // Wide limits: what is measured for the record is measured alone.
    assert!(cold_time < Duration::from_secs(20) && warm_time < Duration::from_secs(5));
}

#[test]
fn many_starts_at_once_make_one_endpoint() {
    let place = place!("many_starts_at_once");
    let all: Vec<Running> = thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| place.start())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(all.iter().all(|one| one.pid == all[0].pid && one.url == all[0].url));
    assert_eq!(all.iter().filter(|one| !one.was_running).count(), 1);
}

#[test]
fn a_killed_daemon_is_taken_over_and_its_port_kept() {
    let mut place = place!("a_killed_daemon_is_taken_over");
    place.options.port = Some(free_port());
    let first = place.start();
    // Not asked for again: it is the predecessor's.
    place.options.port = None;
    let state = place.state();
    assert!(state.daemon.signal(Signal::KILL));
    assert!(state.daemon.wait_gone(Duration::from_secs(5)));
    let postmaster = state.details.server.clone().unwrap();
    assert!(postmaster.is_alive(), "PostgreSQL outlives the killed process");
    match kecoa_local::status(&place.options).unwrap() {
        Status::Broken { reason } => assert!(reason.contains("takes it over"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let second = place.start();
    assert_eq!(second.server_pid, first.server_pid, "the same PostgreSQL");
    assert_ne!(second.pid, first.pid);
    assert_eq!(second.port, first.port);
    assert_eq!(place.stop(), Stopped::Stopped);
    assert!(!postmaster.is_alive());
}

#[test]
fn stop_finds_the_server_of_a_killed_daemon() {
    let place = place!("stop_finds_the_server");
    place.start();
    let state = place.state();
    assert!(state.daemon.signal(Signal::KILL));
    assert!(state.daemon.wait_gone(Duration::from_secs(5)));
    // Not even the state file is needed for it.
    fs::remove_file(place.instance().join("state.json")).unwrap();
    assert_eq!(place.stop(), Stopped::Stopped);
    assert!(!state.details.server.unwrap().is_alive());
    assert!(!state.details.socket_dir.unwrap().exists());
    assert_eq!(place.stop(), Stopped::WasNotRunning);
}

#[test]
fn a_killed_server_is_started_again_behind_the_same_endpoint() {
    let place = place!("a_killed_server_is_started_again");
    let running = place.start();
    let first = place.state().details.server.unwrap();
    assert!(first.signal(Signal::KILL));
    let deadline = Instant::now() + Duration::from_secs(20);
    let second = loop {
        assert!(Instant::now() < deadline, "PostgreSQL did not come back");
        let state = place.state();
        let server = state.details.server.clone().unwrap();
        if server != first && postgres_answers(&state) {
            break server;
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert!(second.is_alive());
    assert_eq!(place.state().daemon.pid, running.pid);
    assert!(answers(running.port));
}

#[test]
fn a_stranger_with_a_recorded_id_is_never_touched() {
    let place = place!("a_stranger_with_a_recorded_id");
    place.start();
    let mut state = place.state();
    place.stop();
    let mut unrelated = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    // As if the ids of both had been given to another process since.
    state.daemon.pid = unrelated.id();
    state.details.server = Some(ProcessIdentity { pid: unrelated.id(), ..state.daemon.clone() });
    state.write(&place.instance().join("state.json")).unwrap();
    let data_dir = state.details.data_dir.clone().unwrap();
    let pid_file = data_dir.join("postmaster.pid");
    let text = format!("{}\n{}\n1\n5432\n/tmp\n\n1 1\nready\n", unrelated.id(), data_dir.display());
    fs::write(&pid_file, text).unwrap();
    let owner = fs::metadata(&data_dir).unwrap();
    std::os::unix::fs::chown(&pid_file, Some(owner.uid()), Some(owner.gid())).unwrap();

    assert_eq!(kecoa_local::status(&place.options).unwrap(), Status::Stopped);
    assert_eq!(place.stop(), Stopped::WasNotRunning);
    assert!(unrelated.try_wait().unwrap().is_none(), "an unrelated process was ended");
    // A process of another user with that id does not keep PostgreSQL from starting.
    let started = kecoa_local::start(&place.options);
    eprintln!("start beside an unrelated process: {started:?}");
    place.stop();
    assert!(unrelated.try_wait().unwrap().is_none(), "an unrelated process was ended");
    unrelated.kill().unwrap();
    unrelated.wait().unwrap();
}

#[test]
fn a_port_asked_for_is_that_port_or_an_error() {
    let mut place = place!("a_port_asked_for");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    place.options.port = Some(taken.local_addr().unwrap().port());
    let text = kecoa_local::start(&place.options).unwrap_err().to_string();
    assert!(text.contains("is taken by another program"), "{text}");
    assert_eq!(kecoa_local::status(&place.options).unwrap(), Status::Stopped);
    drop(taken);
    let running = place.start();
    assert_eq!(Some(running.port), place.options.port);

    place.options.port = Some(1);
    let error = kecoa_local::start(&place.options).unwrap_err();
    assert!(matches!(error, Error::RunsDifferently { .. }), "{error}");
    place.options.port = None;
    place.options.engine = Engine::Cockroach;
    let error = kecoa_local::start(&place.options).unwrap_err();
    assert!(matches!(error, Error::RunsDifferently { .. }), "{error}");
    place.options.engine = Engine::Postgres;
}

#[test]
fn modes_that_are_not_ours_stay() {
    let directory = tempfile::Builder::new().prefix("kecoa closed ").tempdir().unwrap();
    // Closed to everybody else: as root, the data has to go elsewhere.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let path = directory.path().to_path_buf();
    let Some(place) = Place::within(directory, "modes_that_are_not_ours_stay") else { return };
    let modes = |paths: &[&Path]| -> Vec<u32> {
        paths.iter().map(|p| fs::metadata(p).unwrap().permissions().mode()).collect()
    };
    let bin = place.options.binaries.clone().unwrap_or_else(|| "/usr".into());
    let watched = [path.as_path(), path.parent().unwrap(), bin.as_path(), Path::new("/tmp")];
    let before = modes(&watched);
    let running = place.start();
    assert!(postgres_answers(&place.state()));
    assert_eq!(modes(&watched), before);
    let data_dir = running.data_dir.clone().unwrap();
    if rustix::process::geteuid().is_root() {
        assert!(data_dir.starts_with("/var/lib/kecoa/homes"), "{}", data_dir.display());
        assert!(running.notes.iter().any(|note| note.contains("is closed to")));
        place.stop();
        fs::remove_dir_all(data_dir.parent().unwrap()).unwrap();
    } else {
        assert!(data_dir.starts_with(&path));
    }
}

#[test]
fn an_attempt_killed_half_way_is_done_again() {
    let place = place!("an_attempt_killed_half_way");
    let data_dir = place.start().data_dir.unwrap();
    place.stop();
    // What a killed initdb leaves: a directory beside the place, and none in it.
    let name = data_dir.file_name().unwrap().to_str().unwrap();
    let half = data_dir.with_file_name(format!("{name}.new-0123456789abcdef"));
    fs::rename(&data_dir, &half).unwrap();
    fs::remove_file(half.join("PG_VERSION")).unwrap();
    let running = place.start();
    assert!(answers(running.port));
    assert!(!half.exists());
}

#[test]
fn a_home_removed_while_it_serves_ends_it() {
    let place = place!("a_home_removed");
    place.start();
    let state = place.state();
    fs::remove_dir_all(place.instance()).unwrap();
    assert!(state.daemon.wait_gone(Duration::from_secs(20)));
    assert!(!state.details.server.unwrap().is_alive());
    assert!(!state.details.socket_dir.unwrap().exists());
}

#[test]
fn a_failure_reaches_the_one_who_starts() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.home = Some(directory.path().join("home"));
    options.binaries = Some(directory.path().join("no such"));
    options.self_command = self_command();
    let text = kecoa_local::start(&options).unwrap_err().to_string();
    assert!(text.contains("does not exist") && text.contains("initdb"), "{text}");
    options.self_command = vec!["/does/not/exist".into()];
    assert!(kecoa_local::start(&options).is_err());
    let script = "echo last words >&2; exit 7";
    options.self_command = vec!["/bin/sh".into(), "-c".into(), script.into()];
    let text = kecoa_local::start(&options).unwrap_err().to_string();
    assert!(text.contains("last words") && text.contains('7'), "{text}");
}
