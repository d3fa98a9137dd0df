//! What expressions, patterns and stages may hold, and that what grows step by step takes linear time.

use std::time::Duration;

use bson::raw::{CString, RawArrayBuf, cstr};
use bson::{RawBson, RawBsonRef, RawDocumentBuf, Regex, rawdoc};
use kecoa_mongo::aggregate::{Execution, Options, Pipeline, Step};
use kecoa_mongo::expression::{Expression, Scope};
use kecoa_mongo::interrupt::{Interrupt, Reason};
use kecoa_mongo::query::{Filter, Pattern};
use kecoa_mongo::regexes::{most_steps, steps_back};

use super::support::{nothing, stopped_after, timed, value_of, variables};

const SOON: Duration = Duration::from_secs(10);

fn code(expression: &RawDocumentBuf, document: &RawDocumentBuf) -> i32 {
    let interrupt = stopped_after(Duration::from_secs(30), Reason::TimeUp);
    let result = value_of(RawBsonRef::Document(expression), document, &interrupt);
    result.map_or_else(|error| error.code().number(), |_| 0)
}

#[test]
fn many_values_are_not_held_at_a_time() {
    let document = rawdoc! { "zero": 0, "two": [0, 1], "pad": "x".repeat(10_000_000) };
    let large = rawdoc! { "$concat": ["$pad", "x"] };
    let many = |count: usize| (0..count).map(|_| large.clone()).collect::<RawArrayBuf>();
    let vars: RawDocumentBuf = {
        let mut vars = RawDocumentBuf::new();
        for index in 0..20 {
            vars.append(CString::try_from(format!("v{index}")).unwrap(), large.clone());
        }
        vars
    };
    let nested = |levels: usize| {
        let mut inner = rawdoc! { "$strLenBytes": "$$x" };
        for _ in 0..levels {
            inner = rawdoc! { "$let": { "vars": { "x": large.clone() }, "in": inner } };
        }
        inner
    };
    for expression in [
        rawdoc! { "$concatArrays": many(20) },
        rawdoc! { "$size": { "$setUnion": many(20) } },
        rawdoc! { "$zip": { "inputs": many(20) } },
        rawdoc! { "$let": { "vars": vars, "in": 1 } },
        nested(20),
        rawdoc! { "$map": { "input": "$two", "in": nested(20) } },
        rawdoc! { "$reduce": { "input": { "$range": [0, 40] }, "initialValue": ["$pad"],
        "in": { "$concatArrays": ["$$value", "$$value"] } } },
        rawdoc! { "$reduce": { "input": { "$range": [0, 40] }, "initialValue": "$pad",
        "in": { "$concat": ["$$value", "$$value"] } } },
    ] {
        assert_eq!(code(&expression, &document), 146, "{expression:?}");
    }
    assert_eq!(code(&nested(2), &document), 0);
}

#[test]
fn large_constants_are_not_kept() {
    let large = rawdoc! { "$range": [0, 50_000] };
    let parsed = Expression::parse(RawBsonRef::Document(&large), &Scope::new()).unwrap();
    assert!(parsed.as_constant().is_none());
    let small = rawdoc! { "$range": [0, 10] };
    let parsed = Expression::parse(RawBsonRef::Document(&small), &Scope::new()).unwrap();
    assert!(parsed.as_constant().is_some());
}

#[test]
fn what_grows_at_its_end_is_not_copied() {
    let document = rawdoc! { "one": 1, "text": "x" };
    let steps = 10_000;
    let grown = |initial: RawBson, step: RawDocumentBuf| {
        rawdoc! { "$reduce": { "input": { "$range": [0, steps] }, "initialValue": initial, "in": step } }
    };
    let array = RawBson::Array(RawArrayBuf::new());
    let append = rawdoc! { "$concatArrays": ["$$value", [{ "$add": ["$$this", "$one"] }]] };
    let chosen = rawdoc! { "$cond": [{ "$gt": ["$$this", "$one"] }, append.clone(), "$$value"] };
    let named = rawdoc! { "$cond": { "if": { "$eq": ["$$this", "$one"] }, "then": "$$value",
    "else": append.clone() } };
    let text = rawdoc! { "$concat": ["$$value", "$text", "y"] };
    let never = Interrupt::new(nothing);
    for (expression, count) in [
        (rawdoc! { "$size": grown(array.clone(), append) }, 10_000),
        (rawdoc! { "$size": grown(array.clone(), chosen) }, 9_998),
        (rawdoc! { "$size": grown(array, named) }, 9_999),
        (rawdoc! { "$strLenBytes": grown(RawBson::String(String::new()), text) }, 20_000),
    ] {
        let (value, took) =
            timed(|| value_of(RawBsonRef::Document(&expression), &document, &never).unwrap());
        assert_eq!(value.get_i32("v").unwrap(), count);
        // Copied at each step they would take a minute.
        assert!(took < SOON * 3, "{took:?}");
    }
}

