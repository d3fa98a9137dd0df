//! The live view on a terminal that a signal takes away from it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use super::{Home, send};

const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";
const SHOW: &str = "\u{1b}[?25h";

/// A pseudo-terminal with a run on it.
struct Terminal {
    ours: File,
    theirs: File,
    before: Termios,
    child: Child,
    output: String,
    chunks: mpsc::Receiver<Vec<u8>>,
}

impl Terminal {
    fn with(home: &Home, arguments: &[&str], term: Option<&str>) -> Terminal {
        Terminal::with_output(home, arguments, term, None)
    }

    /// With standard output elsewhere, if it is to be.
    fn with_output(
        home: &Home,
        arguments: &[&str],
        term: Option<&str>,
        output: Option<Stdio>,
    ) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = File::from(rustix::fs::open(name, flags, Mode::empty()).unwrap());
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&theirs, size).unwrap();
        let before = tcgetattr(&theirs).unwrap();
        let end = || theirs.try_clone().unwrap();
        let mut command = home.command(arguments);
        command.stdin(end()).stderr(end()).env_remove("TERM");
        command.stdout(output.unwrap_or_else(|| end().into()));
        command.envs(term.map(|term| ("TERM", term)));
        let child = command.spawn().unwrap();
        let (sender, chunks) = mpsc::channel();
        let ours = File::from(ours);
        let mut reader = ours.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { ours, theirs, before, child, output: String::new(), chunks }
    }

    fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.output.contains(text) {
            let chunk = self.chunks.recv_timeout(end.saturating_duration_since(Instant::now()));
            let chunk = chunk.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.output));
            self.output.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    fn assert_as_it_was(&self) {
        let after = tcgetattr(&self.theirs).unwrap();
        assert_eq!(after.local_modes, self.before.local_modes);
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        assert_eq!(self.output.matches(ENTER).count(), self.output.matches(LEAVE).count());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signals_leave_the_terminal_as_it_was(home: &Home) {
    for (signal, number) in [("-HUP", 1), ("-TERM", 15), ("-INT", 2)] {
        let mut terminal = Terminal::with(home, &["workload", "run", "kv"], Some("xterm"));
        terminal.wait_for(ENTER);
        terminal.wait_for("Throughput");
        send(&terminal.child, signal);
        // The view has gone before the run has ended, so that a second signal finds no view.
        terminal.wait_for(SHOW);
        terminal.wait_for("interrupted after");
        let status = terminal.child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "{signal}: {}", terminal.output);
        terminal.assert_as_it_was();
        let (_, behind) = terminal.output.rsplit_once(LEAVE).unwrap();
        assert!(behind.contains("interrupted after"), "{behind}");
    }
}

pub(crate) fn ctrl_c_in_the_view_is_as_the_signal(home: &Home) {
    let mut terminal = Terminal::with(home, &["workload", "run", "kv"], Some("xterm"));
    terminal.wait_for("Throughput");
    terminal.ours.write_all(b"\x03").unwrap();
    terminal.wait_for("interrupted after");
    assert_eq!(terminal.child.wait().unwrap().signal(), Some(2), "{}", terminal.output);
    terminal.assert_as_it_was();
}

pub(crate) fn a_reader_of_the_summary_that_has_gone(home: &Home) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = ["workload", "run", "kv", "--duration", "1s"];
    let output = Some(Stdio::from(writer));
    let mut terminal = Terminal::with_output(home, &run, Some("xterm"), output);
    terminal.wait_for(SHOW);
    assert_eq!(terminal.child.wait().unwrap().code(), Some(1), "{}", terminal.output);
    terminal.assert_as_it_was();
    assert!(!terminal.output.contains("panicked"), "{}", terminal.output);
}

pub(crate) fn a_terminal_without_a_cursor_has_no_view(home: &Home) {
    for term in [None, Some(""), Some("dumb")] {
        let run = ["workload", "run", "kv", "--duration", "1s"];
        let mut terminal = Terminal::with(home, &run, term);
        terminal.wait_for("completed after");
        assert!(terminal.child.wait().unwrap().success(), "{term:?}");
        assert!(!terminal.output.contains("\u{1b}[?"), "{term:?}: {:?}", terminal.output);
        terminal.assert_as_it_was();
    }
}
