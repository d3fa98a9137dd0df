//! A server of the test's own in the background: the way that every service of ours goes.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use kecoa_server::accept::{self, Limits, Shutdown};
use kecoa_server::home::Home;
use kecoa_server::launch::{self, Condition, Launch};
use kecoa_server::listener::{Listener, Peer};
use kecoa_server::serving::{Mode, Serving};
use kecoa_server::signals::Signals;
use kecoa_server::state::Phase;
use kecoa_server::waiting::Waiting;
use kecoa_server::{Error, Service};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

static SERVICE: Service = Service {
    title: "echo server",
    data: "the echo server's files",
    command: "kecoa echo",
    directory: "echoes",
    log: "echo.log",
};

/// Beside what every service records.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Details {
    port: Option<u16>,
}

/// The home of the background process; its presence makes this program serve.
const HOME: &str = "KECOA_TEST_ECHO_HOME";

const TIMEOUT: Duration = Duration::from_secs(60);

/// Not a test: the background process that the tests start, this same program.
#[test]
#[ignore = "the background process of the other tests"]
fn serve_entry() {
    let Some(base) = std::env::var_os(HOME) else { return };
    let home = Home::create(&SERVICE, Some(base.into()), "default").unwrap();
    let details = |_: Option<&_>| Details { port: None };
    let Some(mut serving) = Serving::begin(&home, Mode::Detached, TIMEOUT, None, details).unwrap()
    else {
        return;
    };
    if home.instance().join("broken").exists() {
        serving.end(Some("it is broken".to_owned())).unwrap();
        return;
    }
    let steps = if home.instance().join("slow").exists() { 7 } else { 0 };
    for step in 1..=steps {
        serving.progress(&format!("step {step}"), TIMEOUT).unwrap();
        thread::sleep(Duration::from_millis(500));
    }
    if home.instance().join("stuck").exists() {
        serving.progress("waiting for ever", TIMEOUT).unwrap();
        thread::sleep(TIMEOUT);
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut signals = Signals::install().unwrap();
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        serving.state.details.port = Some(listener.local_addr().unwrap().port());
        serving.ready(|state| assert_eq!(state.phase, Phase::Ready)).unwrap();
        accept::serve(&listener, Limits::default(), signals.received(), echo).await;
        serving.stopping().unwrap();
    });
    serving.end(None).unwrap();
}

async fn echo(peer: Peer, mut shutdown: Shutdown) {
    let (mut reader, mut writer) = peer.into_split();
    loop {
        tokio::select! {
            read = reader.read_u8() => match read {
                Ok(byte) => writer.write_u8(byte).await.unwrap(),
                Err(_) => return,
            },
            () = shutdown.requested() => return,
        }
    }
}

fn home(base: &Path) -> Home {
    Home::create(&SERVICE, Some(base.to_path_buf()), "default").unwrap()
}

/// Port, and whether it ran before.
fn start(home: &Home) -> Result<(u16, bool), Error> {
    start_within(home, TIMEOUT, None)
}

fn start_within(
    home: &Home,
    timeout: Duration,
    waiting: Option<&Waiting>,
) -> Result<(u16, bool), Error> {
    let program = std::env::current_exe().unwrap();
    let mut variable = OsString::from(format!("{HOME}="));
    variable.push(home.base());
    let self_command: Vec<OsString> = vec!["env".into(), variable, program.into()];
    let arguments = ["--exact", "serve_entry", "--ignored", "--nocapture"].map(Into::into).to_vec();
    Launch { home, self_command: &self_command, arguments, timeout, waiting }
        .start(&|state, was_running| Details::clone(&state.details).port.zip(Some(was_running)))
}

fn stop(home: &Home) -> bool {
    let _starting = home.lock_start(TIMEOUT, None).unwrap();
    launch::stop::<Details>(home).unwrap()
}

#[test]
fn many_starts_make_one_process_which_is_found_and_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    assert!(matches!(launch::condition::<Details>(&home).unwrap(), Condition::NotServed(None)));
    let started: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| start(&home).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(started.iter().filter(|(_, was_running)| !was_running).count(), 1);
    assert!(started.iter().all(|(port, _)| *port == started.first().unwrap().0));
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, started.first().unwrap().0)).unwrap();
    client.write_all(b"x").unwrap();
    let mut answer = [0];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"x");
    // Whoever removes the state file does not leave a service that nobody finds.
    std::fs::remove_file(home.state_file()).unwrap();
    let deadline = Instant::now() + TIMEOUT;
    while !matches!(launch::condition::<Details>(&home).unwrap(), Condition::Served(_)) {
        assert!(Instant::now() < deadline, "the state file was not restored");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(stop(&home));
    assert!(!stop(&home));
    assert!(matches!(launch::condition::<Details>(&home).unwrap(), Condition::NotServed(None)));
    // A client that was connected is gone with it.
    assert_eq!(client.read(&mut answer).unwrap_or(0), 0);
}

