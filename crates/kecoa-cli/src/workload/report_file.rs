//! The file of `--report`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use kecoa_workload::Summary;

use crate::failure::Failure;

/// The file of the report, of which is known that it can be written. What was made for nothing is removed again.
pub(super) struct ReportFile {
    path: PathBuf,
    /// Whether it was made here, and has nothing in it.
    is_empty: bool,
}

impl ReportFile {
    /// Opens the file, so that a path that cannot be written is found before the run and not behind it. What is
    /// in it stays until there is a report.
    pub(super) fn open(path: &Path) -> Result<ReportFile, Failure> {
        if path == Path::new("-") {
            return Err(Failure::Usage(
                "--report writes a file: name one, such as run.html; standard output has the summary, with --json as JSON"
                    .to_owned(),
            ));
        }
        let is_empty = !path.exists();
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.map_err(|error| failure(path, &error))?;
        Ok(ReportFile { path: path.to_owned(), is_empty })
    }

    /// Writes the report.
    pub(super) fn write(mut self, summary: &Summary) -> Result<PathBuf, Failure> {
        let written = fs::File::create(&self.path)
            .and_then(|mut file| file.write_all(summary.to_html().as_bytes()));
        written.map_err(|error| failure(&self.path, &error))?;
        self.is_empty = false;
        Ok(std::mem::take(&mut self.path))
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        if self.is_empty {
            // It is as good as not there.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::Other(format!("cannot write the report {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_found_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for wrong in [folder.path().join("nowhere/run.html"), folder.path().to_owned()] {
            let failed = ReportFile::open(&wrong).err().unwrap();
            assert!(failed.to_string().contains("cannot write the report"), "{failed}");
        }
        let refused = ReportFile::open(Path::new("-")).err().unwrap();
        assert_eq!(refused.status(), 2);
    }

    #[test]
    fn nothing_is_left_of_a_run_that_did_not_begin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.html");
        drop(ReportFile::open(&path).unwrap());
        assert!(!path.exists());
        fs::write(&path, "of yesterday").unwrap();
        drop(ReportFile::open(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "of yesterday");
        ReportFile::open(&path).unwrap().write(&Summary::default()).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("<!"));
    }
}
