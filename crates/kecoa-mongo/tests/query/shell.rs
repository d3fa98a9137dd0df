//! A reader of documents as MongoDB's shell writes them: `{a: [1, 2.5, 3L, /x/i, dec("1.0"), null]}`.
//!
//! Whole numbers are int32, `3L` is int64, numbers with a point or an exponent are doubles. Functions: `dec`, `oid`
//! (a number for all its bytes), `date`, `ts`, `bin(subtype, "hex")`, `sym`, `code`, `scoped`, `ptr`.

use bson::RawDocumentBuf;
use kecoa_mongo::bson::decimal128::Decimal;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

pub(crate) fn document(text: &str) -> RawDocumentBuf {
    let mut reader = Reader { text: text.as_bytes(), at: 0 };
    reader.skip();
    let bytes = reader.fields(b'{', b'}');
    reader.skip();
    assert_eq!(reader.at, text.len(), "something stands behind: {text}");
    RawDocumentBuf::from_bytes(bytes).unwrap()
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn skip(&mut self) {
        while self.peek().is_ascii_whitespace() || self.peek() == b',' {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) {
        self.skip();
        assert_eq!(
            char::from(self.peek()),
            char::from(byte),
            "at {} of {}",
            self.at,
            String::from_utf8_lossy(self.text)
        );
        self.at += 1;
    }

    /// A document or an array, as bytes.
    fn fields(&mut self, open: u8, close: u8) -> Vec<u8> {
        self.take(open);
        let mut bytes = vec![0; 4];
        let mut index = 0;
        loop {
            self.skip();
            if self.peek() == close {
                self.at += 1;
                break;
            }
            let name = if open == b'{' { self.name() } else { index.to_string() };
            index += 1;
            let (kind, content) = self.value();
            bytes.push(kind);
            bytes.extend(name.bytes());
            bytes.push(0);
            bytes.extend(content);
        }
        bytes.push(0);
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    fn name(&mut self) -> String {
        let name = match self.peek() {
            b'"' | b'\'' => self.string(),
            _ => self.word(),
        };
        self.take(b':');
        name
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek().is_ascii_alphanumeric() || b"_$.+-".contains(&self.peek()) {
            self.at += 1;
        }
        assert!(
            self.at > start,
            "expected a word at {start} of {}",
            String::from_utf8_lossy(self.text)
        );
        String::from_utf8(self.text[start..self.at].to_vec()).unwrap()
    }

    fn string(&mut self) -> String {
        let quote = self.peek();
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                byte if byte == quote => break,
                b'\\' => {
                    self.at += 1;
                    bytes.push(match self.peek() {
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'0' => 0,
                        other => other,
                    });
                }
                other => bytes.push(other),
            }
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8(bytes).unwrap()
    }

    fn value(&mut self) -> (u8, Vec<u8>) {
        self.skip();
        match self.peek() {
            b'{' => (3, self.fields(b'{', b'}')),
            b'[' => (4, self.fields(b'[', b']')),
            b'"' | b'\'' => (2, text(&self.string())),
            b'/' => (11, self.regex()),
            _ => {
                let word = self.word();
                if self.peek() == b'(' { self.function(&word) } else { simple(&word) }
            }
        }
    }

    fn regex(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut bytes = Vec::new();
        while self.peek() != b'/' {
            if self.peek() == b'\\' && self.text[self.at + 1] == b'/' {
                self.at += 1;
            } else if self.peek() == b'\\' {
                bytes.push(b'\\');
                self.at += 1;
            }
            bytes.push(self.peek());
            self.at += 1;
        }
        self.at += 1;
        bytes.push(0);
        while self.peek().is_ascii_alphabetic() {
            bytes.push(self.peek());
            self.at += 1;
        }
        bytes.push(0);
        bytes
    }

    fn function(&mut self, name: &str) -> (u8, Vec<u8>) {
        self.take(b'(');
        let mut arguments = Vec::new();
        loop {
            self.skip();
            match self.peek() {
                b')' => break,
                b'"' | b'\'' => arguments.push(self.string()),
                _ => arguments.push(self.word()),
            }
        }
        self.at += 1;
        let number = |at: usize| arguments[at].parse::<i64>().unwrap();
        match name {
            "dec" => (19, Decimal::parse_exact(&arguments[0]).unwrap().to_bson().bytes().to_vec()),
            "oid" => (7, vec![u8::try_from(number(0)).unwrap(); 12]),
            "date" => (9, number(0).to_le_bytes().to_vec()),
            "ts" => {
                let part = |at| u32::try_from(number(at)).unwrap().to_le_bytes();
                (17, [part(1), part(0)].concat())
            }
            "bin" => {
                let hex = arguments.get(1).map(String::as_str).unwrap_or_default();
                let bytes: Vec<u8> = (0..hex.len() / 2)
                    .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
                    .collect();
                let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
                (5, [&length[..], &[u8::try_from(number(0)).unwrap()], &bytes].concat())
            }
            "sym" => (14, text(&arguments[0])),
            "code" => (13, text(&arguments[0])),
            "scoped" => {
                let content = [text(&arguments[0]), vec![5, 0, 0, 0, 0]].concat();
                let length = u32::try_from(content.len() + 4).unwrap().to_le_bytes();
                (15, [&length[..], &content].concat())
            }
            "ptr" => (12, [text(&arguments[0]), vec![1; 12]].concat()),
            _ => panic!("no function {name}"),
        }
    }
}

fn simple(word: &str) -> (u8, Vec<u8>) {
    match word {
        "null" => (10, Vec::new()),
        "undefined" => (6, Vec::new()),
        "true" => (8, vec![1]),
        "false" => (8, vec![0]),
        "MinKey" => (255, Vec::new()),
        "MaxKey" => (127, Vec::new()),
        "NaN" => (1, f64::NAN.to_le_bytes().to_vec()),
        "Infinity" => (1, f64::INFINITY.to_le_bytes().to_vec()),
        "-Infinity" => (1, f64::NEG_INFINITY.to_le_bytes().to_vec()),
        _ => {
            if let Some(long) = word.strip_suffix('L') {
                (18, long.parse::<i64>().unwrap().to_le_bytes().to_vec())
            } else if let Ok(int) = word.parse::<i32>() {
                (16, int.to_le_bytes().to_vec())
            } else {
                (1, word.parse::<f64>().unwrap_or_else(|_| panic!("{word}")).to_le_bytes().to_vec())
            }
        }
    }
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = (u32::try_from(value.len()).unwrap() + 1).to_le_bytes().to_vec();
    bytes.extend(value.as_bytes());
    bytes.push(0);
    bytes
}
