//! Work stops between its steps when it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bson::raw::RawArrayBuf;
use bson::{RawBsonRef, RawDocumentBuf, rawdoc};
use kecoa_mongo::aggregate::{Execution, Options, Pipeline};
use kecoa_mongo::expression::{Expression, Scope};
use kecoa_mongo::interrupt::{Interrupt, Reason};
use kecoa_mongo::query::Filter;

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
