//! `sslkeylogfile`: the keys of a session in a file, for tools that read captured traffic.
//!
//! Source: the key log format of NSS; PostgreSQL's documentation of libpq's option.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustls::KeyLog;

use crate::error::Error;

/// Appends to a file that only its owner may read.
#[derive(Debug)]
pub(super) struct KeyLogFile(File);

impl KeyLogFile {
    pub(super) fn open(path: &Path) -> Result<KeyLogFile, Error> {
        OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(KeyLogFile).map_err(
            |error| {
                let shown = path.display();
                Error::tls(format!("could not open SSL key logging file \"{shown}\""))
                    .with_source(error)
            },
        )
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = label.to_owned();
        for (before, bytes) in [(' ', client_random), (' ', secret)] {
            line.push(before);
            for byte in bytes {
                // Writing to a string does not fail.
                let _ = write!(line, "{byte:02x}");
            }
        }
        line.push('\n');
        // One write, so that several connections may share the file. A full disk must not end a
        // connection that works.
        let _ = (&self.0).write_all(line.as_bytes());
    }
}
