//! The logs of an instance: their last lines, and those that come.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::Error;
use crate::layout;
use crate::options::Options;

/// A line longer than this is cut: a log may hold anything.
const LONGEST: usize = 64 * 1024;

/// The logs of an instance, read from where the last look ended.
#[derive(Debug)]
pub struct Logs {
    sources: Vec<Source>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Who wrote it: `endpoint`, or `database`, the server behind it.
    pub source: &'static str,
    /// The line, without its end.
    pub text: String,
}

#[derive(Debug)]
struct Source {
    name: &'static str,
    path: PathBuf,
    position: u64,
}

impl Logs {
    /// The logs of the instance that is meant, from their beginning.
    ///
    /// # Errors
    ///
    /// When the home cannot be worked out or belongs to another user.
    pub fn of(options: &Options) -> Result<Logs, Error> {
        let home = layout::locate(options)?;
        home.check_owner()?;
        let source = |name, path| Source { name, path, position: 0 };
        Ok(Logs {
            sources: vec![
                source("database", layout::server_log_file(&home)),
                source("endpoint", home.log_file()),
            ],
        })
    }

    /// The last `count` lines of each log. What is written later comes with [`more`](Self::more).
    ///
    /// # Errors
    ///
    /// When a log is there and cannot be read.
    pub fn last(&mut self, count: usize) -> Result<Vec<LogLine>, Error> {
        let mut lines = Vec::new();
        for source in &mut self.sources {
            let mut kept = VecDeque::new();
            source.read(&mut |line| {
                kept.push_back(line);
                if kept.len() > count {
                    kept.pop_front();
                }
            })?;
            lines.extend(kept);
        }
        Ok(lines)
    }

    /// The lines that were written since the last look; a log that was begun anew, from its beginning.
    ///
    /// # Errors
    ///
    /// When a log is there and cannot be read.
    pub fn more(&mut self) -> Result<Vec<LogLine>, Error> {
        let mut lines = Vec::new();
        for source in &mut self.sources {
            source.read(&mut |line| lines.push(line))?;
        }
        Ok(lines)
    }
}

impl Source {
    /// Reads whole lines from where the last look ended; half a line is left for the next look.
    fn read(&mut self, take: &mut dyn FnMut(LogLine)) -> Result<(), Error> {
        let Some(mut file) = open(&self.path)? else { return Ok(()) };
        let failed = |error| Error::io("reading", &self.path)(error);
        let length = file.metadata().map_err(failed)?.len();
        if length < self.position {
            self.position = 0;
        }
        file.seek(SeekFrom::Start(self.position)).map_err(failed)?;
        let mut reader = BufReader::new(file.take(length - self.position));
        loop {
            let mut line = Vec::new();
            let longest = u64::try_from(LONGEST).unwrap_or(u64::MAX);
            let read = (&mut reader).take(longest).read_until(b'\n', &mut line).map_err(failed)?;
            if line.last() != Some(&b'\n') && read < LONGEST {
                return Ok(());
            }
            self.position += u64::try_from(read).unwrap_or(0);
            while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                line.pop();
            }
            let text = String::from_utf8_lossy(&line).into_owned();
            take(LogLine { source: self.name, text });
        }
    }
}

/// A log that is not there yet is empty; whatever else is in its place is not waited for.
fn open(path: &Path) -> Result<Option<File>, Error> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Error::io("reading", path)(io::Error::from(error))),
    };
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        let what = "is not a file".to_owned();
        return Err(kecoa_server::Error::OddFile { path: path.to_path_buf(), what }.into());
    }
    Ok(Some(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;

    fn texts(lines: &[LogLine]) -> Vec<String> {
        lines.iter().map(|line| format!("{}:{}", line.source, line.text)).collect()
    }

    #[test]
    fn the_last_lines_then_those_that_come_and_a_log_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options { home: Some(dir.path().into()), ..Options::default() };
        options.name = Some("a".to_owned());
        let home = layout::create(&options).unwrap();
        let mut logs = Logs::of(&options).unwrap();
        assert!(logs.last(5).unwrap().is_empty(), "no log yet");
        let server = layout::server_log_file(&home);
        fs::write(&server, "one\ntwo\nthree\nhal").unwrap();
        fs::write(home.log_file(), "begun\n").unwrap();
        let mut logs = Logs::of(&options).unwrap();
        let last = logs.last(2).unwrap();
        assert_eq!(texts(&last), ["database:two", "database:three", "endpoint:begun"]);
        assert!(logs.more().unwrap().is_empty());
        let mut file = OpenOptions::new().append(true).open(&server).unwrap();
        file.write_all(b"f\r\nmore\xff\n").unwrap();
        let next = logs.more().unwrap();
        assert_eq!(texts(&next), ["database:half", "database:more\u{fffd}"]);
        fs::write(&server, "anew\n").unwrap();
        assert_eq!(texts(&logs.more().unwrap()), ["database:anew"]);
        assert!(Logs::of(&options).unwrap().last(0).unwrap().is_empty());
    }

    #[test]
    fn a_line_without_end_and_a_named_pipe_end() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options { home: Some(dir.path().into()), ..Options::default() };
        options.name = Some("a".to_owned());
        let home = layout::create(&options).unwrap();
        fs::write(home.log_file(), vec![b'x'; LONGEST + 5]).unwrap();
        let lines = Logs::of(&options).unwrap().last(9).unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].text.len(), LONGEST);
        fs::remove_file(home.log_file()).unwrap();
        let made = std::process::Command::new("mkfifo").arg(home.log_file()).status().unwrap();
        assert!(made.success());
        let error = Logs::of(&options).unwrap().last(9).unwrap_err().to_string();
        assert!(error.contains("is not a file"), "{error}");
    }
}
