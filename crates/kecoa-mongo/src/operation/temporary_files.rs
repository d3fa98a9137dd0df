//! Temporary files, which hold what does not fit in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};

use crate::aggregate::{Run, Spill};
use crate::error::{Code, Error};

/// Files of the system's directory for temporary ones. They have no name, so that nothing is left of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct TemporaryFiles;

#[derive(Debug)]
enum TemporaryFile {
    Written(BufWriter<File>),
    Read(BufReader<File>),
}

impl Spill for TemporaryFiles {
    fn begin(&self) -> Result<Box<dyn Run>, Error> {
        let file = tempfile::tempfile().map_err(|error| failed(&error))?;
        Ok(Box::new(TemporaryFile::Written(BufWriter::new(file))))
    }
}

impl Run for TemporaryFile {
    fn write(&mut self, record: &[u8]) -> Result<(), Error> {
        let Self::Written(file) = self else { return Ok(()) };
        let length = u64::try_from(record.len()).unwrap_or(u64::MAX).to_le_bytes();
        file.write_all(&length)
            .and_then(|()| file.write_all(record))
            .map_err(|error| failed(&error))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        let mut file = match self {
            Self::Written(file) => file
                .flush()
                .and_then(|()| file.get_ref().try_clone())
                .map_err(|error| failed(&error))?,
            Self::Read(file) => file.get_ref().try_clone().map_err(|error| failed(&error))?,
        };
        file.rewind().map_err(|error| failed(&error))?;
        *self = Self::Read(BufReader::new(file));
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Self::Read(file) = self else { return Ok(None) };
        read_record(file).map_err(|error| failed(&error))
    }
}

fn read_record(file: &mut BufReader<File>) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match file.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
    let mut record = vec![0; length];
    file.read_exact(&mut record)?;
    Ok(Some(record))
}

fn failed(error: &io::Error) -> Error {
    let code = match error.kind() {
        ErrorKind::StorageFull => Code::OUT_OF_DISK_SPACE,
        _ => Code::FILE_STREAM_FAILED,
    };
    Error::new(code, format!("a temporary file failed: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        let mut run = TemporaryFiles.begin().unwrap();
        let records = [b"one".to_vec(), Vec::new(), vec![7; 100_000]];
        for record in &records {
            run.write(record).unwrap();
        }
        for _ in 0..2 {
            run.rewind().unwrap();
            for record in &records {
                assert_eq!(run.read().unwrap().as_ref(), Some(record));
            }
            assert_eq!(run.read().unwrap(), None);
        }
    }
}
