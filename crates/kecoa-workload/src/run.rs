//! The commands: set a workload up, run it, check it.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kecoa::blocking::Client;
use kecoa::{Config, Isolation};
use kecoa_faults::Background;

use crate::checker;
use crate::commit_log::CommitLog;
use crate::error::Error;
use crate::event::{About, Event};
use crate::faults;
use crate::invariant::Check;
use crate::kv::READS;
use crate::options::{self, Name, Place, RunOptions};
use crate::random::mix;
use crate::schema::{self, Settings};
use crate::shared::{Report, SLICE, Shared};
use crate::worker;
use crate::workload::{self, Workload};

/// How long transactions that are under way at the end are waited for.
const GRACE: Duration = Duration::from_secs(10);
/// How long they are waited for once they have been cut off.
const CUT: Duration = Duration::from_secs(30);
/// How long each of these is once the caller wants the run to end.
const HURRIED: Duration = Duration::from_secs(2);
/// How long the process of workers is waited for that is ended.
const LEAVE: Duration = Duration::from_secs(1);

/// Kills the server and starts it again; returns once it serves.
pub type Kill = Box<dyn FnMut() -> Result<(), String> + Send>;

/// What a run needs of its caller.
pub struct Hooks<'a> {
    /// Takes the events.
    pub report: Report,
    /// Needed where [`RunOptions::kill_every`] is set.
    pub kill: Option<Kill>,
    /// Is asked all the time whether the run is to end.
    pub is_interrupted: &'a dyn Fn() -> bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How long transactions were begun.
    pub took: Duration,
    /// Whether the caller ended it, before its time.
    pub interrupted: bool,
    /// The first invariant that did not hold, in words.
    pub violation: Option<String>,
    /// What was found at the end.
    pub checks: Vec<Check>,
}

/// Whether there is anything of a workload in the database.
///
/// # Errors
/// The database's.
pub fn is_set_up(config: &Config, name: Name) -> Result<bool, Error> {
    schema::exists(&mut Client::connect(config)?, name)
}

/// How many of its [items](Name::items) a workload was set up with.
///
/// # Errors
/// The database's; [`Error::Setup`] when it is not set up.
pub fn size(config: &Config, name: Name) -> Result<i64, Error> {
    let mut client = Client::connect(config)?;
    schema::setting(&schema::settings(&mut client, name)?, name.items(), name)
}

/// Sets a workload up: its schema, its tables and what is in them. `size` counts its
/// [items](Name::items). `progress` is called with how many of them are there.
///
/// # Errors
/// The database's; [`Error::Setup`] when it is set up already and is not to be dropped.
pub fn init(
    config: &Config,
    name: Name,
    size: u32,
    drop: bool,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    if size < name.least_size() {
        let (least, items) = (name.least_size(), name.items());
        return Err(Error::Usage(format!(
            "expected at least {least} {items} of {name}, found {size}"
        )));
    }
    let mut client = Client::connect(config)?;
    if drop {
        schema::drop(&mut client, name)?;
    } else if schema::exists(&mut client, name)? {
        let schema = name.schema();
        return Err(Error::Setup(format!(
            "the workload {name} is there already, in the schema {schema}: add --drop to make it anew"
        )));
    }
    workload::init(&mut client, name, size, progress)
}

/// Checks the invariants of a workload.
///
/// # Errors
/// The database's; [`Error::Setup`] when it is not set up.
pub fn check(config: &Config, name: Name) -> Result<Vec<Check>, Error> {
    let mut client = Client::connect(config)?;
    let settings = schema::settings(&mut client, name)?;
    workload::invariants(&mut client, name, &settings)
}

/// A run that is about to begin.
pub struct Prepared {
    place: Place,
    options: RunOptions,
    settings: Settings,
    workload: Workload,
    log: CommitLog,
    about: About,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("about", &self.about).finish_non_exhaustive()
    }
}

/// Looks at the workload in the database, and notes the workers of a run there.
///
/// # Errors
/// The database's; [`Error::Setup`] when the workload is not set up; [`Error::Usage`] for options that do not go
/// together.
pub fn prepare(place: Place, options: RunOptions) -> Result<Prepared, Error> {
    options.validate()?;
    let mut client = Client::connect(&place.config)?;
    // Not of the seed: runs with the same seed are different ones.
    let number = (mix(fastrand::u64(..)) >> 1).cast_signed();
    let settings = schema::settings(&mut client, options.name)?;
    let workload = Workload::open(&mut client, &options, number)?;
    let log = CommitLog::new(options.name, number);
    log.open(&mut client, options.concurrency)?;
    let server: String = client.query_one("SELECT version()", &[])?.get(0)?;
    let about = about(&place, &options, &settings, &server);
    Ok(Prepared { place, options, settings, workload, log, about })
}

