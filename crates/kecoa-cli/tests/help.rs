//! The help of every command, and the page of the documentation that is made of it.

// Helpers of tests count as tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod command;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use command::{command, kecoa, text};

/// What stands around the generated part of the page.
const MARKERS: [&str; 2] = ["<!-- commands: begin -->\n", "<!-- commands: end -->\n"];

fn help_of(command: &[&str]) -> String {
    let output = kecoa(&[command, &["--help"]].concat());
    assert!(output.status.success(), "{command:?}");
    assert!(output.stderr.is_empty(), "{command:?}");
    text(&output.stdout)
}

/// The commands below this one, as its help lists them.
fn below(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = list.take_while(|line| !line.is_empty()).filter_map(|line| {
        let name = line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?;
        name.split(' ').next().map(str::to_owned)
    });
    names.filter(|name| name != "help").collect()
}

/// Every command, the program itself first, each before those below it.
fn all() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut at = 0;
    while at < found.len() {
        let command: Vec<String> = found[at].clone();
        let names: Vec<&str> = command.iter().map(String::as_str).collect();
        let below = below(&help_of(&names)).into_iter();
        let below = below.map(|name| [command.clone(), vec![name]].concat());
        found.splice(at + 1..at + 1, below);
        at += 1;
    }
    found
}

#[test]
fn every_command_has_help_and_says_it_in_each_way() {
    let all = all();
    assert!(all.len() > 20, "{all:?}");
    for command in &all {
        let names: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = help_of(&names);
        assert!(help.contains("Usage: kecoa"), "{help}");
        assert!(help.contains("--json") && help.contains("--color"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
        let other = kecoa(&[&["help"], names.as_slice()].concat());
        assert_eq!(text(&other.stdout), help, "kecoa help {names:?}");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_reason_to_complain() {
    for names in all() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut child = command(&[names.as_slice(), &["--help"]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{names:?}");
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert!(kecoa(&["man", pages.to_str().unwrap()]).status.success());
    let page = text(&kecoa(&["man"]).stdout);
    assert!(page.contains(".TH kecoa 1"), "{page}");
    let commands = all();
    for names in &commands {
        let name = [&["kecoa".to_owned()], names.as_slice()].concat().join("-");
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page}");
        assert!(page.contains(".SH SYNOPSIS\n\\fBkecoa"), "{name}: {page}");
        assert_eq!(page.matches(".ie ").count(), 1, "{name}: {page}");
    }
    let start = std::fs::read_to_string(pages.join("kecoa-local-start.1")).unwrap();
    assert!(start.contains("[\\fB\\-\\-name\\fR\\ \\fINAME\\fR]\n"), "{start}");
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), commands.len());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = kecoa(&["completions", shell]);
        assert!(output.status.success() && output.stderr.is_empty());
        let script = text(&output.stdout);
        for name in commands.iter().filter_map(|names| names.last()) {
            assert!(script.contains(name.as_str()), "{shell}: {name}");
        }
    }
}

/// `KECOA_WRITE_DOCS=1` writes the pages.
#[test]
fn the_page_says_what_the_command_line_says() {
    let mut generated = String::new();
    for names in all() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let title = [&["kecoa"], names.as_slice()].concat().join(" ");
        let lines: Vec<String> =
            help_of(&names).lines().map(|line| line.trim_end().to_owned()).collect();
        write!(generated, "\n### {title}\n\n```text\n{}\n```\n", lines.join("\n")).unwrap();
    }
    generated.push('\n');
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for language in ["en", "id"] {
        let path = root.join(language).join("reference/command-line.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(MARKERS[0]).unwrap();
        let (shown, behind) = rest.split_once(MARKERS[1]).unwrap();
        if std::env::var_os("KECOA_WRITE_DOCS").is_some() {
            let page = [before, MARKERS[0], &generated, MARKERS[1], behind].concat();
            std::fs::write(&path, page).unwrap();
        } else {
            let wrong = "run `KECOA_WRITE_DOCS=1 cargo test -p kecoa-cli --test help`";
            assert!(shown == generated, "{}: {wrong}", path.display());
        }
    }
}
