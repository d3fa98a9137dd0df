//! What an instance keeps between its runs, beside its data: its port, and the folder it was made for.

use std::path::PathBuf;

use kecoa_server::files::{self, Found};
use kecoa_server::home::Home;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layout;

/// A longer file was not written by us.
const LONGEST: u64 = 16 * 1024;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The port that it takes again, so that its URL stays.
    #[serde(default)]
    pub(crate) port: Option<u16>,
    /// The folder whose file named it first.
    #[serde(default)]
    pub(crate) folder: Option<PathBuf>,
}

impl Record {
    /// What an instance has kept. What cannot be read or understood is nothing: it only makes starts
    /// more convenient.
    pub(crate) fn read(home: &Home) -> Record {
        let us = rustix::process::geteuid().as_raw();
        match files::read(&layout::record_file(home), LONGEST, us) {
            Ok(Found::Bytes(bytes)) => serde_json::from_slice(&bytes).unwrap_or_default(),
            _ => Record::default(),
        }
    }

    /// Keeps it, unless that is what is kept already.
    ///
    /// # Errors
    ///
    /// When the instance's directory cannot be written.
    pub(crate) fn write(&self, home: &Home) -> Result<(), Error> {
        let path = layout::record_file(home);
        if *self == Record::read(home) {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(std::io::Error::other)
            .map_err(Error::io("writing", &path))?;
        bytes.push(b'\n');
        Ok(files::put(&path, &bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn what_is_kept_is_read_and_garbage_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            home: Some(dir.path().into()),
            name: Some("a".to_owned()),
            ..Options::default()
        };
        let home = layout::create(&options).unwrap();
        assert_eq!(Record::read(&home), Record::default());
        let record = Record { port: Some(5000), folder: Some("/a b".into()) };
        record.write(&home).unwrap();
        assert_eq!(Record::read(&home), record);
        for garbage in ["", "{", "[]", "{\"port\": 70000}"] {
            std::fs::write(layout::record_file(&home), garbage).unwrap();
            assert_eq!(Record::read(&home), Record::default(), "{garbage}");
        }
    }
}