fn about(place: &Place, options: &RunOptions, settings: &Settings, server: &str) -> About {
    let end = server.find(" on ").or_else(|| server.find(" (")).unwrap_or(server.len());
    let name = options.name;
    let mut chosen = Vec::new();
    if let Some(size) = settings.get(name.items()) {
        chosen.push((name.items(), size.to_string()));
    }
    match name {
        Name::Kv => chosen.push(("reads", format!("{}%", options.reads.unwrap_or(READS)))),
        Name::Ycsb => chosen.push(("mix", options.mix.unwrap_or_default().to_string())),
        Name::Bank | Name::Tpcc | Name::Movr => {}
    }
    chosen.extend(options.distribution.map(|chosen| ("distribution", chosen.to_string())));
    // As the option of the command line has it.
    let isolation = match options.isolation {
        Isolation::ReadCommitted => "read-committed",
        Isolation::RepeatableRead => "repeatable-read",
        _ => "serializable",
    };
    chosen.push(("isolation", isolation.to_owned()));
    chosen.extend(options.faults.as_ref().map(|faults| ("faults", faults.plan.to_string())));
    chosen.extend(
        options.kill_every.map(|every| ("kill every", format!("{} s", every.as_secs_f64()))),
    );
    About {
        workload: name.to_string(),
        client: options.client.as_str(),
        server: server.get(..end).unwrap_or(server).to_owned(),
        url: place.shown.clone(),
        concurrency: options.concurrency,
        rate: options.rate,
        duration: options.duration,
        seed: options.seed,
        chosen,
    }
}

impl Prepared {
    /// What the run is.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Runs it: until its time is over, the caller interrupts it, or an invariant does not hold. All events are
    /// reported when this returns.
    ///
    /// # Errors
    /// No thread, no proxy or no child process could be had; the server that was killed does not come back; the
    /// database could not be asked at the end.
    pub fn run(self, hooks: Hooks<'_>) -> Result<Ending, Error> {
        let Prepared { place, options, settings, workload, log, .. } = self;
        let start = Instant::now();
        let direct = place.config;
        let mut proxy = None;
        let mut config = direct.clone();
        if let Some(faults) = &options.faults {
            let started = faults::start(faults, options.seed, start, hooks.report.clone())
                .map_err(|error| Error::Io("cannot start the fault proxy".to_owned(), error))?;
            config = faults::through(&direct, started.address())?;
            proxy = Some(started);
        }
        let configs = (config, direct);
        let shared = Shared::new(options, configs, workload, log, start, hooks.report);
        let shared = Arc::new(shared);
        drive(&shared, &settings, proxy, hooks.kill, hooks.is_interrupted)
    }
}

