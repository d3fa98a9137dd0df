//! Random documents, filters, sorts and indexes: whatever is planned, every document that matches is read, and a
//! served sort gives the order.

use std::sync::Arc;

use bson::{DateTime, RawDocumentBuf, Timestamp};
use kecoa_mongo::expression::{Scope, Variables};
use kecoa_mongo::index::Index;
use kecoa_mongo::plan::access::Access;
use kecoa_mongo::plan::{Request, plan};
use kecoa_mongo::query::Filter;

use crate::json;
use crate::support::{index, read, sort};

struct Random(fastrand::Rng);

impl Random {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.0.usize(..of.len())]
    }

    fn scalar(&mut self) -> String {
        self.one(&[
            "0",
            "1",
            "2",
            "3",
            "2.5",
            "long(2)",
            "dec(\"2\")",
            "nan",
            "null",
            "\"\"",
            "\"a\"",
            "\"ab\"",
            "\"abc\"",
            "\"b\"",
            "true",
            "false",
            "date(5)",
            "{}",
            "{p: 1}",
            "oid(3)",
            "min",
            "max",
            "re(\"ab\", \"\")",
            "undefined",
            "bin(0, \"x\")",
            "-1",
            "ts(1, 1)",
            "sym(\"ab\")",
            "inf",
            "dec(\"NaN\")",
            "code(\"f\")",
        ])
        .to_owned()
    }

    fn list(&mut self, element: fn(&mut Self) -> String) -> String {
        let elements: Vec<_> = (0..self.0.usize(..4)).map(|_| element(self)).collect();
        format!("[{}]", elements.join(", "))
    }

    fn value(&mut self) -> String {
        match self.0.u8(..10) {
            0 => self.list(Self::scalar),
            1 => {
                self.list(
                    |random| {
                        if random.0.bool() { random.scalar() } else { random.list(Self::scalar) }
                    },
                )
            }
            _ => self.scalar(),
        }
    }

    fn plain_value(&mut self) -> String {
        self.scalar()
    }

    fn inner(&mut self, value: fn(&mut Self) -> String) -> String {
        let mut fields = Vec::new();
        for name in ["a", "b"] {
            if self.0.u8(..4) > 0 {
                fields.push(format!("{name}: {}", value(self)));
            }
        }
        format!("{{{}}}", fields.join(", "))
    }

    fn document(&mut self, id: usize, arrays: bool) -> RawDocumentBuf {
        let value = if arrays { Self::value } else { Self::plain_value };
        let mut fields = vec![format!("_id: {id}")];
        for name in ["a", "b", "c"] {
            if self.0.u8(..5) > 0 {
                fields.push(format!("{name}: {}", value(self)));
            }
        }
        match self.0.u8(..5) {
            0 => {}
            1 => fields.push(format!("x: {}", value(self))),
            2 if arrays => {
                let elements: Vec<_> = (0..self.0.usize(..4))
                    .map(|_| if self.0.u8(..6) > 0 { self.inner(value) } else { self.scalar() })
                    .collect();
                fields.push(format!("x: [{}]", elements.join(", ")));
            }
            _ => fields.push(format!("x: {}", self.inner(value))),
        }
        json::document(&format!("{{{}}}", fields.join(", ")))
    }

    fn path(&mut self) -> &'static str {
        self.one(&["a", "b", "c", "x", "x.a", "x.b", "_id"])
    }

    fn operators(&mut self) -> String {
        match self.0.u8(..14) {
            0 => format!("$gt: {}", self.comparable()),
            1 => format!("$gte: {}", self.comparable()),
            2 => format!("$lt: {}", self.comparable()),
            3 => format!("$lte: {}", self.comparable()),
            4 => format!("$gte: {}, $lte: {}", self.comparable(), self.comparable()),
            5 => format!("$gt: {}, $lt: {}", self.comparable(), self.comparable()),
            6 => format!("$in: {}", self.list(Self::value)),
            7 => "$exists: true".to_owned(),
            8 => "$exists: false".to_owned(),
            9 => format!("$ne: {}", self.comparable()),
            10 => "$mod: [2, 0]".to_owned(),
            11 => format!("$type: \"{}\"", self.one(&["string", "number", "null", "array"])),
            12 => "$size: 2".to_owned(),
            _ => format!("$eq: {}", self.value()),
        }
    }

    /// A value that comparisons take.
    fn comparable(&mut self) -> String {
        loop {
            let value = self.value();
            if !value.starts_with("re(") && value != "undefined" {
                return value;
            }
        }
    }

    fn condition(&mut self, depth: u8) -> String {
        match self.0.u8(..12) {
            0 if depth < 2 => {
                let parts: Vec<_> = (0..1 + self.0.usize(..3))
                    .map(|_| format!("{{{}}}", self.condition(depth + 1)))
                    .collect();
                format!("$or: [{}]", parts.join(", "))
            }
            1 if depth < 2 => {
                let parts: Vec<_> = (0..1 + self.0.usize(..3))
                    .map(|_| format!("{{{}}}", self.condition(depth + 1)))
                    .collect();
                format!("$and: [{}]", parts.join(", "))
            }
            2 => format!("{}: {{$elemMatch: {{{}}}}}", self.quoted(), self.operators()),
            3 => {
                let (first, second) = (self.operators(), self.operators());
                format!("x: {{$elemMatch: {{a: {{{first}}}, b: {{{second}}}}}}}")
            }
            4 => {
                let pattern = self.one(&["^a", "^ab", "b$", "^a.c", "^(a)", "^ab?"]);
                format!("{}: re(\"{pattern}\", \"{}\")", self.quoted(), self.one(&["", "i"]))
            }
            5 | 6 => format!("{}: {}", self.quoted(), self.value()),
            7 => format!("{}: {{$not: {{{}}}}}", self.quoted(), self.operators()),
            _ => format!("{}: {{{}}}", self.quoted(), self.operators()),
        }
    }

    fn quoted(&mut self) -> String {
        format!("\"{}\"", self.path())
    }

    fn filter(&mut self) -> String {
        let parts: Vec<_> = (0..self.0.usize(..4)).map(|_| self.condition(0)).collect();
        format!("{{{}}}", parts.join(", "))
    }

    fn index(&mut self, number: i32, multikey: bool) -> Index {
        let mut names = vec!["a", "b", "c", "x", "x.a", "x.b"];
        self.0.shuffle(&mut names);
        let count = 1 + self.0.usize(..3);
        let fields: Vec<_> = names[..count]
            .iter()
            .map(|name| format!("\"{name}\": {}", self.one(&["1", "-1"])))
            .collect();
        let pattern = if self.0.u8(..10) == 0 {
            format!("{{\"{}\": \"hashed\"}}", names[0])
        } else {
            format!("{{{}}}", fields.join(", "))
        };
        let options = if self.0.u8(..5) == 0 { "sparse: true" } else { "" };
        index(number, &pattern, options).with_multikey(multikey)
    }

    fn sort(&mut self) -> String {
        let mut names = vec!["a", "b", "c", "x.a", "x.b", "_id"];
        self.0.shuffle(&mut names);
        let fields: Vec<_> = names[..self.0.usize(..3)]
            .iter()
            .map(|name| format!("\"{name}\": {}", self.one(&["1", "-1"])))
            .collect();
        format!("{{{}}}", fields.join(", "))
    }
}

