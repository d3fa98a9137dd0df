//! Values as the tables write them: JSON with `'text'`, bare names, and BSON's other types as calls.
//!
//! `L(5)` long, `D('1.5')` decimal, `date(ms)`, `date('2024-02-29T12:00:00Z')`, `oid('..')`, `ts(1,2)`,
//! `bin(0,'hex')`, `re('a','i')`, `code('..')`, `scoped('..',{})`, `symbol('..')`, `pointer('ns','oid')`,
//! `undefined`, `MinKey`, `MaxKey`, `NaN`, `Infinity`. Numbers with a point or an exponent are doubles.

use bson::{RawBson, RawDocumentBuf};
use kecoa_mongo::bson::decimal128::Decimal;

pub(crate) struct Reader<'a> {
    rest: &'a str,
}

/// The value of a text.
pub(crate) fn value(text: &str) -> RawBson {
    let mut reader = Reader { rest: text.trim() };
    let (kind, content) = reader.value();
    reader.spaces();
    assert!(reader.rest.is_empty(), "left over in {text}: {}", reader.rest);
    wrap(kind, &content).iter().next().unwrap().unwrap().1.into()
}

/// The document of a text.
pub(crate) fn document(text: &str) -> RawDocumentBuf {
    match value(text) {
        RawBson::Document(document) => document,
        other => panic!("no document: {other:?}"),
    }
}

fn wrap(kind: u8, content: &[u8]) -> RawDocumentBuf {
    let mut bytes = u32::try_from(content.len() + 7).unwrap().to_le_bytes().to_vec();
    bytes.extend([kind, 0]);
    bytes.extend(content);
    bytes.push(0);
    RawDocumentBuf::from_bytes(bytes).unwrap()
}

fn text_bytes(value: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(value.len() + 1).unwrap().to_le_bytes().to_vec();
    bytes.extend(value.as_bytes());
    bytes.push(0);
    bytes
}

fn body(fields: &[(String, u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    for (name, kind, content) in fields {
        bytes.push(*kind);
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(content);
    }
    bytes.push(0);
    let length = u32::try_from(bytes.len()).unwrap();
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

impl Reader<'_> {
    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.spaces();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) {
        assert!(self.eat(token), "expected {token} at {}", self.rest);
    }

    fn word(&mut self) -> String {
        self.spaces();
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || "_$.+-".contains(c)))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn quoted(&mut self) -> String {
        self.spaces();
        let quote = self.rest.chars().next().unwrap();
        assert!(quote == '\'' || quote == '"', "expected text at {}", self.rest);
        let mut text = String::new();
        let mut characters = self.rest[1..].chars();
        loop {
            match characters.next().expect("text ends") {
                '\\' => match characters.next().unwrap() {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    '0' => text.push('\0'),
                    'u' => {
                        let digits: String = characters.by_ref().take(4).collect();
                        let point = u32::from_str_radix(&digits, 16).unwrap();
                        text.push(char::from_u32(point).unwrap());
                    }
                    other => text.push(other),
                },
                end if end == quote => break,
                other => text.push(other),
            }
        }
        self.rest = characters.as_str();
        text
    }

    fn value(&mut self) -> (u8, Vec<u8>) {
        self.spaces();
        if self.eat("{") {
            let mut fields = Vec::new();
            while !self.eat("}") {
                let name =
                    if self.rest.starts_with(['\'', '"']) { self.quoted() } else { self.word() };
                self.expect(":");
                let (kind, content) = self.value();
                fields.push((name, kind, content));
                self.eat(",");
            }
            return (0x03, body(&fields));
        }
        if self.eat("[") {
            let mut fields = Vec::new();
            while !self.eat("]") {
                let (kind, content) = self.value();
                fields.push((fields.len().to_string(), kind, content));
                self.eat(",");
            }
            return (0x04, body(&fields));
        }
        if self.rest.starts_with(['\'', '"']) {
            return (0x02, text_bytes(&self.quoted()));
        }
        let word = self.word();
        match word.as_str() {
            "null" => return (0x0a, vec![]),
            "undefined" => return (0x06, vec![]),
            "true" => return (0x08, vec![1]),
            "false" => return (0x08, vec![0]),
            "MinKey" => return (0xff, vec![]),
            "MaxKey" => return (0x7f, vec![]),
            "NaN" => return (0x01, f64::NAN.to_le_bytes().to_vec()),
            "Infinity" => return (0x01, f64::INFINITY.to_le_bytes().to_vec()),
            "-Infinity" => return (0x01, f64::NEG_INFINITY.to_le_bytes().to_vec()),
            _ => {}
        }
        if self.eat("(") {
            let made = self.call(&word);
            self.expect(")");
            return made;
        }
        if word.contains(['.', 'e', 'E']) {
            let value: f64 = word.parse().unwrap_or_else(|_| panic!("{word}"));
            return (0x01, value.to_le_bytes().to_vec());
        }
        let value: i32 = word.parse().unwrap_or_else(|_| panic!("no value: {word} {}", self.rest));
        (0x10, value.to_le_bytes().to_vec())
    }

    fn number(&mut self) -> i64 {
        self.word().parse().unwrap()
    }

    fn call(&mut self, name: &str) -> (u8, Vec<u8>) {
        match name {
            "L" => (0x12, self.number().to_le_bytes().to_vec()),
            "D" => {
                let decimal = Decimal::parse(&self.quoted()).unwrap().to_bson();
                (0x13, decimal.bytes().to_vec())
            }
            "date" => {
                self.spaces();
                let milliseconds = if self.rest.starts_with('\'') {
                    let text = self.quoted();
                    bson::DateTime::parse_rfc3339_str(text).unwrap().timestamp_millis()
                } else {
                    self.number()
                };
                (0x09, milliseconds.to_le_bytes().to_vec())
            }
            "oid" => (0x07, hexadecimal(&self.quoted())),
            "ts" => {
                let time = u32::try_from(self.number()).unwrap();
                self.expect(",");
                let increment = u32::try_from(self.number()).unwrap();
                (0x11, [increment.to_le_bytes(), time.to_le_bytes()].concat())
            }
            "bin" => {
                let subtype = u8::try_from(self.number()).unwrap();
                self.expect(",");
                let bytes = hexadecimal(&self.quoted());
                let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
                (0x05, [&length[..], &[subtype], &bytes].concat())
            }
            "re" => {
                let pattern = self.quoted();
                let options = if self.eat(",") { self.quoted() } else { String::new() };
                (0x0b, format!("{pattern}\0{options}\0").into_bytes())
            }
            "code" => (0x0d, text_bytes(&self.quoted())),
            "symbol" => (0x0e, text_bytes(&self.quoted())),
            "scoped" => {
                let code = text_bytes(&self.quoted());
                self.expect(",");
                let (_, scope) = self.value();
                let length = u32::try_from(code.len() + scope.len() + 4).unwrap().to_le_bytes();
                (0x0f, [&length[..], &code, &scope].concat())
            }
            "pointer" => {
                let namespace = text_bytes(&self.quoted());
                self.expect(",");
                (0x0c, [namespace, hexadecimal(&self.quoted())].concat())
            }
            other => panic!("no such call: {other}"),
        }
    }
}
