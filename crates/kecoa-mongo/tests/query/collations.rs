//! Collations: options, refusals, orders, keys.

use std::cmp::Ordering;

use kecoa_mongo::bson::key::{Direction, KeyBuilder};
use kecoa_mongo::collation::Collator;
use kecoa_mongo::query::{Sort, SortMode};

use crate::support::*;

fn collator(text: &str) -> Collator {
    Collator::parse(&document(text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn refusals() {
    for (text, code) in [
        ("{}", 40414),
        ("{strength: 1}", 40414),
        ("{locale: 1}", 14),
        ("{locale: null}", 14),
        ("{locale: ''}", 2),
        ("{locale: 'xx'}", 2),
        ("{locale: 'english'}", 2),
        ("{locale: 'EN'}", 2),
        ("{locale: 'en-US'}", 2),
        ("{locale: 'en_FOO'}", 2),
        ("{locale: 'de@collation=foo'}", 2),
        ("{locale: 'en@foo=bar'}", 2),
        ("{locale: 'en', foo: 1}", 40415),
        ("{locale: 'en', locale: 'de'}", 40413),
        ("{locale: 'en', strength: 0}", 2),
        ("{locale: 'en', strength: 6}", 51024),
        ("{locale: 'en', strength: -1}", 51024),
        ("{locale: 'en', strength: 1000000000000L}", 51024),
        ("{locale: 'en', strength: NaN}", 51024),
        ("{locale: 'en', strength: 0.5}", 2),
        ("{locale: 'en', strength: -0.5}", 2),
        ("{locale: 'en', strength: null}", 14),
        ("{locale: 'en', strength: [1]}", 14),
        ("{locale: 'en', strength: {}}", 14),
        ("{locale: 'en', strength: 1, caseFirst: 'upper'}", 2),
        ("{locale: 'en', strength: 2, caseFirst: 'lower'}", 2),
        ("{locale: 'en', strength: 2, caseLevel: false, caseFirst: 'lower'}", 2),
        ("{locale: 'en', strength: 'x'}", 14),
        ("{locale: 'en', strength: true}", 14),
        ("{locale: 'en', caseLevel: 1}", 14),
        ("{locale: 'en', caseFirst: 1}", 14),
        ("{locale: 'en', caseFirst: 'x'}", 2),
        ("{locale: 'en', numericOrdering: 'x'}", 14),
        ("{locale: 'en', alternate: 'x'}", 2),
        ("{locale: 'en', alternate: 1}", 14),
        ("{locale: 'en', maxVariable: 'symbol'}", 2),
        ("{locale: 'en', normalization: 1}", 14),
        ("{locale: 'en', backwards: 1}", 14),
        ("{locale: 'en', strength: 1, backwards: true}", 2),
        ("{locale: 'en', version: 1}", 14),
        ("{locale: 'en', version: '1.0'}", 161),
        ("{locale: 'simple', strength: 1}", 9),
        ("{locale: 'simple', caseLevel: false}", 9),
    ] {
        let error = Collator::parse(&document(text)).unwrap_err();
        assert_eq!(error.code().number(), code, "{text}: {error}");
    }
}

#[test]
fn all_options_are_spelled_out() {
    for (given, expected) in [
        (
            "{locale: 'en'}",
            "{locale: 'en', caseLevel: false, caseFirst: 'off', strength: 3, numericOrdering: false, \
             alternate: 'non-ignorable', maxVariable: 'punct', normalization: false, backwards: false, \
             version: '57.1'}",
        ),
        (
            "{locale: 'fr_CA', strength: 2}",
            "{locale: 'fr_CA', caseLevel: false, caseFirst: 'off', strength: 2, numericOrdering: false, \
             alternate: 'non-ignorable', maxVariable: 'punct', normalization: false, backwards: true, \
             version: '57.1'}",
        ),
        (
            "{locale: 'de@collation=phonebook', strength: 1.0, caseLevel: true, caseFirst: 'upper', \
             numericOrdering: true, alternate: 'shifted', maxVariable: 'space', normalization: true, \
             version: '57.1'}",
            "{locale: 'de@collation=phonebook', caseLevel: true, caseFirst: 'upper', strength: 1, \
             numericOrdering: true, alternate: 'shifted', maxVariable: 'space', normalization: true, \
             backwards: false, version: '57.1'}",
        ),
        ("{locale: 'simple'}", "{locale: 'simple'}"),
    ] {
        let collator = collator(given);
        assert_eq!(collator.to_document(), document(expected), "{given}");
        // What is shown can be sent back.
        assert_eq!(Collator::parse(&collator.to_document()).unwrap(), collator);
    }
    assert_eq!(collator("{locale: 'simple'}"), Collator::default());
    assert!(collator("{locale: 'simple'}").is_simple());
    assert!(!collator("{locale: 'en'}").is_simple());
    assert_ne!(collator("{locale: 'en'}"), collator("{locale: 'de'}"));
    assert_ne!(collator("{locale: 'en'}"), collator("{locale: 'en', strength: 2}"));
}

#[test]
fn every_locale_of_the_manual_is_known() {
    let locales = "af sq am ar hy as az be bn bs bs_Cyrl bg my ca chr zh zh_Hant hr cs da nl dz en en_US \
                   en_US_POSIX eo et ee fo fil fi fr fr_CA gl ka de de_AT el gu ha haw he hi hu is ig smn id ga \
                   it ja kl kn kk km kok ko ky lkt lo lv ln lt dsb lb mk ms ml mt mr mn ne se nb nn or om ps fa \
                   fa_AF pl pt pa ro ru sr sr_Latn si sk sl es sw sv ta te th to tr uk hsb ur ug vi wae cy yi yo \
                   zu de@collation=phonebook es@collation=traditional zh@collation=pinyin zh@collation=stroke";
    let mut count = 0;
    for locale in locales.split_whitespace() {
        assert!(!collator(&format!("{{locale: '{locale}'}}")).is_simple());
        count += 1;
    }
    assert!(count > 100, "{count}");
}

/// Strings in order; those in one text, separated by blanks, are equal.
const ORDERS: &[(&str, &[&str])] = &[
    ("{locale: 'simple'}", &["A", "B", "a", "b", "é"]),
    ("{locale: 'en'}", &["a", "A", "á", "b", "B", "z"]),
    ("{locale: 'en', strength: 1}", &["a A á Á", "b B", "c"]),
    ("{locale: 'en', strength: 2}", &["a A", "á Á", "b B"]),
    ("{locale: 'en', strength: 1, caseLevel: true}", &["a á", "A Á", "b", "B"]),
    ("{locale: 'en', caseFirst: 'upper'}", &["A", "a", "B", "b"]),
    ("{locale: 'en', caseFirst: 'lower'}", &["a", "A", "b", "B"]),
    ("{locale: 'en'}", &["1", "10", "2"]),
    ("{locale: 'en', numericOrdering: true}", &["1", "2", "10", "a2", "a10", "a010b"]),
    ("{locale: 'en'}", &["a-b", "ab", "b"]),
    ("{locale: 'en', alternate: 'shifted', strength: 3}", &["ab a-b a.b", "ac"]),
    ("{locale: 'sv'}", &["o", "z", "å", "ä", "ö"]),
    ("{locale: 'de'}", &["a", "ä", "b", "o", "ö", "z"]),
    ("{locale: 'de@collation=phonebook'}", &["ad", "ä", "af"]),
    ("{locale: 'es'}", &["n", "ñ", "o"]),
    ("{locale: 'fr'}", &["cote", "coté", "côte", "côté"]),
    ("{locale: 'fr_CA'}", &["cote", "côte", "coté", "côté"]),
    ("{locale: 'fr', backwards: true}", &["cote", "côte", "coté", "côté"]),
    ("{locale: 'fr_CA', backwards: false}", &["cote", "coté", "côte", "côté"]),
    ("{locale: 'da'}", &["A", "a", "B", "z", "æ", "ø", "å"]),
    ("{locale: 'cs'}", &["c", "č", "h", "ch", "i"]),
    ("{locale: 'tr', strength: 1}", &["ı I", "i İ"]),
];

#[test]
fn orders() {
    let mut pairs = 0;
    for (options, groups) in ORDERS {
        let collator = collator(options);
        let ranked: Vec<_> = groups
            .iter()
            .enumerate()
            .flat_map(|(rank, group)| group.split(' ').map(move |text| (rank, text)))
            .collect();
        for (left_rank, left) in &ranked {
            for (right_rank, right) in &ranked {
                let expected = left_rank.cmp(right_rank);
                assert_eq!(
                    collator.compare_strings(left, right),
                    expected,
                    "{options}: {left} {right}"
                );
                // The same in arrays, in documents, and by keys.
                for form in [
                    "{v: 'X'}",
                    "{v: ['X']}",
                    "{v: {b: 'X', c: 1}}",
                    "{v: [{b: 'X'}]}",
                    "{v: sym('X')}",
                ] {
                    let one = document(&form.replace('X', left));
                    let other = document(&form.replace('X', right));
                    let value = |of: &bson::RawDocumentBuf| {
                        of.get("v").unwrap().map(bson::RawBson::from).unwrap()
                    };
                    let (one, other) = (value(&one), value(&other));
                    let (one, other) = (one.as_raw_bson_ref(), other.as_raw_bson_ref());
                    assert_eq!(collator.compare(one, other), expected, "{options}: {left} {right}");
                    for direction in [Direction::Ascending, Direction::Descending] {
                        let key = |value| {
                            let mut builder = KeyBuilder::default();
                            collator.push_key(&mut builder, Some(value), direction);
                            builder.finish()
                        };
                        let found = key(one).cmp(&key(other));
                        let found =
                            if direction == Direction::Ascending { found } else { found.reverse() };
                        assert_eq!(found, expected, "keys of {options}: {left} {right}");
                    }
                    assert_eq!(
                        collator.hash_key(one) == collator.hash_key(other),
                        expected == Ordering::Equal
                    );
                    pairs += 1;
                }
            }
        }
    }
    assert!(pairs > 1_500, "{pairs}");
}

#[test]
fn filters_compare_by_the_collation() {
    const CASELESS: &str = "{locale: 'en', strength: 2}";
    for (filter, text, expected) in [
        ("{a: 'x'}", "{a: 'X'}", true),
        ("{a: 'x'}", "{a: ['y', 'X']}", true),
        ("{a: 'x'}", "{a: 'y'}", false),
        ("{a: {$ne: 'x'}}", "{a: 'X'}", false),
        ("{a: {$gt: 'x'}}", "{a: 'Y'}", true),
        ("{a: {$gt: 'x'}}", "{a: 'X'}", false),
        ("{a: {$in: ['x', 'y', 1]}}", "{a: 'Y'}", true),
        ("{a: {$nin: ['x', 'y', 1]}}", "{a: 'Y'}", false),
        ("{a: {b: 'x'}}", "{a: {b: 'X'}}", true),
        ("{a: {b: 'x'}}", "{a: {B: 'x'}}", false),
        ("{a: ['x']}", "{a: ['X']}", true),
        ("{a: {$all: ['x', 'y']}}", "{a: ['Y', 'X']}", true),
        ("{a: {$elemMatch: {$eq: 'x'}}}", "{a: ['X']}", true),
        ("{a: {$elemMatch: {b: 'x'}}}", "{a: [{b: 'X'}]}", true),
        // Regular expressions and schemas do not look at it.
        ("{a: /x/}", "{a: 'X'}", false),
        ("{a: {$in: [/x/]}}", "{a: 'X'}", false),
        ("{$jsonSchema: {properties: {a: {enum: ['x']}}}}", "{a: 'X'}", false),
        ("{a: 5}", "{a: 5.0}", true),
        ("{a: null}", "{}", true),
    ] {
        assert_eq!(matches_collated(filter, text, CASELESS), expected, "{filter} on {text}");
    }
}

#[test]
fn sorts_go_by_the_collation() {
    let scope = scope("{locale: 'en', numericOrdering: true}");
    let sort = Sort::parse(&document("{a: 1}"), SortMode::Find, &scope).unwrap();
    let compare =
        |left: &str, right: &str| sort.compare(&document(left), &document(right)).unwrap();
    assert_eq!(compare("{a: 'x9'}", "{a: 'x10'}"), Ordering::Less);
    assert_eq!(compare("{a: 'B'}", "{a: 'a'}"), Ordering::Greater);
    assert_eq!(compare("{a: 5}", "{a: 'a'}"), Ordering::Less);
    assert_eq!(compare("{a: ['x10', 'x9']}", "{a: 'x9'}"), Ordering::Equal);
    assert_eq!(compare("{a: {b: 'z'}}", "{a: 'z'}"), Ordering::Greater);
}
