//! `kecoa local` with a real database: an endpoint a folder, its logs, its end; and a service manager.
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

mod command;
mod postgres;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use command::{kecoa, text};
use serde_json::Value;

/// A home, and a folder of a project; what runs there is stopped when the test ends.
struct Place {
    root: PathBuf,
    _directory: tempfile::TempDir,
}

impl Place {
    /// `None`, and a word about it, where there is no PostgreSQL to test with.
    fn new(test: &str) -> Option<Place> {
        let directory = postgres::folder("kecoa local ", test)?;
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(root.join("Shop/src")).unwrap();
        Some(Place { root, _directory: directory })
    }

    fn command(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = command::command(arguments);
        command.env("KECOA_HOME", self.root.join("home")).current_dir(self.root.join(folder));
        if let Some(postgres) = std::env::var_os("KECOA_POSTGRES_BIN") {
            command.env("KECOA_POSTGRES", postgres);
        }
        command
    }

    fn run(&self, folder: &str, arguments: &[&str]) -> Output {
        self.command(folder, arguments).output().unwrap()
    }

    /// What it prints; it succeeds.
    #[track_caller]
    fn prints(&self, folder: &str, arguments: &[&str]) -> String {
        let output = self.run(folder, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for folder in ["Shop", ""] {
            let _ = self.run(folder, &["local", "stop"]);
        }
    }
}

#[test]
fn a_folder_has_an_endpoint_of_its_own_from_its_start_to_its_end() {
    let Some(place) = Place::new("a_folder_has_an_endpoint_of_its_own") else { return };
    let url = place.prints("Shop", &["local", "start", "--here", "--port", "0"]);
    assert!(!url.contains(":26257/"), "{url}");
    assert_eq!(place.prints("Shop/src", &["local", "url"]), url);
    let elsewhere = place.run("", &["local", "url"]);
    assert_eq!(elsewhere.status.code(), Some(3), "{}", text(&elsewhere.stderr));
    assert_eq!(place.prints("Shop", &["local", "env"]), format!("export DATABASE_URL='{url}'"));

    let list = place.prints("Shop/src", &["local", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let [shop] = list["instances"].as_array().unwrap().as_slice() else { panic!("{list}") };
    let name = shop["name"].as_str().unwrap();
    assert!(name.starts_with("shop-"), "{name}");
    assert_eq!((&shop["current"], &shop["status"]), (&true.into(), &"running".into()));
    assert_eq!(Path::new(shop["folder"].as_str().unwrap()), place.root.join("Shop"));
    assert!(shop["data_bytes"].as_u64().unwrap() > 10_000_000, "{shop}");
    assert!(!list.to_string().contains(url.split(['/', '@', ':']).nth(4).unwrap()), "a password");
    let table = place.prints("", &["local", "list"]);
    assert!(table.contains(&format!("  {name}  running  ")), "{table}");

    // So that its end finds what is ours.
    let status = place.prints("Shop", &["local", "status", "--json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert!(Path::new(status["data_dir"].as_str().unwrap()).join("kecoa_data").is_file());

    // The other commands mean it, too.
    place.prints("Shop", &["sql", "-c", "CREATE TABLE kept (n INT)"]);
    assert_eq!(place.prints("Shop", &["doctor"]).lines().count(), 6);
    place.prints("Shop", &["local", "stop"]);
    // The URL that a program has is known again.
    let stopped = place.command("Shop", &["doctor"]).env("DATABASE_URL", &url).output().unwrap();
    let said = text(&stopped.stdout);
    assert_eq!(stopped.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("endpoint `{name}` was, and it is stopped")), "{said}");
    assert!(said.contains("start it with `kecoa local start`"), "{said}");
    let logs = place.prints("Shop", &["local", "logs", "-n", "2"]);
    assert_eq!(logs.lines().count(), 2, "{logs}");
    assert!(logs.contains("database | ") && logs.contains("shut down"), "{logs}");
    // The same port, the same data.
    assert_eq!(place.prints("Shop", &["local", "start"]), url);
    place.prints("Shop", &["sql", "-c", "SELECT n FROM kept"]);

    let asked = place.run("Shop", &["local", "reset"]);
    assert_eq!(asked.status.code(), Some(2), "{}", text(&asked.stderr));
    assert!(text(&asked.stderr).contains(name) && text(&asked.stderr).contains("--yes"));
    place.prints("Shop", &["sql", "-c", "SELECT n FROM kept"]);
    assert_eq!(place.prints("Shop", &["local", "reset", "--yes"]), url);
    let gone = place.run("Shop", &["sql", "-c", "SELECT n FROM kept"]);
    assert!(text(&gone.stderr).contains("kept"), "{}", text(&gone.stderr));

    let instance = place.root.join("home/instances").join(name);
    fs::write(instance.join("notes.txt"), "mine").unwrap();
    let asked = place.run("Shop", &["local", "destroy"]);
    assert_eq!(asked.status.code(), Some(2));
    let destroyed = place.run("Shop", &["local", "destroy", "--yes"]);
    assert!(text(&destroyed.stderr).contains("notes.txt is not kecoa's"));
    assert_eq!(fs::read_dir(&instance).unwrap().count(), 1);
    fs::remove_file(instance.join("notes.txt")).unwrap();
    place.prints("Shop", &["local", "destroy", "--yes"]);
    assert!(!instance.exists());
    assert!(place.root.join("Shop/.kecoa").exists(), "the folder's file is the folder's");
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_and_when_it_stops() {
    let Some(place) = Place::new("a_service_manager_is_told") else { return };
    let socket = place.root.join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let told = |wanted: &str| {
        let mut buffer = [0; 4096];
        loop {
            let length = manager.recv(&mut buffer).expect("told in time");
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if message.lines().any(|line| line == wanted) {
                return;
            }
        }
    };
    let mut child = place
        .command("", &["local", "start", "--foreground", "--port", "0"])
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    told("READY=1");
    let url = place.prints("", &["local", "url"]);
    place.prints("", &["sql", &url, "-c", "SELECT 1"]);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    told("STOPPING=1");
    // By the signal, as every command; systemd takes that for success.
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(place.run("", &["local", "status"]).status.code(), Some(3));
}

#[test]
fn who_starts_it_while_it_stops_gets_it_running() {
    let Some(place) = Place::new("who_starts_it_while_it_stops") else { return };
    let url = place.prints("", &["local", "start", "--port", "0"]);
    let spawn = |arguments: &[&str]| {
        let mut command = place.command("", arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let stop = spawn(&["local", "stop"]);
    let state = place.root.join("home/instances/default/state.json");
    while fs::read_to_string(&state).is_ok_and(|state| state.contains("\"ready\"")) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let starts: Vec<_> = (0..2).map(|_| spawn(&["local", "start"])).collect();
    assert!(stop.wait_with_output().unwrap().status.success());
    for start in starts {
        let output = start.wait_with_output().unwrap();
        assert_eq!(text(&output.stdout).trim_end(), url, "{}", text(&output.stderr));
    }
    place.prints("", &["sql", &url, "-c", "SELECT 1"]);
}

#[test]
fn a_port_that_is_taken_is_said_before_a_database_is_made() {
    let Some(place) = Place::new("a_port_that_is_taken") else { return };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = place.run("", &["local", "start", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&format!("port {port} on 127.0.0.1 is taken")), "{said}");
    let instance = fs::read_dir(place.root.join("home/instances/default")).unwrap().flatten();
    let names: Vec<_> = instance.map(|entry| entry.file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with("pg")), "{names:?}");
}

#[test]
fn help_says_where_data_is_kept_for_root_too() {
    for action in ["start", "status", "list", "reset"] {
        let help = text(&kecoa(&["local", action, "--help"]).stdout);
        let words: Vec<&str> = help.split_whitespace().collect();
        assert!(
            words.join(" ").contains("$KECOA_HOME; for root /var/lib/kecoa; for others"),
            "{help}"
        );
    }
}

#[test]
fn the_list_shows_what_no_instance_can_be_called() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    for name in ["shop", "My shop", "a\tb"] {
        fs::create_dir_all(home.join("instances").join(name)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let mut command = command::command(&[&["local", "list"], arguments].concat());
        command.env("KECOA_HOME", &home).current_dir(directory.path()).output().unwrap()
    };
    let list = text(&run(&[]).stdout);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 6, "{list}");
    assert!(lines[1].contains("shop") && lines[1].contains("stopped"), "{list}");
    assert!(lines[2].contains("My shop") && lines[2].contains("broken"), "{list}");
    assert!(lines[3].contains("a\u{fffd}b") && !list.contains('\t'), "{list}");
    assert!(lines[4].contains("My shop: ") && lines[4].contains("rename or delete"), "{list}");
    assert_eq!(text(&run(&["--names"]).stdout), "shop\n");
    let names: Value = serde_json::from_slice(&run(&["--names", "--json"]).stdout).unwrap();
    assert_eq!(names, serde_json::json!({ "names": ["shop"] }));
    fs::remove_dir_all(&home).unwrap();
    assert_eq!(text(&run(&["--names"]).stdout), "");
}

#[test]
fn bash_completes_the_names_of_instances() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["shop", "shed", "bank", "Not a name"] {
        fs::create_dir_all(directory.path().join("home/instances").join(name)).unwrap();
    }
    let script = text(&kecoa(&["completions", "bash"]).stdout);
    fs::write(directory.path().join("kecoa.bash"), script).unwrap();
    let complete = |typed: &str| {
        let asks = format!(
            ". ./kecoa.bash; COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _kecoa kecoa \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let program = Path::new(env!("CARGO_BIN_EXE_kecoa")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.args(["-c", &asks]).env("PATH", path).current_dir(directory.path());
        bash.env("KECOA_HOME", directory.path().join("home")).stderr(Stdio::inherit());
        Some(text(&bash.output().ok()?.stdout).trim_end().to_owned())
    };
    let Some(found) = complete("kecoa local stop --name sh") else {
        eprintln!("skipped bash_completes_the_names_of_instances: there is no bash");
        return;
    };
    assert_eq!(found, "shed shop");
    assert_eq!(complete("kecoa mongo status --name b").unwrap(), "bank");
    assert_eq!(complete("kecoa loc").unwrap(), "local");
}

#[test]
fn a_file_that_names_no_instance_is_said_and_a_name_goes_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = command::command(arguments);
        command.env("KECOA_HOME", directory.path().join("home")).current_dir(directory.path());
        command.output().unwrap()
    };
    fs::write(directory.path().join(".kecoa"), "Not A Name\n").unwrap();
    for action in ["start", "stop", "status", "url", "env", "logs", "reset", "destroy"] {
        let output = run(&["local", action]);
        assert_eq!(output.status.code(), Some(1), "{action}");
        let said = text(&output.stderr);
        assert!(said.contains(".kecoa names the instance \"Not A Name\""), "{said}");
    }
    for action in ["start", "stop", "status", "url"] {
        let output = run(&["mongo", action]);
        assert_eq!(output.status.code(), Some(1), "{action}");
        assert!(text(&output.stderr).contains("\"Not A Name\""), "{}", text(&output.stderr));
    }
    assert_eq!(run(&["mongo", "status", "--name", "tests"]).status.code(), Some(3));
    assert_eq!(run(&["local", "status", "--name", "tests"]).status.code(), Some(3));
    assert_eq!(text(&run(&["local", "list"]).stdout), "no endpoint was ever started here\n");
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    let said = text(&doctor.stdout);
    assert!(said.contains("\"Not A Name\"") && !said.contains("5432"), "{said}");
    for action in ["logs", "reset", "destroy"] {
        let output = run(&["local", action, "--name", "typo"]);
        assert_eq!(output.status.code(), Some(1), "{action}");
        assert!(text(&output.stderr).contains("there is no instance `typo`"), "{action}");
    }
    for command in ["local", "mongo"] {
        for action in ["stop", "status", "url"] {
            let output = run(&[command, action, "--name", "Not A Name"]);
            assert_eq!(output.status.code(), Some(2), "{command} {action}");
        }
    }
    let start = run(&["local", "start", "--name", "Not A Name"]);
    assert_eq!(start.status.code(), Some(2), "{}", text(&start.stderr));
    fs::write(directory.path().join(".kecoa"), "shop").unwrap();
    let status = run(&["local", "status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status["name"], &status["current"]), (&"shop".into(), &true.into()));
    let said = text(&run(&["local", "url"]).stderr);
    assert!(said.contains("`shop` is not running; start it with `kecoa local start`"), "{said}");
    assert!(!directory.path().join("home").exists(), "looking made the home");
}
