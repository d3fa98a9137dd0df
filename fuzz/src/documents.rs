//! Documents, filters, updates, expressions and pipelines made of any bytes; and each of them run on a document.
//!
//! Bytes alone are hardly ever BSON. Here they choose: the next byte says which type, name or operator comes, so that
//! small changes of the bytes are small changes of what is made. The tests of kecoa-mongo run the same on bytes by chance.

use bson::oid::ObjectId;
use bson::raw::{CString, RawArrayBuf, RawDocumentBuf};
use bson::{Binary, DateTime, Decimal128, RawBson, Regex, Timestamp, spec::BinarySubtype};
use kecoa_mongo::aggregate::{Execution, Options as PipelineOptions, Pipeline, Step};
use kecoa_mongo::bson::validate::{Limits, validate};
use kecoa_mongo::expression::{Expression, Scope, Variables};
use kecoa_mongo::projection::{Mode, Projection};
use kecoa_mongo::query::{Filter, Sort, SortMode};
use kecoa_mongo::update::{Applied, Options, Update};

const NAMES: &[&str] =
    &["a", "b", "_id", "a.b", "a.0", "0", "", "a.$", "a.$[]", "a.$[x]", "$a", "c"];
const PATHS: &[&str] =
    &["$a", "$b", "$a.b", "$_id", "$$ROOT", "$$this", "$$value", "$$NOW", "$$REMOVE", "$c", "$$x"];
const TEXTS: &[&str] = &[
    "",
    "a",
    "abc",
    "^a",
    "(a|b)*c",
    "(?=a)",
    "\\1",
    "[",
    "2024-02-30",
    "%Y-%m-%dT%H:%M:%S.%LZ",
    "+05:30",
    "day",
    "UTC",
    "1e400",
    "ä€𐐷",
    "i",
    "month",
    "long",
    "Europe/Berlin",
];
const FILTERS: &[&str] = &[
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$exists",
    "$type",
    "$size",
    "$all",
    "$elemMatch",
    "$mod",
    "$regex",
    "$options",
    "$not",
    "$bitsAllSet",
    "$bitsAnyClear",
    "$jsonSchema",
    "$expr",
    "$comment",
];
const JOINS: &[&str] = &["$and", "$or", "$nor"];
const UPDATES: &[&str] = &[
    "$set",
    "$unset",
    "$inc",
    "$mul",
    "$min",
    "$max",
    "$push",
    "$pull",
    "$pullAll",
    "$pop",
    "$addToSet",
    "$rename",
    "$bit",
    "$currentDate",
    "$setOnInsert",
];
const MODIFIERS: &[&str] = &["$each", "$slice", "$sort", "$position", "and", "or", "xor", "$type"];
const OPERATORS: &[&str] = &[
    "$abs",
    "$add",
    "$subtract",
    "$multiply",
    "$divide",
    "$mod",
    "$pow",
    "$round",
    "$trunc",
    "$log",
    "$exp",
    "$sqrt",
    "$and",
    "$or",
    "$not",
    "$eq",
    "$cmp",
    "$lt",
    "$cond",
    "$ifNull",
    "$switch",
    "$concat",
    "$substrCP",
    "$substrBytes",
    "$split",
    "$toLower",
    "$trim",
    "$replaceAll",
    "$replaceOne",
    "$indexOfCP",
    "$strLenCP",
    "$regexFind",
    "$regexFindAll",
    "$regexMatch",
    "$concatArrays",
    "$arrayElemAt",
    "$slice",
    "$range",
    "$zip",
    "$reverseArray",
    "$sortArray",
    "$filter",
    "$map",
    "$reduce",
    "$let",
    "$in",
    "$indexOfArray",
    "$first",
    "$firstN",
    "$maxN",
    "$setUnion",
    "$setDifference",
    "$setIntersection",
    "$setIsSubset",
    "$anyElementTrue",
    "$mergeObjects",
    "$objectToArray",
    "$arrayToObject",
    "$getField",
    "$setField",
    "$type",
    "$convert",
    "$toInt",
    "$toLong",
    "$toDecimal",
    "$toDate",
    "$toString",
    "$toObjectId",
    "$dateAdd",
    "$dateDiff",
    "$dateTrunc",
    "$dateToString",
    "$dateFromString",
    "$dateFromParts",
    "$dateToParts",
    "$year",
    "$isoWeek",
    "$dayOfYear",
    "$bitAnd",
    "$bitNot",
    "$sum",
    "$avg",
    "$stdDevPop",
    "$median",
    "$percentile",
    "$literal",
    "$size",
    "$isArray",
    "$binarySize",
    "$toHashedIndexKey",
    "$tsSecond",
    "$sin",
    "$atan2",
    "$degreesToRadians",
];
const ARGUMENTS: &[&str] = &[
    "input",
    "as",
    "in",
    "cond",
    "initialValue",
    "vars",
    "if",
    "then",
    "else",
    "branches",
    "default",
    "case",
    "regex",
    "options",
    "find",
    "replacement",
    "chars",
    "field",
    "value",
    "to",
    "onError",
    "onNull",
    "date",
    "startDate",
    "endDate",
    "unit",
    "amount",
    "timezone",
    "format",
    "dateString",
    "year",
    "month",
    "day",
    "binSize",
    "n",
    "sortBy",
    "p",
    "method",
    "limit",
    "inputs",
    "useLongestLength",
    "defaults",
    "startOfWeek",
    "x",
];
const STAGES: &[&str] = &[
    "$match",
    "$project",
    "$addFields",
    "$set",
    "$unset",
    "$group",
    "$sort",
    "$limit",
    "$skip",
    "$unwind",
    "$count",
    "$replaceRoot",
    "$replaceWith",
    "$bucket",
    "$bucketAuto",
    "$facet",
    "$redact",
    "$sample",
    "$sortByCount",
    "$setWindowFields",
    "$lookup",
    "$graphLookup",
    "$unionWith",
    "$documents",
];
const SETTINGS: &[&str] = &[
    "_id",
    "path",
    "includeArrayIndex",
    "newRoot",
    "groupBy",
    "boundaries",
    "default",
    "buckets",
    "output",
    "granularity",
    "size",
    "partitionBy",
    "sortBy",
    "window",
    "documents",
    "range",
    "unit",
    "from",
    "as",
    "pipeline",
    "let",
    "localField",
    "foreignField",
    "startWith",
    "connectFromField",
    "connectToField",
    "a",
    "b",
];
const ACCUMULATORS: &[&str] = &[
    "$sum",
    "$avg",
    "$min",
    "$max",
    "$first",
    "$last",
    "$push",
    "$addToSet",
    "$mergeObjects",
    "$stdDevSamp",
    "$topN",
    "$bottom",
    "$firstN",
    "$maxN",
    "$median",
    "$percentile",
    "$count",
    "$rank",
    "$denseRank",
    "$shift",
    "$derivative",
    "$integral",
    "$expMovingAvg",
    "$locf",
    "$linearFill",
    "$covariancePop",
    "$documentNumber",
];

