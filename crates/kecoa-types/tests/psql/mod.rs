//! `psql`, so that no driver stands between.
//!
//! `KECOA_TEST_PSQL` is the path of `psql`, `KECOA_TEST_DSN` the connection string it gets.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a module of several test binaries, each of which uses a part of it"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use kecoa_types::text;

pub struct Psql {
    program: String,
    dsn: String,
    before: String,
    after: Option<String>,
}

impl Psql {
    /// `None`, with a line that says so, where there is no server to ask.
    pub fn of_tests(test: &str) -> Option<Psql> {
        match (std::env::var("KECOA_TEST_PSQL"), std::env::var("KECOA_TEST_DSN")) {
            (Ok(program), Ok(dsn)) => {
                Some(Psql { program, dsn, before: String::new(), after: None })
            }
            _ => {
                eprintln!("skipped: {test} needs KECOA_TEST_PSQL and KECOA_TEST_DSN");
                None
            }
        }
    }

    /// Another one whose scripts run in a schema of its own, dropped with it, in which `sql` ran.
    pub fn schema_named(&self, name: &str, sql: &str) -> Psql {
        let name = format!("kecoa_types_{name}_{}", std::process::id());
        let before = format!("set search_path to {name};\n");
        self.run(format!("create schema {name};\n{before}{sql}").as_bytes());
        Psql {
            program: self.program.clone(),
            dsn: self.dsn.clone(),
            before,
            after: Some(format!(
                "set client_min_messages to error;\ndrop schema {name} cascade;\n"
            )),
        }
    }

    /// Runs a script; each line of its output as columns of bytes, which were printed as digits.
    pub fn run(&self, script: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut child = Command::new(&self.program)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", "|", "-d", &self.dsn])
            .env("PGCLIENTENCODING", "UTF8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let script = [self.before.as_bytes(), script].concat();
        let writer = std::thread::spawn(move || stdin.write_all(&script).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let field = |bytes: &[u8]| text::bytea::decode(&[br"\x", bytes].concat()).unwrap();
        output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| line.split(|byte| *byte == b'|').map(field).collect())
            .collect()
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        if let Some(sql) = self.after.take() {
            self.run(sql.as_bytes());
        }
    }
}

/// Appends a field of COPY's text format.
pub fn push_copied(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte => out.push(*byte),
        }
    }
}

/// A file of its own for a while.
pub struct File(PathBuf);

static FILES: AtomicU32 = AtomicU32::new(0);

impl File {
    pub fn new(content: &[u8]) -> File {
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("kecoa-types-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        File(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
