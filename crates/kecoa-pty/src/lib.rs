//! A pseudo-terminal with a program on it, for tests of what draws on terminals.
#![forbid(unsafe_code)]
// This crate is part of tests: a panic in it is the failure it is there to report.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// What turns to a terminal's other screen.
pub const ENTER: &str = "\u{1b}[?1049h";
/// What turns back.
pub const LEAVE: &str = "\u{1b}[?1049l";
/// What shows the cursor.
pub const SHOW: &str = "\u{1b}[?25h";

/// How long a text is waited for.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A pseudo-terminal of 24 lines and 80 columns. The program on it is killed when this is dropped.
#[derive(Debug)]
pub struct Terminal {
    /// The program.
    pub child: Child,
    /// What it has written, as far as somebody has waited for it.
    pub output: String,
    ours: File,
    theirs: File,
    before: Termios,
    chunks: mpsc::Receiver<Vec<u8>>,
}

impl Terminal {
    /// Starts a program with the terminal as its standard streams; standard output may be elsewhere.
    pub fn start(command: &mut Command, output: Option<Stdio>) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = File::from(rustix::fs::open(name, flags, Mode::empty()).unwrap());
        resize(&theirs, 24, 80);
        let before = tcgetattr(&theirs).unwrap();
        let end = || Stdio::from(theirs.try_clone().unwrap());
        command.stdin(end()).stderr(end()).stdout(output.unwrap_or_else(end));
        let child = command.spawn().unwrap();
        let (sender, chunks) = mpsc::channel();
        let ours = File::from(ours);
        let mut reader = ours.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                let chunk = buffer.get(..length).unwrap_or_default().to_vec();
                if sender.send(chunk).is_err() {
                    return;
                }
            }
        });
        Terminal { child, output: String::new(), ours, theirs, before, chunks }
    }

    /// Reads until the text was written.
    pub fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + TIMEOUT;
        while !self.output.contains(text) {
            let chunk = self.chunks.recv_timeout(end.saturating_duration_since(Instant::now()));
            let chunk = chunk.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.output));
            self.output.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Gives the terminal another size.
    pub fn resize(&self, lines: u16, columns: u16) {
        resize(&self.theirs, lines, columns);
    }

    /// Sees that the terminal's modes are those from before the program, and that each turn to the other screen
    /// was turned back.
    pub fn assert_as_it_was(&self) {
        let after = tcgetattr(&self.theirs).unwrap();
        assert_eq!(after.local_modes, self.before.local_modes);
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        assert_eq!(self.output.matches(ENTER).count(), self.output.matches(LEAVE).count());
    }

    /// What was written after the program had left the other screen.
    pub fn afterwards(&self) -> &str {
        self.output.rsplit_once(LEAVE).map_or("", |(_, after)| after)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: &File, lines: u16, columns: u16) {
    let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}
