//! What is asked of the server about large objects, and files that become objects or come of them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use bytes::Bytes;
use kecoa::Interrupt;
use kecoa::blocking::Client;
use kecoa_proto::{Format, Parameter, Request};

use super::mode::{READ, WRITE};

/// The server's functions, by their oids in `pg_proc`.
pub(super) mod function {
    pub(in super::super) const OPEN: u32 = 952;
    pub(in super::super) const CLOSE: u32 = 953;
    pub(in super::super) const READ: u32 = 954;
    pub(in super::super) const WRITE: u32 = 955;
    pub(in super::super) const CREAT: u32 = 957;
    pub(in super::super) const UNLINK: u32 = 964;
    pub(in super::super) const CREATE: u32 = 715;
    pub(in super::super) const SEEK: u32 = 3170;
    pub(in super::super) const TELL: u32 = 3171;
    pub(in super::super) const TRUNCATE: u32 = 3172;
}

/// How much one message carries: neither side has to hold a whole object more than once.
const CHUNK: usize = 4 << 20;

/// Calls on the server, one after the other, on a client that is locked.
pub(super) struct Calls<'a> {
    pub(super) client: &'a mut Client,
    pub(super) hook: &'a mut dyn Interrupt,
}

/// A descriptor or number as the server gives it.
pub(super) fn number<const N: usize>(value: &[u8]) -> Result<[u8; N], kecoa::Error> {
    value.try_into().map_err(|_| {
        kecoa::Error::usage(format!("expected {N} bytes of a number, found {}", value.len()))
    })
}

impl Calls<'_> {
    pub(super) fn call(&mut self, oid: u32, args: &[&[u8]]) -> Result<Bytes, kecoa::Error> {
        let args: Vec<_> = args
            .iter()
            .map(|value| Parameter { format: Format::Binary, value: Some(value) })
            .collect();
        let request = Request::FunctionCall { oid, args: &args, result: Format::Binary };
        let results = self.client.run(&request, self.hook)?;
        Ok(results
            .into_iter()
            .find_map(|result| result.function_result)
            .flatten()
            .unwrap_or_default())
    }

    pub(super) fn int4(&mut self, oid: u32, args: &[&[u8]]) -> Result<i32, kecoa::Error> {
        self.call(oid, args).and_then(|value| number(&value).map(i32::from_be_bytes))
    }

    pub(super) fn int8(&mut self, oid: u32, args: &[&[u8]]) -> Result<i64, kecoa::Error> {
        self.call(oid, args).and_then(|value| number(&value).map(i64::from_be_bytes))
    }

    pub(super) fn open(&mut self, oid: u32, flags: i32) -> Result<i32, kecoa::Error> {
        self.int4(function::OPEN, &[&oid.to_be_bytes(), &flags.to_be_bytes()])
    }

    pub(super) fn close(&mut self, descriptor: i32) -> Result<(), kecoa::Error> {
        self.int4(function::CLOSE, &[&descriptor.to_be_bytes()]).map(drop)
    }

    /// A new object, with an oid of the server's choice when `oid` is 0.
    pub(super) fn create(&mut self, oid: u32) -> Result<u32, kecoa::Error> {
        let value = if oid == 0 {
            self.call(function::CREAT, &[&(READ | WRITE).to_be_bytes()])?
        } else {
            self.call(function::CREATE, &[&oid.to_be_bytes()])?
        };
        number(&value).map(u32::from_be_bytes)
    }

    pub(super) fn write(&mut self, descriptor: i32, data: &[u8]) -> Result<usize, kecoa::Error> {
        let mut written = 0usize;
        for chunk in data.chunks(CHUNK) {
            let count = self.int4(function::WRITE, &[&descriptor.to_be_bytes(), chunk])?;
            let count = usize::try_from(count).unwrap_or(0);
            written = written.saturating_add(count);
            if count < chunk.len() {
                break;
            }
        }
        Ok(written)
    }

    /// Gives what is read to `sink`, at most `limit` bytes.
    pub(super) fn read(
        &mut self,
        descriptor: i32,
        limit: Option<usize>,
        mut sink: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<io::Result<()>, kecoa::Error> {
        let mut left = limit.unwrap_or(usize::MAX);
        while left > 0 {
            let wanted = left.min(CHUNK);
            let length = i32::try_from(wanted).unwrap_or(i32::MAX);
            let args: [&[u8]; 2] = [&descriptor.to_be_bytes(), &length.to_be_bytes()];
            let data = self.call(function::READ, &args)?;
            if let Err(error) = sink(&data) {
                return Ok(Err(error));
            }
            if data.len() < wanted {
                break;
            }
            left -= wanted;
        }
        Ok(Ok(()))
    }
}

/// What went wrong with an object: on the server, or with a file here.
pub(super) enum Failure {
    Server(kecoa::Error),
    File(String),
}

impl From<kecoa::Error> for Failure {
    fn from(error: kecoa::Error) -> Failure {
        Failure::Server(error)
    }
}

/// libpq's words about a file that fails.
pub(super) fn file_failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    Failure::File(format!("could not {what} file \"{}\": {text}\n", path.display()))
}

pub(super) fn import(calls: &mut Calls<'_>, path: &Path) -> Result<u32, Failure> {
    let mut file = File::open(path).map_err(|error| file_failed("open", path, &error))?;
    let oid = calls.create(0)?;
    let descriptor = calls.open(oid, WRITE)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        let count =
            file.read(&mut buffer).map_err(|error| file_failed("read from", path, &error))?;
        if count == 0 {
            break;
        }
        calls.write(descriptor, buffer.get(..count).unwrap_or_default())?;
    }
    calls.close(descriptor)?;
    Ok(oid)
}

pub(super) fn export(calls: &mut Calls<'_>, oid: u32, path: &Path) -> Result<(), Failure> {
    let descriptor = calls.open(oid, READ)?;
    let mut file = File::create(path).map_err(|error| file_failed("open", path, &error))?;
    calls
        .read(descriptor, None, |data| file.write_all(data))?
        .map_err(|error| file_failed("write to", path, &error))?;
    calls.close(descriptor)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{file_failed, number};

    #[test]
    fn says_what_failed_as_libpq_does() {
        let error = std::io::Error::from_raw_os_error(2);
        let super::Failure::File(text) = file_failed("open", "/no/such".as_ref(), &error) else {
            panic!("a file failed");
        };
        assert_eq!(text, "could not open file \"/no/such\": No such file or directory\n");
    }

    #[test]
    fn a_number_has_its_length() {
        assert_eq!(number::<4>(&[0, 0, 1, 0]).unwrap(), [0, 0, 1, 0]);
        assert!(number::<4>(&[0, 0, 1]).is_err());
        assert!(number::<8>(&[0; 4]).is_err());
    }
}
