//! Processes named so that another process with the same id is never taken for them.
//!
//! A process id is used again after its process ended. What is stored beside the id is therefore
//! the time that process started; a signal is sent only while both still agree.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

/// A process id together with the moment that process started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process id.
    pub pid: u32,
    /// The system's own record of when it started; compared, never read.
    pub started: String,
}

impl ProcessIdentity {
    /// The identity of a live process; `None` if there is none with that id (or only a zombie).
    pub fn of(pid: u32) -> Option<ProcessIdentity> {
        started(pid).map(|started| ProcessIdentity { pid, started })
    }

    /// The identity of this process.
    pub fn own() -> Option<ProcessIdentity> {
        ProcessIdentity::of(std::process::id())
    }

    /// Whether that very process still runs.
    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|now| now == self.started)
    }

    /// Sends a signal if that very process still runs; says whether it did.
    pub fn signal(&self, signal: Signal) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return false;
        };
        // With a pidfd taken before the check, the signal cannot reach a successor of that id.
        #[cfg(target_os = "linux")]
        if let Ok(fd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            return self.is_alive() && rustix::process::pidfd_send_signal(&fd, signal).is_ok();
        }
        self.is_alive() && rustix::process::kill_process(pid, signal).is_ok()
    }

    /// Kills it if that very process still runs; says whether it did.
    pub fn kill(&self) -> bool {
        self.signal(Signal::KILL)
    }

    /// Waits until that process is gone; says whether it is.
    pub fn wait_gone(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut pause = Duration::from_millis(2);
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        true
    }
}

/// Linux: field 22 of `/proc/<pid>/stat` counts clock ticks since boot, so the boot's id goes with
/// it. Zombies have ended, whatever their id still says.
#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name stands in parentheses and may hold anything, parentheses too.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = fields.next()?;
    let fields: Vec<&str> = fields.collect();
    // One whose other threads are still ending has its files and locks yet.
    let threads = fields.get(16).and_then(|threads| threads.parse::<u32>().ok()).unwrap_or(0);
    if matches!(state, "Z" | "X" | "x") && threads <= 1 {
        return None;
    }
    let ticks = fields.get(18)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{}/{ticks}", boot.trim()))
}

/// Elsewhere `ps`, which POSIX has everywhere, tells when a process started, to the second.
#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> Option<String> {
    let output = Command::new("ps")
        .args(["-o", "state=", "-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let (state, start) = line.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

/// The user a process runs as, where the system has a record of it.
pub fn process_owner(pid: u32) -> Option<u32> {
    fs::metadata(format!("/proc/{pid}")).ok().map(|meta| meta.uid())
}

/// Whether a process has this file open, where the system has a record of it.
pub fn has_open(pid: u32, path: &Path) -> Option<bool> {
    let wanted = fs::metadata(path).ok()?;
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    Some(open.flatten().any(|entry| {
        let found = fs::metadata(entry.path());
        found.is_ok_and(|found| (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()))
    }))
}

/// The directory a process works in, where the system has a record of it.
pub fn working_directory(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// Whether a process's command line mentions a path; for systems without `/proc`.
pub fn command_mentions(pid: u32, path: &Path) -> bool {
    Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .output()
        .is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains(&*path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn own_process_is_alive_and_keeps_its_identity() {
        let own = ProcessIdentity::own().unwrap();
        assert!(own.is_alive());
        assert_eq!(Some(own), ProcessIdentity::own());
    }

    #[test]
    fn a_process_with_the_same_id_but_another_start_is_not_signalled() {
        let mut child =
            Command::new("sleep").arg("30").stdin(Stdio::null()).spawn().expect("sleep");
        let real = ProcessIdentity::of(child.id()).unwrap();
        let stale = ProcessIdentity { pid: real.pid, started: "another time".into() };
        assert!(!stale.is_alive());
        assert!(!stale.signal(Signal::KILL));
        assert!(child.try_wait().unwrap().is_none(), "another process was killed");
        assert!(real.signal(Signal::KILL));
        assert!(real.wait_gone(Duration::from_secs(5)), "a zombie counts as ended");
        child.wait().unwrap();
        assert!(!real.is_alive());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn who_has_a_file_open_is_seen() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let own = std::process::id();
        assert_eq!(has_open(own, file.path()), Some(true));
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("x"), "").unwrap();
        assert_eq!(has_open(own, &elsewhere.path().join("x")), Some(false));
        assert_eq!(has_open(own, &elsewhere.path().join("missing")), None);
        assert_eq!(has_open(u32::MAX, file.path()), None);
    }

    #[test]
    fn impossible_ids_are_nobody() {
        assert_eq!(ProcessIdentity::of(u32::MAX), None);
        assert!(!ProcessIdentity { pid: 0, started: String::new() }.signal(Signal::TERM));
    }
}
