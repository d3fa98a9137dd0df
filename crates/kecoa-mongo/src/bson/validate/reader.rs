//! Reads a document byte by byte, and believes nothing.

use super::error::InvalidDocument;

type Checked<T> = Result<T, InvalidDocument>;

pub(super) struct Reader<'doc> {
    bytes: &'doc [u8],
    at: usize,
    /// Where the innermost document ends.
    end: usize,
    max_depth: usize,
}

impl<'doc> Reader<'doc> {
    pub(super) fn new(bytes: &'doc [u8], max_depth: usize) -> Self {
        Self { bytes, at: 0, end: bytes.len(), max_depth }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Checked<()> {
        let rest = self.end - self.at;
        if rest == 0 { Ok(()) } else { Err(malformed(self.at, "the end", length_found(rest))) }
    }

    /// A document or an array, on the level `depth`.
    pub(super) fn document(&mut self, depth: usize) -> Checked<()> {
        if depth > self.max_depth {
            return Err(InvalidDocument::TooDeep { at: self.at, most: self.max_depth });
        }
        let outer = self.enter("the length of a document", 5)?;
        loop {
            let (at, kind) = (self.at, self.byte("an element or the end of a document")?);
            if kind == 0 {
                break;
            }
            self.cstring("a name in UTF-8 that ends with a zero")?;
            self.value(kind, at, depth)?;
        }
        self.leave(outer)
    }

    fn value(&mut self, kind: u8, at: usize, depth: usize) -> Checked<()> {
        match kind {
            // undefined, null, the least and the greatest key
            0x06 | 0x0a | 0x7f | 0xff => Ok(()),
            // int32
            0x10 => self.skip(4, "4 bytes"),
            // double, date, timestamp, int64
            0x01 | 0x09 | 0x11 | 0x12 => self.skip(8, "8 bytes"),
            0x07 => self.skip(12, "an object id"),
            0x13 => self.skip(16, "a decimal"),
            0x08 => {
                let at = self.at;
                match self.byte("false or true")? {
                    0 | 1 => Ok(()),
                    other => Err(malformed(at, "0 or 1 for false or true", other.into())),
                }
            }
            // string, code, symbol
            0x02 | 0x0d | 0x0e => self.string(),
            0x03 | 0x04 => self.document(depth + 1),
            0x05 => self.binary(),
            0x0b => {
                self.cstring("a pattern in UTF-8 that ends with a zero")?;
                self.cstring("options in UTF-8 that end with a zero")
            }
            0x0c => {
                self.string()?;
                self.skip(12, "an object id")
            }
            0x0f => {
                let outer = self.enter("the length of code with scope", 14)?;
                self.string()?;
                self.document(depth + 1)?;
                self.leave(outer)
            }
            other => Err(malformed(at, "a type of BSON", other.into())),
        }
    }

    fn binary(&mut self) -> Checked<()> {
        let length = self.length("the length of binary data", 0)?;
        if self.byte("a subtype of binary data")? != 2 {
            return self.skip(length, "binary data of its length");
        }
        let at = self.at;
        let expected = "an inner length of 4 bytes less";
        let inner = self.length(expected, 0)?;
        if length.checked_sub(4) != Some(inner) {
            return Err(malformed(at, expected, length_found(inner)));
        }
        self.skip(inner, "binary data of its length")
    }

    /// Text with its length and a zero at the end.
    fn string(&mut self) -> Checked<()> {
        let length = self.length("the length of text and a zero", 1)?;
        let at = self.at;
        let text = self.take(length, "text of its length")?;
        match text.split_last() {
            Some((0, text)) => utf8(at, text, "text in UTF-8"),
            last => {
                let found = last.map_or(-1, |(last, _)| i64::from(*last));
                Err(malformed(self.at - 1, "a zero after text", found))
            }
        }
    }

    fn cstring(&mut self, expected: &'static str) -> Checked<()> {
        let at = self.at;
        let rest = self.bytes.get(at..self.end).unwrap_or(&[]);
        let Some(length) = rest.iter().position(|byte| *byte == 0) else {
            return Err(malformed(at, expected, length_found(rest.len())));
        };
        self.at += length + 1;
        utf8(at, rest.get(..length).unwrap_or(&[]), expected)
    }

    /// Go into what begins with its length. Returns where that which is around it ends.
    fn enter(&mut self, expected: &'static str, least: usize) -> Checked<usize> {
        let at = self.at;
        let length = self.length(expected, least)?;
        if length > self.end - at {
            return Err(malformed(at, "a length within the document", length_found(length)));
        }
        Ok(std::mem::replace(&mut self.end, at + length))
    }

    fn leave(&mut self, outer: usize) -> Checked<()> {
        self.end()?;
        self.end = outer;
        Ok(())
    }

    fn length(&mut self, expected: &'static str, least: usize) -> Checked<usize> {
        let at = self.at;
        let bytes = self.take(4, expected)?;
        let length = bytes.first_chunk().map_or(-1, |bytes| i32::from_le_bytes(*bytes));
        match usize::try_from(length) {
            Ok(length) if length >= least => Ok(length),
            _ => Err(malformed(at, expected, length.into())),
        }
    }

    fn byte(&mut self, expected: &'static str) -> Checked<u8> {
        Ok(self.take(1, expected)?.first().copied().unwrap_or(0))
    }

    fn skip(&mut self, length: usize, expected: &'static str) -> Checked<()> {
        self.take(length, expected).map(|_| ())
    }

    fn take(&mut self, length: usize, expected: &'static str) -> Checked<&'doc [u8]> {
        let rest = self.bytes.get(self.at..self.end).unwrap_or(&[]);
        let taken = rest.get(..length);
        let taken = taken.ok_or(malformed(self.at, expected, length_found(rest.len())))?;
        self.at += length;
        Ok(taken)
    }
}

fn utf8(at: usize, text: &[u8], expected: &'static str) -> Checked<()> {
    std::str::from_utf8(text).map(|_| ()).map_err(|error| {
        let valid = error.valid_up_to();
        malformed(at + valid, expected, text.get(valid).copied().unwrap_or(0).into())
    })
}

fn malformed(at: usize, expected: &'static str, found: i64) -> InvalidDocument {
    InvalidDocument::Malformed { at, expected, found }
}

fn length_found(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
