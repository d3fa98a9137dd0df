//! The rows of a `COPY … FROM STDIN`, on their way from the client.

use bytes::{Bytes, BytesMut};

use crate::dialect::plan::CopyForm;

/// Rows on their way. Of CSV, a last line `\.` is the end and no row, as in CockroachDB and in
/// PostgreSQL up to 17, whose psql sends it.
#[derive(Debug)]
pub(super) struct CopyRows {
    csv: bool,
    /// What may be the beginning of that line.
    held: BytesMut,
    /// A quoted value is open where `held` begins.
    quoted: bool,
    /// `held` begins a line.
    line: bool,
}

/// Beginnings of the line that ends CSV.
const ENDS: [&[u8]; 5] = [b"\\.\r\n", b"\\.\n", b"\\.\r", b"\\.", b"\\"];

impl CopyRows {
    pub(super) fn of(form: CopyForm) -> Self {
        let csv = form == CopyForm::Csv;
        Self { csv, held: BytesMut::new(), quoted: false, line: true }
    }

    /// Takes what the client sent; returns what is for PostgreSQL.
    pub(super) fn take(&mut self, data: Bytes) -> Bytes {
        if !self.csv {
            return data;
        }
        let mut all = if self.held.is_empty() {
            data
        } else {
            self.held.extend_from_slice(&data);
            self.held.split().freeze()
        };
        let held = ENDS
            .iter()
            .filter(|end| all.ends_with(end))
            .map(|end| all.len() - end.len())
            .find(|at| match at.checked_sub(1).and_then(|before| all.get(before)) {
                Some(before) => *before == b'\n',
                None => self.line,
            })
            .filter(|at| {
                let quotes =
                    all.get(..*at).map_or(0, |sent| memchr::memchr_iter(b'"', sent).count());
                self.quoted == (quotes % 2 == 1)
            });
        let at = held.unwrap_or(all.len());
        self.held.extend_from_slice(&all.split_off(at));
        if let Some(last) = all.last() {
            self.line = *last == b'\n';
            self.quoted ^= memchr::memchr_iter(b'"', &all).count() % 2 == 1;
        }
        all
    }

    /// The client has sent all: returns what is left for PostgreSQL.
    pub(super) fn finish(&mut self) -> Bytes {
        let held = self.held.split().freeze();
        if held.starts_with(b"\\.") { Bytes::new() } else { held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(parts: &[&str]) -> String {
        let mut rows = CopyRows::of(CopyForm::Csv);
        let mut out = Vec::new();
        for part in parts {
            out.extend_from_slice(&rows.take(Bytes::copy_from_slice(part.as_bytes())));
        }
        out.extend_from_slice(&rows.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_last_line_is_the_end() {
        assert_eq!(passed(&["1,a\n\\.\n"]), "1,a\n");
        assert_eq!(passed(&["1,a\r\n", "\\", ".", "\r", "\n"]), "1,a\r\n");
        assert_eq!(passed(&["\\."]), "");
        assert_eq!(passed(&["1,\"a\"\n\\.\n"]), "1,\"a\"\n");
    }

    #[test]
    fn anything_else_is_data() {
        for data in
            ["1,a\\.\n", "\\.\n1,a\n", "1,\"a\n\\.\n", "\\", "1\n\\", "1,\"a\n\\.\n\"\n", ""]
        {
            assert_eq!(passed(&[data]), data);
            let bytes: Vec<String> = data.chars().map(String::from).collect();
            let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
            assert_eq!(passed(&bytes), data, "byte by byte");
        }
        let mut text = CopyRows::of(CopyForm::Other);
        assert_eq!(text.take(Bytes::from_static(b"\\.\n")), "\\.\n");
    }
}
