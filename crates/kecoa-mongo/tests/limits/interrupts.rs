//! Work stops between its steps when it is told to.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bson::raw::{RawArrayBuf, cstr};
use bson::{RawBson, RawBsonRef, RawDocumentBuf, rawdoc};
use kecoa_mongo::aggregate::{Execution, Options, Pipeline};
use kecoa_mongo::expression::{Expression, Scope};
use kecoa_mongo::interrupt::{Interrupt, Reason};
use kecoa_mongo::query::{Filter, Pattern};

use super::support::{nothing, stopped_after, timed, value_of, variables};

/// A time in which nothing that was stopped may still run, on a slow machine.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn each_reason_has_its_number_and_the_default_is_never_set() {
    for (reason, code) in [
        (Reason::TimeUp, 50),
        (Reason::CursorKilled, 237),
        (Reason::ClientGone, 279),
        (Reason::Shutdown, 11600),
        (Reason::Killed, 11601),
    ] {
        let interrupt = Interrupt::new(nothing);
        assert!(interrupt.check().is_ok());
        interrupt.stop(reason);
        assert_eq!(interrupt.check().unwrap_err().code().number(), code);
        // The first reason counts.
        interrupt.stop(Reason::TimeUp);
        interrupt.stop(Reason::Killed);
        interrupt.is_long();
        assert_eq!(interrupt.reason(), Some(reason));
    }
    let never = Interrupt::default();
    never.stop(Reason::Killed);
    assert!(never.check().is_ok());
}

#[test]
fn room_is_made_once_each_time_it_is_asked_for() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let interrupt = Interrupt::new(|| {
        MADE.fetch_add(1, Ordering::SeqCst);
    });
    for made in 1..3 {
        interrupt.is_long();
        assert!(interrupt.reason().is_none());
        for _ in 0..3 {
            assert!(interrupt.check().is_ok());
        }
        assert_eq!(MADE.load(Ordering::SeqCst), made);
    }
}

#[test]
fn a_cursors_flag_follows_the_command_that_reads_it() {
    let (first, second) = (Interrupt::new(nothing), Interrupt::new(nothing));
    first.lead(&first);
    first.stop(Reason::TimeUp);
    second.lead(&first);
    second.lead(&first);
    assert!(first.check().is_ok());
    second.stop(Reason::Killed);
    assert_eq!(first.reason(), Some(Reason::Killed));
    let late = Interrupt::new(nothing);
    second.lead(&late);
    assert_eq!(late.reason(), Some(Reason::Killed));
}