fn drive(
    shared: &Arc<Shared>,
    settings: &Settings,
    proxy: Option<Background>,
    kill: Option<Kill>,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<Ending, Error> {
    let begun = begin(shared, settings, kill);
    let Threads { checks, kills, workers } = match begun {
        Ok(begun) => begun,
        Err(error) => {
            // Those that have begun end by themselves.
            shared.end();
            return Err(Error::Io("cannot start a worker".to_owned(), error));
        }
    };
    let mut interrupted = false;
    while !shared.is_ending() && !all_ended(&workers) {
        interrupted = is_interrupted();
        let is_over = shared.options.duration.is_some_and(|duration| shared.now() >= duration);
        if interrupted || is_over {
            shared.end();
        } else {
            thread::sleep(SLICE);
        }
    }
    shared.end();
    let took = shared.ended();
    shared.report(Event::Ending { at: took });
    let ended = wait(&workers, GRACE, is_interrupted);
    // Without the proxy, whoever waits for an answer that a fault has swallowed has lost the connection.
    drop(proxy);
    shared.cut();
    if !ended && !wait(&workers, CUT, is_interrupted) {
        shared.leave();
        // A process of theirs is ended.
        wait(&workers, LEAVE, is_interrupted);
        let silent = io::Error::new(io::ErrorKind::TimedOut, "the server does not answer them");
        return Err(Error::Io("workers did not come to their end".to_owned(), silent));
    }
    if let Some(kills) = kills {
        // Whether the server came back is what its answer says.
        join(kills)?;
    }
    for worker in workers {
        join(worker)?;
    }
    if let Some(checks) = checks {
        // Where the server does not answer it, the checks at the end say so.
        wait(std::slice::from_ref(&checks), CUT, is_interrupted);
    }
    let checks = checker::at_the_end(shared, settings, is_interrupted)?;
    Ok(Ending { took, interrupted, violation: shared.violation(), checks })
}

/// The threads of a run.
struct Threads {
    checks: Option<Thread>,
    kills: Option<Thread>,
    workers: Vec<Thread>,
}

/// A thread of a run: it may say why the run cannot go on.
type Thread = JoinHandle<Result<(), String>>;

/// Starts the workers; the checker and the killer.
fn begin(shared: &Arc<Shared>, settings: &Settings, kill: Option<Kill>) -> io::Result<Threads> {
    let mut checks = None;
    if let Some(every) = shared.options.check_every {
        let (shared, settings) = (shared.clone(), settings.clone());
        let work = move || {
            checker::watch(&shared, &settings, every);
            Ok(())
        };
        checks = Some(thread::Builder::new().name("checks".to_owned()).spawn(work)?);
    }
    let mut kills = None;
    if let Some((every, kill)) = shared.options.kill_every.zip(kill) {
        let shared = shared.clone();
        let work = move || kill_again_and_again(&shared, every, kill);
        kills = Some(thread::Builder::new().name("kills".to_owned()).spawn(work)?);
    }
    let workers = match shared.options.client {
        options::Client::Blocking => worker::spawn_blocking(shared)?,
        options::Client::Tokio => worker::spawn_tokio(shared)?,
        options::Client::Python => worker::spawn_python(shared)?,
    };
    Ok(Threads { checks, kills, workers })
}

fn kill_again_and_again(shared: &Shared, every: Duration, mut kill: Kill) -> Result<(), String> {
    loop {
        shared.sleep_until(shared.now() + every);
        if shared.is_ending() {
            return Ok(());
        }
        let at = shared.now();
        shared.report(Event::Killed { at });
        if let Err(why) = kill() {
            shared.end();
            return Err(why);
        }
        let now = shared.now();
        shared.report(Event::Back { at: now, down: now.saturating_sub(at) });
    }
}

fn all_ended(threads: &[Thread]) -> bool {
    threads.iter().all(JoinHandle::is_finished)
}

/// Waits for these threads, at most this long, or a little once the caller wants the run to end; whether all of
/// them have ended.
fn wait(threads: &[Thread], limit: Duration, is_interrupted: &dyn Fn() -> bool) -> bool {
    let mut until = Instant::now() + limit;
    let mut is_hurried = false;
    while !all_ended(threads) {
        if !is_hurried && is_interrupted() {
            is_hurried = true;
            until = until.min(Instant::now() + HURRIED);
        }
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(SLICE);
    }
    true
}

/// Takes the end of a thread that has ended, or is about to.
fn join(thread: Thread) -> Result<(), Error> {
    match thread.join() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(Error::Setup(why)),
        // Its message has been printed.
        Err(_) => {
            Err(Error::Setup("a thread of the run panicked: what it said is above".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_that_does_not_end_is_waited_for_a_little_once_the_caller_wants_the_end() {
        let (release, held) = mpsc::channel::<()>();
        let threads = [thread::spawn(move || {
            let _ = held.recv();
            Ok(())
        })];
        let begun = Instant::now();
        assert!(!wait(&threads, Duration::from_millis(1), &|| false));
        assert!(!wait(&threads, Duration::from_secs(600), &|| true));
        assert!(begun.elapsed() < Duration::from_secs(60));
        drop(release);
        assert!(wait(&threads, Duration::from_secs(600), &|| false));
    }

    #[test]
    fn a_thread_that_panics_is_no_success() {
        let died = thread::spawn(|| panic!("in a worker"));
        assert!(join(died).unwrap_err().to_string().contains("panicked"));
        assert!(join(thread::spawn(|| Ok(()))).is_ok());
    }
}
