//! Where results go: the terminal, a pager, a file.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::escape;
use crate::say::note;

/// The size of the terminal on standard output: columns and rows.
pub(crate) fn terminal_size() -> Option<(usize, usize)> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
    let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
    (columns > 0 && rows > 0).then_some((columns, rows))
}

/// The pager's command line: `$KECOA_PAGER`, `$PAGER`, or `less` where it is installed. An empty variable
/// is none.
pub(crate) fn pager() -> Option<String> {
    for name in ["KECOA_PAGER", "PAGER"] {
        if let Ok(value) = std::env::var(name) {
            return Some(value).filter(|value| !value.trim().is_empty());
        }
    }
    let folders = std::env::var_os("PATH")?;
    let installed = std::env::split_paths(&folders).any(|folder| folder.join("less").is_file());
    installed.then(|| "less".to_owned())
}

/// A path as it is typed: `~/` is the home directory.
pub(crate) fn home_expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) if !home.is_empty() => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// A file of the shell's own, such as its history.
pub(crate) fn file(path: &str) -> Result<BufWriter<File>, String> {
    let path = home_expanded(path);
    match File::create(&path) {
        Ok(file) => Ok(BufWriter::new(file)),
        Err(error) => Err(format!("cannot write {}: {error}", path.display())),
    }
}

/// The terminal, with a pager behind it once the text does not fit.
pub(crate) struct Paged {
    command: Option<String>,
    columns: usize,
    rows: usize,
    held: Vec<u8>,
    lines: usize,
    line_start: usize,
    running: Option<Child>,
    direct: bool,
}

impl Paged {
    /// With a pager, where there is one to use.
    pub(crate) fn new(pager: Option<String>) -> Paged {
        let (columns, rows) = terminal_size().unwrap_or((80, 24));
        Paged {
            direct: pager.is_none(),
            command: pager,
            columns,
            rows,
            held: Vec::new(),
            lines: 0,
            line_start: 0,
            running: None,
        }
    }

    fn is_too_large(&self) -> bool {
        self.lines + 2 > self.rows
    }

    fn start(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if let Some(pager) = self.command.take() {
            let mut command = Command::new("sh");
            command.arg("-c").arg(&pager).stdin(Stdio::piped());
            if std::env::var_os("LESS").is_none() {
                // Colours, lines that scroll to the right, and the screen left as it was.
                command.env("LESS", "RSX");
            }
            match command.spawn() {
                Ok(child) => self.running = Some(child),
                Err(error) => {
                    note(&format!("cannot run the pager {pager}: {error}"));
                    self.direct = true;
                }
            }
        }
        self.put(&held)
    }

    fn put(&mut self, data: &[u8]) -> io::Result<()> {
        match self.running.as_mut().and_then(|child| child.stdin.as_mut()) {
            Some(pipe) => pipe.write_all(data),
            None => io::stdout().lock().write_all(data),
        }
    }

    /// Writes what is held, and waits for the pager to be left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        let written = self.put(&held).and_then(|()| io::stdout().flush());
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            // Ctrl-C belongs to the pager while it runs.
            let _ = child.wait();
            return Ok(());
        }
        written
    }
}

impl Write for Paged {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.direct || self.running.is_some() {
            self.put(data)?;
            return Ok(data.len());
        }
        for byte in data {
            self.held.push(*byte);
            if *byte == b'\n' {
                let line = self.held.get(self.line_start..).unwrap_or_default();
                let text = String::from_utf8_lossy(line);
                let width = visible_width(text.trim_end());
                self.lines += width.div_ceil(self.columns).max(1);
                self.line_start = self.held.len();
                if width > self.columns {
                    self.lines = self.lines.max(self.rows);
                }
            }
        }
        if self.is_too_large() {
            self.start()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The width of text with colours.
fn visible_width(text: &str) -> usize {
    let mut width = 0;
    let mut rest = text;
    while let Some((plain, behind)) = rest.split_once("\x1b[") {
        width += escape::width(plain);
        rest = behind.split_once('m').map_or("", |(_, rest)| rest);
    }
    width + escape::width(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_take_no_room() {
        assert_eq!(visible_width("a\x1b[1;31mbc\x1b[0md"), 4);
        assert_eq!(visible_width("日本"), 4);
    }
}
