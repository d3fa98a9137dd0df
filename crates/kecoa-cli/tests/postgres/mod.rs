//! A folder for the tests that need PostgreSQL's programs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use kecoa_local::Options;
use kecoa_local::postgres::{Binaries, RunAs, Search};

/// A folder that every user may enter, since the server runs as another one for root. `None`, and a word about
/// it, where there is no PostgreSQL to test with.
pub(crate) fn folder(prefix: &str, test: &str) -> Option<tempfile::TempDir> {
    let directory = tempfile::Builder::new().prefix(prefix).tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut options = Options::default();
    options.binaries = std::env::var_os("KECOA_POSTGRES_BIN").map(PathBuf::from);
    let found = RunAs::choose().and_then(|run_as| {
        Binaries::find(&Search::new(&options), &run_as, &directory.path().join("copies"))
    });
    if let Err(error) = found {
        eprintln!("skipped {test}: no PostgreSQL to test with: {error}");
        return None;
    }
    Some(directory)
}
