//! A program that is waited for, and ended when nobody wants to wait any more.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// How often we look whether it has ended.
const INTERVAL: Duration = Duration::from_millis(3);

/// Runs a program to its end: its status, and what it said to standard error. `None` when `interrupted` said
/// yes before; the program and those that it started are killed then, whatever signals they ignore.
///
/// # Errors
///
/// When it cannot be started.
pub(super) fn run(
    mut command: Command,
    interrupted: &mut dyn FnMut() -> bool,
) -> io::Result<Option<(ExitStatus, String)>> {
    // A group of its own: Ctrl-C is for us, and the group can be ended as a whole.
    let mut child = command.stderr(Stdio::piped()).process_group(0).spawn()?;
    let mut stderr = child.stderr.take();
    // Read meanwhile: a pipe that is full would stop it.
    let said = thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(stderr) = &mut stderr {
            let _ = stderr.read_to_end(&mut said);
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some((status, said.join().unwrap_or_default())));
        }
        if interrupted() {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_status_and_what_was_said() {
        let script = "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 3";
        let (status, said) = run(shell(script), &mut || false).unwrap().unwrap();
        assert_eq!((status.code(), said.len()), (Some(3), 300_000));
        assert!(run(Command::new("/does/not/exist"), &mut || false).is_err());
    }

    #[test]
    fn who_ignores_every_signal_is_ended_with_its_children() {
        let directory = tempfile::tempdir().unwrap();
        let pid = directory.path().join("pid");
        let script = format!(
            "trap '' INT TERM HUP; sleep 300 & echo $! > {0}.new; mv {0}.new {0}; wait",
            pid.display()
        );
        let began = Instant::now();
        assert!(run(shell(&script), &mut || pid.exists()).unwrap().is_none());
        assert!(began.elapsed() < Duration::from_secs(60));
        let child: u32 = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
        let gone = kecoa_server::process::ProcessIdentity::of(child);
        assert!(gone.is_none_or(|child| child.wait_gone(Duration::from_secs(10))));
    }
}