#[test]
fn an_expression_over_a_large_array_stops() {
    let numbers: RawArrayBuf = (0..2000).collect();
    let document = rawdoc! { "a": numbers };
    let inner = rawdoc! { "$reduce": { "input": "$a", "initialValue": 0,
    "in": { "$add": ["$$value", { "$size": "$a" }] } } };
    let expression = rawdoc! { "$map": { "input": "$a", "in": inner } };
    let interrupt = stopped_after(Duration::from_millis(100), Reason::TimeUp);
    let (result, took) =
        timed(|| value_of(RawBsonRef::Document(&expression), &document, &interrupt));
    assert_eq!(result.unwrap_err().code().number(), 50);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_constant_expression_stops_while_it_is_read() {
    let interrupt = Interrupt::new(nothing);
    let scope = Scope::new().with_interrupt(interrupt.clone());
    let expression = rawdoc! { "$size": { "$setUnion": [{ "$range": [0, 9] }, [1]] } };
    let read = || Expression::parse(RawBsonRef::Document(&expression), &scope);
    assert!(read().unwrap().as_constant().is_some());
    interrupt.stop(Reason::Killed);
    assert_eq!(read().unwrap_err().code().number(), 11601);
}

#[test]
fn filters_schemas_and_pipelines_stop() {
    let interrupt = Interrupt::new(nothing);
    interrupt.stop(Reason::Killed);
    let variables = variables(&interrupt);
    let document = rawdoc! { "a": [1, 2, 3] };
    for filter in [
        rawdoc! { "a": 9 },
        rawdoc! { "$or": [{ "a": 9 }, { "b": 1 }] },
        rawdoc! { "a": { "$elemMatch": { "$gt": 7 } } },
        rawdoc! { "$jsonSchema": { "properties": { "a": { "items": { "type": "string" } } } } },
        rawdoc! { "$expr": { "$eq": ["$a", 1] } },
    ] {
        let filter = Filter::parse(&filter, &Scope::new()).unwrap();
        let error = filter.matches(&document, &variables).unwrap_err();
        assert_eq!(error.code().number(), 11601);
    }
    let mut stages = RawArrayBuf::new();
    stages.push(rawdoc! { "$unwind": "$a" });
    let options = Options::new("db");
    let pipeline = Pipeline::parse(&stages, &Scope::new(), &options).unwrap();
    let mut execution = Execution::new(&pipeline, &variables, &options);
    execution.push(RawDocumentBuf::new());
    assert_eq!(execution.step().unwrap_err().code().number(), 11601);
}

/// Searches that take minutes: each place of the text is looked at from each place before it.
const SLOW: [&str; 4] = ["(?!b)a*b", "(?=.*b)a", "(?<!b)(a*)\\1b", "(?:(?!a*b)a)*c"];

#[test]
fn a_search_with_a_pattern_that_looks_around_stops() {
    let text = "a".repeat(300_000);
    for slow in SLOW {
        let named = |name: &str| {
            let mut operator = RawDocumentBuf::new();
            operator.append(cstr!("input"), "$a");
            operator.append(cstr!("regex"), slow);
            let mut whole = RawDocumentBuf::new();
            whole.append(bson::raw::CString::try_from(name).unwrap(), operator);
            rawdoc! { "$expr": { "$eq": [whole, 1] } }
        };
        let pattern = RawBson::RegularExpression(bson::Regex {
            pattern: slow.to_owned().try_into().unwrap(),
            options: cstr!("").to_owned(),
        });
        let mut named_by_pattern = RawDocumentBuf::new();
        named_by_pattern
            .append(bson::raw::CString::try_from(slow).unwrap(), rawdoc! { "type": "string" });
        for filter in [
            rawdoc! { "a": { "$regex": slow } },
            rawdoc! { "a": { "$not": { "$regex": slow } } },
            rawdoc! { "a": { "$in": [pattern.clone()] } },
            rawdoc! { "$jsonSchema": { "properties": { "a": { "pattern": slow } } } },
            rawdoc! { "$jsonSchema": { "patternProperties": named_by_pattern.clone() } },
            named("$regexMatch"),
            named("$regexFind"),
            named("$regexFindAll"),
        ] {
            let interrupt = stopped_after(Duration::from_millis(50), Reason::TimeUp);
            let variables = variables(&interrupt);
            let filter = Filter::parse(&filter, &Scope::new()).unwrap();
            let mut document = rawdoc! { "a": text.as_str() };
            document.append(bson::raw::CString::try_from(text.as_str()).unwrap(), 1);
            let (result, took) = timed(|| filter.matches(&document, &variables));
            // The engine's own limit of steps may come first, where the machine is fast.
            let code = result.unwrap_err().code().number();
            assert!(matches!(code, 50 | 51156), "{code} for {slow} {filter:?}");
            assert!(took < SOON / 4, "{took:?} for {slow} {filter:?}");
        }
    }
}

#[test]
fn a_search_that_was_stopped_leaves_the_pattern_as_it_was() {
    let pattern = Pattern::new("(?!b)a*b", "").unwrap();
    let never = Interrupt::new(nothing);
    for _ in 0..3 {
        let stopped = stopped_after(Duration::from_millis(10), Reason::Killed);
        let error = pattern.is_match(&"a".repeat(1_000_000), &stopped).unwrap_err();
        assert_eq!(error.code().number(), 11601);
        assert!(pattern.is_match("xaab", &never).unwrap());
        assert!(!pattern.is_match("xaa", &never).unwrap());
    }
}

/// Counts how often it is looked at: whoever looks makes room, and is asked to once more.
static COUNTED: LazyLock<Interrupt> = LazyLock::new(|| {
    Interrupt::new(|| {
        LOOKS.fetch_add(1, Ordering::SeqCst);
        COUNTED.is_long();
    })
});
static LOOKS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn one_operator_over_many_elements_looks_between_them() {
    let count = 10_000_usize;
    let texts: RawArrayBuf = (0..count).map(|n| format!("{:05}", n * 7 % count)).collect();
    let pairs: RawArrayBuf =
        (0..count).map(|n| rawdoc! { "k": format!("k{n}") , "v": 1 }).collect();
    let joined = "a,".repeat(count);
    let document =
        rawdoc! { "a": texts.clone(), "b": texts, "p": pairs, "s": joined, "none": "none" };
    let concat = rawdoc! { "$concatArrays": ["$$value", "$$this", "$$this"] };
    for (expression, least) in [
        (rawdoc! { "$setUnion": ["$a", "$b"] }, count),
        (rawdoc! { "$setIntersection": ["$a", "$b"] }, count),
        (rawdoc! { "$setDifference": ["$a", "$b"] }, count),
        (rawdoc! { "$setEquals": ["$a", "$b"] }, 12),
        (rawdoc! { "$setIsSubset": ["$a", "$b"] }, count),
        (rawdoc! { "$concatArrays": ["$a", "$b"] }, count),
        (rawdoc! { "$reverseArray": "$a" }, count),
        (rawdoc! { "$slice": ["$a", 0, 10_000] }, count),
        (rawdoc! { "$zip": { "inputs": ["$a", "$b"] } }, count),
        (rawdoc! { "$range": [0, { "$size": "$a" }] }, count),
        (rawdoc! { "$split": ["$s", ","] }, count),
        (rawdoc! { "$in": ["$none", "$a"] }, count),
        (rawdoc! { "$indexOfArray": ["$a", "$none"] }, count),
        (rawdoc! { "$sortArray": { "input": "$a", "sortBy": 1 } }, count),
        (rawdoc! { "$sortArray": { "input": "$p", "sortBy": { "k": -1 } } }, count),
        (rawdoc! { "$maxN": { "input": "$a", "n": 3 } }, 8),
        (rawdoc! { "$arrayToObject": "$p" }, count),
        (rawdoc! { "$objectToArray": { "$arrayToObject": "$p" } }, 2 * count),
        (rawdoc! { "$reduce": { "input": ["$a"], "initialValue": [], "in": concat } }, count),
    ] {
        COUNTED.is_long();
        LOOKS.store(0, Ordering::SeqCst);
        value_of(RawBsonRef::Document(&expression), &document, &COUNTED).unwrap();
        let looks = LOOKS.load(Ordering::SeqCst);
        assert!(looks >= least, "{looks} looks, expected {least} for {expression:?}");
    }
}

#[test]
fn a_sort_that_looks_at_the_flag_sorts_as_others_do() {
    let never = Interrupt::new(nothing);
    for count in [0, 1, 4095, 4096, 4097, 8192, 8193, 30_000] {
        let mut ours: Vec<(usize, usize)> = (0..count).map(|n| (n * 7919 % 100, n)).collect();
        let mut theirs = ours.clone();
        never.sort_by(&mut ours, |left, right| left.0.cmp(&right.0)).unwrap();
        theirs.sort_by_key(|one| one.0);
        assert_eq!(ours, theirs);
    }
}