fn run(seed: u64, arrays: bool) -> (usize, usize) {
    let mut random = Random(fastrand::Rng::with_seed(seed));
    let made = random.index(1, false);
    let documents: Vec<_> = (0..40)
        .map(|id| random.document(id, arrays))
        .filter(|document| made.entries(document).is_ok())
        .collect();
    let multikey = documents.iter().any(|document| made.entries(document).unwrap().multikey);
    let indexes = [Arc::new(made.with_multikey(multikey))];
    let variables = Variables::new(DateTime::from_millis(0), Timestamp { time: 1, increment: 1 });
    let (mut by_index, mut sorted) = (0, 0);
    for _ in 0..40 {
        let (filter_text, sort_text) = (random.filter(), random.sort());
        let Ok(filter) = Filter::parse(&json::document(&filter_text), &Scope::new()) else {
            continue;
        };
        let order = sort(&sort_text);
        let request =
            Request { filter: &filter, sort: Some(&order), indexes: &indexes, hint: None };
        let plan = plan(&request).unwrap();
        let read = read(&plan, &indexes, &documents);
        let text =
            || format!("{seed}: {filter_text} {sort_text} {:?} {plan:?}", indexes[0].key_pattern());
        let mut matching = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            if filter.matches(document, &variables).unwrap_or(false) {
                assert!(read.contains(&at), "{} leaves out {document:?}", text());
            }
        }
        for at in read {
            if filter.matches(&documents[at], &variables).unwrap_or(false) {
                matching.push(&documents[at]);
            }
        }
        if matches!(plan.access, Access::Index { .. }) {
            by_index += 1;
        }
        if plan.sort_is_served && !order.is_empty() {
            sorted += 1;
            for pair in matching.windows(2) {
                if let Ok(compared) = order.compare(pair[0], pair[1]) {
                    assert!(compared.is_le(), "{} order {pair:?}", text());
                }
            }
        }
    }
    (by_index, sorted)
}

#[test]
fn no_matching_document_is_left_out() {
    let (mut by_index, mut sorted) = (0, 0);
    for seed in 0..200 {
        let (index, order) = run(seed, seed % 2 == 0);
        by_index += index;
        sorted += order;
    }
    assert!(by_index > 500 && sorted > 150, "too few plans: {by_index}, {sorted}");
}
