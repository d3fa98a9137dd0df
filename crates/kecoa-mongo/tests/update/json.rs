//! Documents from short text: JSON whose names need no quotes, with `long(5)`, `dec("1.5")`, `date(0)`,
//! `ts(1, 2)`, `oid(1)`, `bin(0, "ab")`, `re("a", "i")`, `sym("x")`, `code("x")`, `scoped("x", {})`, `ptr("n")`,
//! `min`, `max`, `undefined`, `nan`, `inf`, `-inf`, `-0.0`. A number with a point is a double, without one an int.

use bson::RawDocumentBuf;

pub(crate) fn document(text: &str) -> RawDocumentBuf {
    let mut parser = Parser { rest: text };
    let bytes = parser.object();
    parser.space();
    assert!(parser.rest.is_empty(), "unread {:?} of {text:?}", parser.rest);
    RawDocumentBuf::from_bytes(bytes).unwrap()
}

/// The one field of `{"": value}`.
pub(crate) fn value(text: &str) -> RawDocumentBuf {
    document(&format!("{{\"\": {text}}}"))
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "expected {token:?} at {:?}", self.rest);
    }

    fn object(&mut self) -> Vec<u8> {
        self.expect("{");
        let mut body = Vec::new();
        while !self.take("}") {
            let name = self.name();
            self.expect(":");
            self.element(&name, &mut body);
            self.take(",");
        }
        sealed(body)
    }

    fn list(&mut self) -> Vec<u8> {
        self.expect("[");
        let mut body = Vec::new();
        let mut index = 0;
        while !self.take("]") {
            self.element(&index.to_string(), &mut body);
            index += 1;
            self.take(",");
        }
        sealed(body)
    }

    fn name(&mut self) -> String {
        self.space();
        if self.rest.starts_with('"') {
            return self.string();
        }
        let end = self.rest.find([':', ' ']).unwrap();
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_owned()
    }

    fn string(&mut self) -> String {
        self.expect("\"");
        let mut text = String::new();
        loop {
            let next = self.rest.chars().next().unwrap();
            self.rest = &self.rest[next.len_utf8()..];
            match next {
                '"' => return text,
                '\\' => {
                    let escaped = self.rest.chars().next().unwrap();
                    self.rest = &self.rest[escaped.len_utf8()..];
                    text.push(if escaped == '0' { '\0' } else { escaped });
                }
                other => text.push(other),
            }
        }
    }

    fn word(&mut self) -> &'t str {
        self.space();
        let end = self.rest.find([',', '}', ']', ' ', '(', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn element(&mut self, name: &str, body: &mut Vec<u8>) {
        let (kind, content) = self.value();
        body.push(kind);
        body.extend(name.as_bytes());
        body.push(0);
        body.extend(content);
    }

    fn value(&mut self) -> (u8, Vec<u8>) {
        self.space();
        match self.rest.chars().next().unwrap() {
            '{' => return (3, self.object()),
            '[' => return (4, self.list()),
            '"' => return (2, text(&self.string())),
            _ => {}
        }
        let word = self.word();
        match word {
            "null" => return (0x0a, vec![]),
            "undefined" => return (6, vec![]),
            "true" => return (8, vec![1]),
            "false" => return (8, vec![0]),
            "min" => return (0xff, vec![]),
            "max" => return (0x7f, vec![]),
            "nan" => return (1, f64::NAN.to_le_bytes().to_vec()),
            "inf" => return (1, f64::INFINITY.to_le_bytes().to_vec()),
            "-inf" => return (1, f64::NEG_INFINITY.to_le_bytes().to_vec()),
            _ => {}
        }
        if !self.rest.starts_with('(') {
            if word.contains(['.', 'e']) {
                return (1, word.parse::<f64>().unwrap().to_le_bytes().to_vec());
            }
            let number: i32 = word.parse().unwrap_or_else(|_| panic!("no value: {word:?}"));
            return (0x10, number.to_le_bytes().to_vec());
        }
        self.expect("(");
        let made = self.call(word);
        self.expect(")");
        made
    }

    fn call(&mut self, function: &str) -> (u8, Vec<u8>) {
        match function {
            "long" => (0x12, self.word().parse::<i64>().unwrap().to_le_bytes().to_vec()),
            "date" => (9, self.word().parse::<i64>().unwrap().to_le_bytes().to_vec()),
            "dec" => {
                let text = self.string();
                let value = kecoa_mongo::bson::decimal128::Decimal::parse(&text).unwrap();
                (0x13, value.to_bson().bytes().to_vec())
            }
            "ts" => {
                let seconds: u32 = self.word().parse().unwrap();
                self.expect(",");
                let counter: u32 = self.word().parse().unwrap();
                (0x11, [counter.to_le_bytes(), seconds.to_le_bytes()].concat())
            }
            "oid" => {
                let mut id = vec![0; 11];
                id.push(self.word().parse().unwrap());
                (7, id)
            }
            "bin" => {
                let subtype: u8 = self.word().parse().unwrap();
                self.expect(",");
                let content = self.string();
                let length = u32::try_from(content.len()).unwrap();
                (5, [&length.to_le_bytes()[..], &[subtype], content.as_bytes()].concat())
            }
            "re" => {
                let pattern = self.string();
                self.expect(",");
                let options = self.string();
                (0x0b, format!("{pattern}\0{options}\0").into_bytes())
            }
            "sym" => (0x0e, text(&self.string())),
            "code" => (0x0d, text(&self.string())),
            "scoped" => {
                let code = text(&self.string());
                self.expect(",");
                let content = [code, self.object()].concat();
                let length = u32::try_from(content.len()).unwrap() + 4;
                (0x0f, [&length.to_le_bytes()[..], &content].concat())
            }
            "ptr" => (0x0c, [text(&self.string()), vec![7; 12]].concat()),
            other => panic!("no function: {other:?}"),
        }
    }
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = (u32::try_from(value.len()).unwrap() + 1).to_le_bytes().to_vec();
    bytes.extend(value.as_bytes());
    bytes.push(0);
    bytes
}

fn sealed(body: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap() + 5;
    [&length.to_le_bytes()[..], &body, &[0]].concat()
}