/// Bytes that choose.
#[derive(Debug)]
pub struct Source<'a>(pub &'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    fn one<'n>(&mut self, of: &[&'n str]) -> &'n str {
        let index = self.below(of.len());
        of.get(index).copied().unwrap_or("a")
    }

    fn number(&mut self) -> RawBson {
        let small = i32::from(self.byte()) - 100;
        match self.below(12) {
            0..=3 => RawBson::Int32(small % 8),
            4 => RawBson::Int32([i32::MIN, i32::MAX, small, 1_000_000][self.below(4)]),
            5 => RawBson::Int64([i64::MIN, i64::MAX, i64::from(small), 1 << 53][self.below(4)]),
            6 => RawBson::Double([f64::NAN, f64::INFINITY, -0.0, 1e300][self.below(4)]),
            7 => RawBson::Double(f64::from(small) / 4.0),
            8 => {
                let text = ["NaN", "Infinity", "1E+6144", "1E-6176", "0.1", "-9223372036854775809"];
                let index = self.below(text.len());
                RawBson::Decimal128(text[index].parse::<Decimal128>().unwrap())
            }
            9 => RawBson::DateTime(DateTime::from_millis(
                [0, i64::MIN, i64::MAX, 1_700_000_000_000][self.below(4)],
            )),
            10 => {
                RawBson::Timestamp(Timestamp { time: u32::MAX, increment: u32::from(self.byte()) })
            }
            _ => RawBson::Boolean(small > 0),
        }
    }

    /// Any value.
    pub fn value(&mut self, depth: usize) -> RawBson {
        match self.below(if depth > 0 { 12 } else { 8 }) {
            0..=2 => self.number(),
            3 | 4 => RawBson::String(self.one(TEXTS).to_owned()),
            5 => RawBson::Null,
            6 => match self.below(6) {
                0 => RawBson::MinKey,
                1 => RawBson::MaxKey,
                2 => RawBson::ObjectId(ObjectId::from_bytes([self.byte(); 12])),
                3 => RawBson::Binary(Binary {
                    subtype: BinarySubtype::Uuid,
                    bytes: vec![self.byte(); 16],
                }),
                4 => RawBson::Undefined,
                _ => RawBson::Symbol("s".to_owned()),
            },
            7 => {
                let (pattern, options) =
                    (self.one(TEXTS), ["", "i", "m", "sx", "z"][self.below(5)]);
                RawBson::RegularExpression(Regex {
                    pattern: CString::try_from(pattern).unwrap(),
                    options: CString::try_from(options).unwrap(),
                })
            }
            8 | 9 => RawBson::Array(self.array(|source| source.value(depth - 1))),
            _ => RawBson::Document(self.document(depth - 1)),
        }
    }

    /// A document.
    pub fn document(&mut self, depth: usize) -> RawDocumentBuf {
        self.fields(NAMES, |source, _| source.value(depth))
    }

    fn array(&mut self, mut item: impl FnMut(&mut Self) -> RawBson) -> RawArrayBuf {
        (0..self.below(4)).map(|_| item(self)).collect()
    }

    fn fields(
        &mut self,
        names: &[&str],
        mut value: impl FnMut(&mut Self, &str) -> RawBson,
    ) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        for _ in 0..self.below(4) {
            let name = self.one(names);
            let value = value(self, name);
            document.append(CString::try_from(name).unwrap(), value);
        }
        document
    }

    fn single(&mut self, name: &str, value: RawBson) -> RawBson {
        let mut document = RawDocumentBuf::new();
        document.append(CString::try_from(name).unwrap(), value);
        RawBson::Document(document)
    }

    /// An expression.
    pub fn expression(&mut self, depth: usize) -> RawBson {
        let Some(below) = depth.checked_sub(1) else { return self.leaf() };
        match self.below(8) {
            0 | 1 => self.leaf(),
            2 => RawBson::Array(self.array(|source| source.expression(below))),
            3 => RawBson::Document(self.fields(NAMES, |source, _| source.expression(below))),
            form => {
                let name = self.one(OPERATORS);
                let argument = match form {
                    4 => self.expression(below),
                    5 | 6 => RawBson::Array(self.array(|source| source.expression(below))),
                    _ => {
                        let mut named = RawDocumentBuf::new();
                        for _ in 0..self.below(6) {
                            let name = self.one(ARGUMENTS);
                            named.append(CString::try_from(name).unwrap(), self.expression(below));
                        }
                        RawBson::Document(named)
                    }
                };
                self.single(name, argument)
            }
        }
    }

    fn leaf(&mut self) -> RawBson {
        if self.below(2) == 0 { RawBson::String(self.one(PATHS).to_owned()) } else { self.value(1) }
    }

    /// A filter.
    pub fn filter(&mut self, depth: usize) -> RawDocumentBuf {
        let Some(below) = depth.checked_sub(1) else { return self.document(1) };
        if self.below(4) == 0 {
            let name = self.one(JOINS);
            return self.fields(&[name], |source, _| {
                RawBson::Array(source.array(|source| RawBson::Document(source.filter(below))))
            });
        }
        self.fields(NAMES, |source, _| match source.below(3) {
            0 => source.value(2),
            _ => RawBson::Document(source.fields(FILTERS, |source, name| match name {
                "$elemMatch" | "$not" => RawBson::Document(source.filter(below)),
                "$in" | "$nin" | "$all" => RawBson::Array(source.array(|source| source.value(2))),
                "$expr" => source.expression(below),
                _ => source.value(2),
            })),
        })
    }

    /// An update: operators, a document, or stages.
    pub fn update(&mut self) -> RawBson {
        match self.below(6) {
            0 => RawBson::Document(self.document(3)),
            1 => RawBson::Array(self.array(|source| source.stage(2))),
            _ => RawBson::Document(self.fields(UPDATES, |source, _| {
                RawBson::Document(source.fields(NAMES, |source, _| match source.below(3) {
                    0 => RawBson::Document(source.fields(MODIFIERS, |source, _| source.value(3))),
                    _ => source.value(3),
                }))
            })),
        }
    }

    /// A stage of a pipeline.
    pub fn stage(&mut self, depth: usize) -> RawBson {
        let name = self.one(STAGES);
        let below = depth.saturating_sub(1);
        let argument = match (name, self.below(4)) {
            ("$match", _) => RawBson::Document(self.filter(2)),
            ("$facet", _) if depth > 0 => RawBson::Document(self.fields(NAMES, |source, _| {
                RawBson::Array(source.array(|source| source.stage(below)))
            })),
            (_, 0) => self.expression(2),
            (_, 1) => RawBson::Document(self.fields(NAMES, |source, _| source.expression(2))),
            _ => RawBson::Document(self.fields(SETTINGS, |source, setting| {
                match (setting, source.below(3)) {
                    ("pipeline", _) if depth > 0 => {
                        RawBson::Array(source.array(|source| source.stage(below)))
                    }
                    ("output" | "a" | "b", _) => {
                        let name = source.one(ACCUMULATORS);
                        let argument = source.expression(2);
                        let made = source.single(name, argument);
                        if setting == "output" { source.single("o", made) } else { made }
                    }
                    (_, 0) => source.value(2),
                    _ => source.expression(2),
                }
            })),
        };
        self.single(name, argument)
    }
}

