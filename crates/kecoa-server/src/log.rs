//! The log of a process in the background: appended to, bounded, and its last lines.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::error::Error;
use crate::files;

/// A log longer than this is begun anew at the next start.
const LOG_LIMIT: u64 = 8 << 20;

/// Opens a log to append to; one that has grown too long is begun anew.
///
/// # Errors
/// When something else than a file of ours is there, or it cannot be written.
pub fn open(path: &Path) -> Result<File, Error> {
    let mut file = files::open_to_write(path, true)?;
    if file.metadata().is_ok_and(|meta| meta.len() > LOG_LIMIT) {
        file.set_len(0).map_err(Error::io("emptying", path))?;
        file.write_all(b"(begun anew)\n").map_err(Error::io("writing", path))?;
    }
    Ok(file)
}

/// The last lines of a log from `start` on, at most 2 kB.
pub fn tail(path: &Path, start: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        use std::io::{Seek as _, SeekFrom};
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(end.saturating_sub(2_000)).min(end)))?;
        let mut bytes = Vec::new();
        file.take(2_000).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_long_log_is_begun_anew_and_its_tail_is_short() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, vec![b'x'; usize::try_from(LOG_LIMIT).unwrap() + 1]).unwrap();
        assert_eq!(tail(&path, 0).len(), 2_000);
        drop(open(&path).unwrap());
        assert_eq!(tail(&path, 0), "(begun anew)");
        assert_eq!(tail(&path, 999_999), "");
    }
}