#[test]
fn a_slow_start_that_gets_on_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    std::fs::write(home.instance().join("slow"), "").unwrap();
    let began = Instant::now();
    start_within(&home, Duration::from_secs(3), None).unwrap();
    assert!(began.elapsed() > Duration::from_secs(3), "no step lasted that long, but all did");
    assert!(stop(&home));
}

/// Waiting that is given up as soon as it is told of a step; and the steps that it was told of.
fn given_up_at_the_first_step() -> (Waiting, Arc<Mutex<Vec<String>>>) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let (told, seen) = (steps.clone(), steps.clone());
    let waiting = Waiting::new(|_| {})
        .at_each_step(move |step| told.lock().unwrap().push(step.to_owned()))
        .unless(move || !seen.lock().unwrap().is_empty());
    (waiting, steps)
}

#[test]
fn a_start_is_given_up_with_what_was_started_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    std::fs::write(home.instance().join("stuck"), "").unwrap();
    let (waiting, steps) = given_up_at_the_first_step();
    let error = start_within(&home, TIMEOUT, Some(&waiting)).unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(*steps.lock().unwrap(), ["waiting for ever"]);
    assert!(matches!(launch::condition::<Details>(&home).unwrap(), Condition::NotServed(_)));
    std::fs::remove_file(home.instance().join("stuck")).unwrap();
    start(&home).unwrap();
    assert!(stop(&home));
}

#[test]
fn the_lock_of_another_is_waited_for_until_that_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    let _held = home.lock_start(TIMEOUT, None).unwrap();
    let (waiting, steps) = given_up_at_the_first_step();
    let error = start_within(&home, TIMEOUT, Some(&waiting)).unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(*steps.lock().unwrap(), ["waiting for another process that starts or stops it"]);
}

#[test]
fn a_start_that_gets_no_further_is_given_up_and_its_step_named() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    std::fs::write(home.instance().join("stuck"), "").unwrap();
    let error = start_within(&home, Duration::from_secs(3), None).unwrap_err().to_string();
    assert!(error.contains("within 3 s") && error.contains("waiting for ever"), "{error}");
    assert!(!stop(&home), "the process was left behind");
}

#[test]
fn a_lock_whose_instance_was_removed_is_taken_anew() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    let held = home.lock_start(TIMEOUT, None).unwrap();
    let waiting = thread::spawn({
        let home = home.clone();
        move || home.lock_start(TIMEOUT, None).unwrap()
    });
    thread::sleep(Duration::from_millis(100));
    std::fs::remove_dir_all(home.instance()).unwrap();
    drop(held);
    let lock = waiting.join().unwrap();
    // It is the lock that the next one meets.
    assert!(matches!(home.lock_start(Duration::from_millis(20), None), Err(Error::Busy { .. })));
    drop(lock);
}

#[test]
fn instances_are_listed_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().join("none yet");
    assert!(Home::all(&SERVICE, Some(base.clone())).unwrap().is_empty());
    for name in ["b", "a"] {
        Home::create(&SERVICE, Some(base.clone()), name).unwrap();
    }
    std::fs::create_dir(base.join("echoes/Not a name")).unwrap();
    std::fs::write(base.join("echoes/file"), "").unwrap();
    let homes = Home::all(&SERVICE, Some(base.clone())).unwrap();
    assert_eq!(homes.iter().map(Home::name).collect::<Vec<_>>(), ["a", "b"]);
    let strangers = Home::strangers(&SERVICE, Some(base.clone())).unwrap();
    assert_eq!(strangers, [base.join("echoes/Not a name")]);
}

#[test]
fn a_service_that_gives_up_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    std::fs::write(home.instance().join("broken"), "").unwrap();
    let error = start(&home).unwrap_err().to_string();
    assert!(error.starts_with("the echo server did not start: it is broken (log: "), "{error}");
    let none: Vec<OsString> = Vec::new();
    let launch = Launch {
        home: &home,
        self_command: &none,
        arguments: none.clone(),
        timeout: TIMEOUT,
        waiting: None,
    };
    let error =
        launch.start(&|state: &kecoa_server::state::State<Details>, _| Some(state.phase.clone()));
    assert!(matches!(error, Err(Error::NoSelfCommand)));
}
