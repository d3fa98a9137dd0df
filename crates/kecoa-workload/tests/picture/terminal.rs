//! The live view on a terminal: a pseudo-terminal, and this test program itself as the child on it.
//!
//! `child` does nothing unless the environment says what; the other tests run it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use kecoa_workload::End;
use kecoa_workload::live::{Left, watch};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::scripted::{busy, summary_of};

const WAY_OUT: &str = "KECOA_TEST_LIVE";
const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";

#[test]
fn child() {
    let Ok(way_out) = std::env::var(WAY_OUT) else { return };
    let running = summary_of(&busy(), End::Running);
    let ended = summary_of(&[], End::Completed);
    let mut draws = 0;
    let left = watch(true, || {
        draws += 1;
        let shown = match way_out.as_str() {
            "unwanted" if draws == 3 => return None,
            "over" if draws == 3 => ended.clone(),
            "panic" if draws == 3 => panic!("the view's own thread"),
            "panic elsewhere" if draws == 3 => {
                let thread = std::thread::spawn(|| panic!("another thread"));
                assert!(thread.join().is_err());
                running.clone()
            }
            _ => running.clone(),
        };
        Some(shown)
    });
    eprintln!("LEFT {:?}", left.map_err(|error| error.to_string()));
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The terminal's side of a pseudo-terminal with the view on the other one.
struct Terminal {
    ours: File,
    theirs: File,
    before: Termios,
    child: Child,
    output: String,
    chunks: mpsc::Receiver<Vec<u8>>,
}

impl Terminal {
    fn with(way_out: &str) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs =
            rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
                .unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&theirs, size).unwrap();
        let before = tcgetattr(&theirs).unwrap();
        let end = || theirs.try_clone().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["terminal::child", "--exact", "--nocapture", "--test-threads=1"])
            .env(WAY_OUT, way_out)
            .env_remove("NO_COLOR")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let ours = File::from(ours);
        let (sender, chunks) = mpsc::channel();
        let mut reader = ours.try_clone().unwrap();
        std::thread::spawn(move || -> io::Result<()> {
            let mut buffer = [0; 4096];
            loop {
                let length = reader.read(&mut buffer)?;
                if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                    return Ok(());
                }
            }
        });
        let theirs = File::from(theirs);
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

    fn press(&mut self, keys: &str) {
        self.wait_for(ENTER);
        self.wait_for("Throughput");
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the child's end; checks that the terminal is as it was.
    fn end(&mut self) -> ExitStatus {
        self.wait_for("test result");
        let status = self.child.wait().unwrap();
        let after = tcgetattr(&self.theirs).unwrap();
        assert_eq!(after.local_modes, self.before.local_modes);
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        let (_, after) = self.output.rsplit_once(LEAVE).unwrap();
        assert!(after.contains("\u{1b}[?25h"), "the cursor is hidden: {after:?}");
        assert_eq!(self.output.matches(ENTER).count(), 1);
        assert_eq!(self.output.matches(LEAVE).count(), 1);
        status
    }

    /// What was printed after the view had left.
    fn afterwards(&self) -> &str {
        self.output.rsplit_once(LEAVE).map_or("", |(_, after)| after)
    }
}

#[test]
fn the_end_of_the_run_gives_the_terminal_back() {
    for way_out in ["over", "unwanted"] {
        let mut terminal = Terminal::with(way_out);
        assert!(terminal.end().success());
        assert!(terminal.afterwards().contains("LEFT Ok(Over)"), "{}", terminal.afterwards());
    }
}

#[test]
fn q_and_ctrl_c_end_the_view() {
    for (key, left) in [("q", Left::Quit), ("xQ", Left::Quit), ("\u{3}", Left::Interrupted)] {
        let mut terminal = Terminal::with("key");
        terminal.press(key);
        assert!(terminal.end().success());
        let expected = format!("LEFT Ok({left:?})");
        assert!(terminal.afterwards().contains(&expected), "{}", terminal.afterwards());
    }
}

#[test]
fn another_size_is_another_picture() {
    // Where there is a controlling terminal, its size is taken, which is not ours to change.
    if File::open("/dev/tty").is_ok() {
        return;
    }
    let mut terminal = Terminal::with("key");
    terminal.wait_for("Throughput");
    let size = Winsize { ws_row: 10, ws_col: 40, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal.theirs, size).unwrap();
    // What was not on the first screen; blanks are not drawn, so words stand alone.
    terminal.wait_for("second");
    terminal.press("q");
    assert!(terminal.end().success());
}

#[test]
fn a_panic_is_read_on_the_terminal_as_it_was() {
    let mut terminal = Terminal::with("panic");
    assert!(!terminal.end().success());
    assert!(terminal.afterwards().contains("the view's own thread"), "{}", terminal.afterwards());

    let mut terminal = Terminal::with("panic elsewhere");
    assert!(terminal.end().success());
    let after = terminal.afterwards();
    assert!(after.contains("another thread") && after.contains("a thread panicked"), "{after}");
}

#[test]
fn without_a_terminal_there_is_an_error() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["terminal::child", "--exact", "--nocapture"])
        .env(WAY_OUT, "over")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    // With a controlling terminal, that one is used.
    let has_terminal = File::open("/dev/tty").is_ok();
    assert!(has_terminal || error.contains("LEFT Err("), "{error}");
    assert!(has_terminal || !error.contains(ENTER), "{error:?}");
}