#[test]
fn reductions_that_grow_at_their_end_are_what_they_were() {
    let document = rawdoc! { "null": null, "l": [1, 2, 3], "s": ["a", "b"] };
    let never = Interrupt::new(nothing);
    let reduced = |input: &str, initial: RawBson, step: RawDocumentBuf| {
        let expression =
            rawdoc! { "$reduce": { "input": input, "initialValue": initial, "in": step } };
        value_of(RawBsonRef::Document(&expression), &document, &never)
    };
    let array = |items: &[i32]| RawBson::Array(items.iter().copied().collect());
    let append = |rest: RawBson| rawdoc! { "$concatArrays": ["$$value", rest] };
    let this: RawArrayBuf = ["$$this"].into_iter().collect();
    let found = reduced("$l", array(&[0]), append(RawBson::Array(this.clone()))).unwrap();
    assert_eq!(found, rawdoc! { "v": [0, 1, 2, 3] });
    // The value is seen as it was before the step.
    let twice = rawdoc! { "$concatArrays": ["$$value", "$$value", [{ "$size": "$$value" }]] };
    let found = reduced("$s", array(&[0]), twice).unwrap();
    assert_eq!(found, rawdoc! { "v": [0, 0, 1, 0, 0, 1, 3] });
    let found = reduced("$l", array(&[0]), append(RawBson::String("$null".to_owned()))).unwrap();
    assert_eq!(found, rawdoc! { "v": null });
    let found = reduced("$l", RawBson::Null, append(RawBson::Array(this.clone()))).unwrap();
    assert_eq!(found, rawdoc! { "v": null });
    let refused = reduced("$l", array(&[0]), append(RawBson::Int32(1)));
    assert_eq!(refused.unwrap_err().code().number(), 28664);
    let refused = reduced("$l", RawBson::Int32(1), append(RawBson::Array(this)));
    assert_eq!(refused.unwrap_err().code().number(), 28664);
    let text = |rest: &str| rawdoc! { "$concat": ["$$value", rest, "$$value"] };
    let found = reduced("$s", RawBson::String("x".to_owned()), text("$$this")).unwrap();
    assert_eq!(found, rawdoc! { "v": "xaxbxax" });
    let found = reduced("$s", RawBson::String("x".to_owned()), text("$null")).unwrap();
    assert_eq!(found, rawdoc! { "v": null });
    let refused = reduced("$l", RawBson::String("x".to_owned()), text("$$this"));
    assert_eq!(refused.unwrap_err().code().number(), 16702);
    let found = reduced("$none", array(&[0]), append(array(&[1]))).unwrap();
    assert_eq!(found, rawdoc! { "v": null });
}

#[test]
fn a_value_does_not_become_ever_deeper() {
    let document = rawdoc! { "one": 1 };
    let deeper = rawdoc! { "$reduce": { "input": { "$range": [0, 20_000] }, "initialValue": {},
    "in": { "a": "$$value", "b": "$one" } } };
    assert_eq!(code(&deeper, &document), 15);
}

fn regexes(count: usize, text: impl Fn(usize) -> String) -> RawDocumentBuf {
    let pattern = |text: String| {
        RawBson::RegularExpression(Regex {
            pattern: CString::try_from(text).unwrap(),
            options: CString::try_from("").unwrap(),
        })
    };
    let list: RawArrayBuf = (0..count).map(|index| pattern(text(index))).collect();
    rawdoc! { "a": { "$in": list } }
}