fn variables() -> Variables {
    Variables::new(DateTime::from_millis(1_700_000_000_000), Timestamp { time: 1, increment: 1 })
}

/// What comes out can be read to its end.
fn check(document: &RawDocumentBuf) {
    let limits = Limits::MESSAGE;
    validate(document.as_bytes(), limits).expect("what is made is BSON");
}

/// An expression on a document.
pub fn expressions(data: &[u8]) {
    let mut source = Source(data);
    let document = source.document(3);
    let expression = source.expression(4);
    let Ok(expression) = Expression::parse(expression.as_raw_bson_ref(), &Scope::new()) else {
        return;
    };
    let variables = variables();
    if let Ok(Some(value)) = expression.evaluate(&document, &variables) {
        let mut whole = RawDocumentBuf::new();
        whole.append(bson::raw::cstr!("v"), value.as_ref());
        // Values may be deeper on the way than a message may be.
        let _ = validate(whole.as_bytes(), Limits::MESSAGE);
    }
}

/// A filter, a sort and a projection on a document. A failure is explained where there is one.
pub fn filters(data: &[u8]) {
    let mut source = Source(data);
    let (one, other) = (source.document(3), source.document(3));
    let (scope, variables) = (Scope::new(), variables());
    let filter = source.filter(3);
    if let Ok(filter) = Filter::parse(&filter, &scope)
        && let Ok(matches) = filter.matches(&one, &variables)
    {
        let found = filter.find_match(&one, &variables).unwrap();
        assert_eq!(found.is_some(), matches);
        let explained = filter.explain_failure(&one, &variables).unwrap();
        assert_eq!(explained.is_none(), matches);
    }
    if let Ok(sort) = Sort::parse(&source.document(1), SortMode::Find, &scope)
        && let (Ok(left), Ok(right)) = (sort.key(&one), sort.key(&other))
    {
        assert_eq!(sort.compare(&one, &other).unwrap(), left.cmp(&right));
    }
    let projection = source.fields(NAMES, |source, _| source.expression(2));
    if let Ok(projection) = Projection::parse(&projection, Mode::Find, &scope)
        && let Ok(shown) = projection.apply(&one, None, &variables)
    {
        check(&shown);
    }
}

