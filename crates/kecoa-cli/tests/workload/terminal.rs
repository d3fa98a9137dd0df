//! The live view on a terminal that a signal takes away from it.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use kecoa_pty::{ENTER, LEAVE, SHOW, Terminal};

use super::{Home, send};

const SHORT: [&str; 5] = ["workload", "run", "kv", "--duration", "1s"];

/// A run on a terminal; standard output may be elsewhere.
fn run(home: &Home, arguments: &[&str], term: Option<&str>, output: Option<Stdio>) -> Terminal {
    let mut command = home.command(arguments);
    command.env_remove("TERM").envs(term.map(|term| ("TERM", term)));
    Terminal::start(&mut command, output)
}

pub(crate) fn signals_leave_the_terminal_as_it_was(home: &Home) {
    for (signal, number) in [("-HUP", 1), ("-TERM", 15), ("-INT", 2)] {
        let mut terminal = run(home, &["workload", "run", "kv"], Some("xterm"), None);
        terminal.wait_for(ENTER);
        terminal.wait_for("Throughput");
        send(&terminal.child, signal);
        // The view has gone before the run has ended, so that a second signal finds no view.
        terminal.wait_for(SHOW);
        terminal.wait_for("interrupted after");
        let status = terminal.child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "{signal}: {}", terminal.output);
        terminal.assert_as_it_was();
        assert!(terminal.output.contains(LEAVE), "{}", terminal.output);
        let behind = terminal.afterwards();
        assert!(behind.contains("interrupted after"), "{behind}");
    }
}

pub(crate) fn ctrl_c_in_the_view_is_as_the_signal(home: &Home) {
    let mut terminal = run(home, &["workload", "run", "kv"], Some("xterm"), None);
    terminal.wait_for("Throughput");
    terminal.press("\x03");
    terminal.wait_for("interrupted after");
    assert_eq!(terminal.child.wait().unwrap().signal(), Some(2), "{}", terminal.output);
    terminal.assert_as_it_was();
}

pub(crate) fn a_reader_of_the_summary_that_has_gone(home: &Home) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Some(Stdio::from(writer));
    let mut terminal = run(home, &SHORT, Some("xterm"), output);
    terminal.wait_for(SHOW);
    assert_eq!(terminal.child.wait().unwrap().code(), Some(1), "{}", terminal.output);
    terminal.assert_as_it_was();
    assert!(!terminal.output.contains("panicked"), "{}", terminal.output);
}

pub(crate) fn a_terminal_without_a_cursor_has_no_view(home: &Home) {
    for term in [None, Some(""), Some("dumb")] {
        let mut terminal = run(home, &SHORT, term, None);
        terminal.wait_for("completed after");
        assert!(terminal.child.wait().unwrap().success(), "{term:?}");
        assert!(!terminal.output.contains("\u{1b}[?"), "{term:?}: {:?}", terminal.output);
        terminal.assert_as_it_was();
    }
}