#[test]
fn fifty_thousand_plain_patterns_are_found_in_no_time() {
    let never = Interrupt::new(nothing);
    let variables = variables(&never);
    let wanted = regexes(50_000, |index| format!("^user{index}\\.name$"));
    let ((), took) = timed(|| {
        let filter = Filter::parse(&wanted, &Scope::new()).unwrap();
        for (text, found) in
            [("user49999.name", true), ("user1xname", false), ("user7.name\n", true)]
        {
            assert_eq!(
                filter.matches(&rawdoc! { "a": text }, &variables).unwrap(),
                found,
                "{text}"
            );
        }
    });
    assert!(took < SOON, "{took:?}");
}

#[test]
fn reading_patterns_stops_when_it_is_told_to() {
    let wanted = regexes(50_000, |index| format!("^user[a-z]+{index}"));
    let interrupt = stopped_after(Duration::from_millis(100), Reason::TimeUp);
    let scope = Scope::new().with_interrupt(interrupt);
    let (result, took) = timed(|| Filter::parse(&wanted, &scope).map(drop));
    assert_eq!(result.unwrap_err().code().number(), 50);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn patterns_that_are_plain_text_find_what_others_find() {
    let never = Interrupt::new(nothing);
    // The same pattern with a group around it is none of plain text.
    for text in [
        "abc", "^abc", "abc$", "^abc$", "", "^", "$", "^$", "a\\.c", "^a\\$c$", "k", "^kS$", "é",
        "^é",
    ] {
        let (bare, ends) = match text.strip_suffix('$').filter(|bare| !bare.ends_with('\\')) {
            Some(bare) => (bare, "$"),
            None => (text, ""),
        };
        let (starts, bare) = bare.strip_prefix('^').map_or(("", bare), |bare| ("^", bare));
        let grouped = format!("{starts}(?:{bare}){ends}");
        for options in ["", "i", "s"] {
            let plain = Pattern::new(text, options).unwrap();
            let other = Pattern::new(&grouped, options).unwrap();
            for whole in [
                "",
                "abc",
                "ABC",
                "abcd",
                "xabc",
                "xabcd",
                "abc\n",
                "abc\n\n",
                "\n",
                "a.c",
                "axc",
                "a$c",
                "A$C\n",
                "\u{212a}\u{17f}",
                "ks",
                "KS",
                "\u{212a}",
                "é",
                "É",
                "éa",
            ] {
                let (found, wanted) = (
                    plain.is_match(whole, &never).unwrap(),
                    other.is_match(whole, &never).unwrap(),
                );
                assert_eq!(found, wanted, "/{text}/{options} in {whole:?}");
            }
        }
    }
}

#[test]
fn a_search_that_tries_everything_is_given_up() {
    let text = format!("{}b", "a".repeat(1000));
    for pattern in ["(a+)+\\1c", "(?=(a+)+$)x", "(a|aa)+\\1$"] {
        let pattern = Pattern::new(pattern, "").unwrap();
        let (result, took) = timed(|| pattern.is_match(&text, &Interrupt::default()));
        // Not found, or given up.
        assert!(result.map_or_else(|error| error.code().number() == 51156, |found| !found));
        assert!(took < SOON, "{took:?}");
    }
}

#[test]
fn a_search_in_a_long_text_takes_fewer_steps() {
    // A million steps over all of a text of megabytes would take an hour.
    assert_eq!(most_steps(0), 1_000_000);
    assert_eq!(most_steps(10_000), 1_000_000);
    assert_eq!(most_steps(1_000_000), 10_000);
    assert_eq!(most_steps(usize::MAX), 2000);
    for pattern in ["(?=a)b", "(?<!a)b", "(a)\\1", "(?<n>a)\\k<n>"] {
        assert!(steps_back(pattern), "{pattern}");
    }
    for pattern in ["", "a+$", "\\d+\\.", "(a|b)*c", "\\\\"] {
        assert!(!steps_back(pattern), "{pattern}");
    }
}

#[test]
fn a_pattern_that_is_large_for_its_text_is_refused() {
    // Two thousand places at once, at each byte: nothing stops that for minutes.
    let large = "(?:a{1,100}){1,20}z?$";
    let never = Interrupt::new(nothing);
    let pattern = Pattern::new(large, "").unwrap();
    assert!(pattern.is_match("aaa", &never).unwrap());
    let long = "a".repeat(4_000_000) + "b";
    let (result, took) = timed(|| pattern.is_match(&long, &never));
    let error = result.unwrap_err();
    assert_eq!(error.code().number(), 51156);
    assert!(error.message().contains("too large"), "{error}");
    assert!(took < SOON, "{took:?}");
    for regex in [RawBson::String(large.to_owned()), RawBson::String("$p".to_owned())] {
        for name in ["$regexMatch", "$regexFind", "$regexFindAll"] {
            let mut expression = RawDocumentBuf::new();
            let named = rawdoc! { "input": "$a", "regex": regex.clone() };
            expression.append(CString::try_from(name).unwrap(), named);
            let document = rawdoc! { "a": long.as_str(), "p": large };
            let interrupt = Interrupt::new(nothing);
            let result = value_of(RawBsonRef::Document(&expression), &document, &interrupt);
            assert_eq!(result.unwrap_err().code().number(), 51156, "{name}");
        }
    }
    // Usual ones are looked for in the longest texts.
    let longest = "ab c".repeat(4_000_000) + "error: 17";
    for usual in [
        "error|warning|fatal",
        "error: \\d+$",
        "(?:^|\\s)\\w+: [0-9]{1,3}",
        ".*error.*17",
        "[a-z]+@[a-z]+\\.(?:com|org|net)",
    ] {
        for options in ["", "i"] {
            let pattern = Pattern::new(usual, options).unwrap();
            let suits = pattern.is_match(&longest, &never);
            assert!(suits.is_ok(), "{usual} {options}: {suits:?}");
        }
    }
}

/// How many documents a pipeline gives, up to so many.
fn count(stages: &RawArrayBuf, document: RawDocumentBuf, most: usize) -> Result<usize, i32> {
    let never = Interrupt::new(nothing);
    let options = Options::new("db");
    let number = |error: kecoa_mongo::error::Error| error.code().number();
    let pipeline = Pipeline::parse(stages, &Scope::new(), &options).map_err(number)?;
    let mut execution = Execution::new(&pipeline, &variables(&never), &options);
    execution.push(document);
    execution.end();
    let mut count = 0;
    while count < most {
        match execution.step().map_err(number)? {
            Step::Document(_) => count += 1,
            Step::Done => break,
            _ => return Err(0),
        }
    }
    Ok(count)
}

#[test]
fn an_array_is_unwound_bit_by_bit() {
    // All at once they would take 100 GB.
    let mut document = rawdoc! { "pad": "x".repeat(1_000_000) };
    document.append(cstr!("l"), (0..100_000).collect::<RawArrayBuf>());
    let stages: RawArrayBuf = [rawdoc! { "$unwind": "$l" }].into_iter().collect();
    assert_eq!(count(&stages, document.clone(), 5), Ok(5));
    let stages: RawArrayBuf =
        [rawdoc! { "$unwind": "$l" }, rawdoc! { "$limit": 7 }].into_iter().collect();
    assert_eq!(count(&stages, document.clone(), 100), Ok(7));
    let small =
        rawdoc! { "l": (0..1000).collect::<RawArrayBuf>(), "m": (0..50).collect::<RawArrayBuf>() };
    let stages: RawArrayBuf = [
        rawdoc! { "$unwind": { "path": "$l", "includeArrayIndex": "i" } },
        rawdoc! { "$unwind": "$m" },
    ]
    .into_iter()
    .collect();
    assert_eq!(count(&stages, small, usize::MAX), Ok(50_000));
}

#[test]
fn a_document_does_not_double_from_stage_to_stage() {
    let stages: RawArrayBuf =
        (0..40).map(|_| rawdoc! { "$replaceWith": { "a": "$$ROOT", "b": "$$ROOT" } }).collect();
    assert_eq!(count(&stages, rawdoc! { "pad": "x".repeat(1000) }, 1), Err(10334));
}

#[test]
fn a_group_gathers_no_more_than_it_may() {
    let gathered = rawdoc! { "_id": null, "all": { "$push": { "n": "$l", "pad": "$pad" } } };
    let stages: RawArrayBuf =
        [rawdoc! { "$unwind": "$l" }, rawdoc! { "$group": gathered }].into_iter().collect();
    let mut document = rawdoc! { "pad": "x".repeat(10_000_000) };
    document.append(cstr!("l"), (0..12).collect::<RawArrayBuf>());
    assert_eq!(count(&stages, document, 1), Err(146));
}