/// An update of a document, and the same as an upsert.
pub fn updates(data: &[u8]) {
    let mut source = Source(data);
    let document = source.document(3);
    let (scope, variables) = (Scope::new(), variables());
    let update = source.update();
    let filters = source.array(|source| RawBson::Document(source.filter(1)));
    let filters = (!filters.is_empty()).then_some(&*filters);
    let Ok(update) = Update::parse(update.as_raw_bson_ref(), filters, Options::default(), &scope)
    else {
        return;
    };
    if let Ok(Applied::Changed(after)) = update.apply(&document, Some(0), &variables) {
        check(&after);
    }
    if let Ok(filter) = Filter::parse(&source.filter(2), &scope)
        && let Ok(made) = update.upsert(&filter, &variables)
    {
        check(&made);
    }
}

/// A pipeline over documents; what it reads of other collections is the same documents.
pub fn pipelines(data: &[u8]) {
    let mut source = Source(data);
    let documents: Vec<_> = (0..=source.below(4)).map(|_| source.document(3)).collect();
    let stages = source.array(|source| source.stage(2));
    let options = PipelineOptions::new("db");
    let Ok(pipeline) = Pipeline::parse(&stages, &Scope::new(), &options) else { return };
    run(&pipeline, documents, &variables(), &options, 3);
}

fn run(
    pipeline: &Pipeline,
    documents: Vec<RawDocumentBuf>,
    variables: &Variables,
    options: &PipelineOptions,
    depth: usize,
) -> Option<Vec<RawDocumentBuf>> {
    let mut execution = Execution::new(pipeline, variables, options);
    let mut input = documents.clone().into_iter();
    let mut output = Vec::new();
    // A pipeline ends: what it asks for is bounded by what it was given.
    for _ in 0..100_000 {
        match execution.step().ok()? {
            Step::Document(document) => output.push(document),
            Step::NeedInput => match input.next() {
                Some(document) => execution.push(document),
                None => execution.end(),
            },
            Step::Read(read) => {
                let below = depth.checked_sub(1)?;
                let found =
                    run(&read.pipeline, documents.clone(), &read.variables, options, below)?;
                execution.answer(found).ok()?;
            }
            Step::Write(_) => execution.answer(Vec::new()).ok()?,
            Step::Done => return Some(output),
        }
    }
    panic!("expected the pipeline to end");
}
