//! The live view on a terminal: a pseudo-terminal, and this test program itself as the child on it.
//!
//! `child` does nothing unless the environment says what; the other tests run it.

use std::fs::File;
use std::process::{Command, ExitStatus};

use kecoa_pty::{ENTER, LEAVE, SHOW, Terminal};
use kecoa_workload::End;
use kecoa_workload::live::{Left, watch};

use crate::scripted::{busy, summary_of};

const WAY_OUT: &str = "KECOA_TEST_LIVE";

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

/// This test program on a terminal, with the view in it.
fn view(way_out: &str) -> Terminal {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["terminal::child", "--exact", "--nocapture", "--test-threads=1"]);
    Terminal::start(command.env(WAY_OUT, way_out).env_remove("NO_COLOR"), None)
}

/// Presses keys once the view is there.
fn press(terminal: &mut Terminal, keys: &str) {
    terminal.wait_for(ENTER);
    terminal.wait_for("Throughput");
    terminal.press(keys);
}

/// Waits for the child's end; checks that the terminal is as it was.
fn end(terminal: &mut Terminal) -> ExitStatus {
    terminal.wait_for("test result");
    let status = terminal.child.wait().unwrap();
    terminal.assert_as_it_was();
    assert_eq!(terminal.output.matches(LEAVE).count(), 1);
    let after = terminal.afterwards();
    assert!(after.contains(SHOW), "the cursor is hidden: {after:?}");
    status
}

#[test]
fn the_end_of_the_run_gives_the_terminal_back() {
    for way_out in ["over", "unwanted"] {
        let mut terminal = view(way_out);
        assert!(end(&mut terminal).success());
        assert!(terminal.afterwards().contains("LEFT Ok(Over)"), "{}", terminal.afterwards());
    }
}

#[test]
fn q_and_ctrl_c_end_the_view() {
    for (key, left) in [("q", Left::Quit), ("xQ", Left::Quit), ("\u{3}", Left::Interrupted)] {
        let mut terminal = view("key");
        press(&mut terminal, key);
        assert!(end(&mut terminal).success());
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
    let mut terminal = view("key");
    terminal.wait_for("Throughput");
    terminal.resize(10, 40);
    // What was not on the first screen; blanks are not drawn, so words stand alone.
    terminal.wait_for("second");
    press(&mut terminal, "q");
    assert!(end(&mut terminal).success());
}

#[test]
fn a_panic_is_read_on_the_terminal_as_it_was() {
    let mut terminal = view("panic");
    assert!(!end(&mut terminal).success());
    assert!(terminal.afterwards().contains("the view's own thread"), "{}", terminal.afterwards());

    let mut terminal = view("panic elsewhere");
    assert!(end(&mut terminal).success());
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
