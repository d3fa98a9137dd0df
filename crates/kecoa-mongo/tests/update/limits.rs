//! How deep and how large a document may become.

use crate::support::{apply, check_made, difference};

fn nested(levels: usize) -> String {
    format!("{}1{}", "{a: ".repeat(levels), "}".repeat(levels))
}

fn path(names: usize) -> String {
    vec!["a"; names].join(".")
}

#[test]
fn a_document_has_a_hundred_levels() {
    let deep = |levels: usize| format!("{{x: {}}}", nested(levels));
    check_made(&[
        ("{}".into(), format!("{{$set: {{\"{}\": 1}}}}", path(100)), nested(100)),
        ("{}".into(), format!("{{$set: {{\"{}\": 1}}}}", path(101)), "!15".into()),
        ("{}".into(), format!("{{$set: {{\"{}\": 1}}}}", path(150)), "!15".into()),
        ("{}".into(), format!("{{$set: {{\"{}\": 1}}}}", path(201)), "!15".into()),
        ("{}".into(), format!("{{$set: {{x: {}}}}}", nested(99)), deep(99)),
        ("{}".into(), format!("{{$set: {{x: {}}}}}", nested(100)), "!15".into()),
        (
            deep(99),
            "{$set: {y: 1}}".into(),
            deep(99).trim_end_matches('}').to_owned() + &"}".repeat(99) + ", y: 1}",
        ),
        (deep(99), "{$rename: {x: \"y.z\"}}".into(), "!15".into()),
        (deep(98), "{$rename: {x: \"y.z\"}}".into(), format!("{{y: {{z: {}}}}}", nested(98))),
        ("{}".into(), format!("{{$push: {{x: {}}}}}", nested(99)), "!15".into()),
        (
            "{}".into(),
            format!("{{$push: {{x: {}}}}}", nested(98)),
            format!("{{x: [{}]}}", nested(98)),
        ),
    ]);
}

#[test]
fn padding_has_a_limit() {
    let far = apply("{a: []}", "{$set: {\"a.1500001\": 1}}", None, None);
    assert_eq!(difference(far, "!34"), None);
    let further = apply("{a: []}", "{$set: {\"a.99999999999999999999999\": 1}}", None, None);
    assert_eq!(difference(further, "!34"), None);
    // Nothing is put there.
    let nothing = apply("{a: []}", "{$unset: {\"a.1500001\": 1}}", None, None);
    assert_eq!(difference(nothing, "="), None);
    let near = apply("{a: []}", "{$set: {\"a.1500000\": 1}}", None, None);
    assert!(near.is_ok() || difference(near, "!17419").is_none());
}

#[test]
fn a_document_has_sixteen_megabytes() {
    let half = "x".repeat(8 * 1024 * 1024);
    let document = format!("{{_id: 1, a: \"{half}\"}}");
    let large = apply(&document, &format!("{{$set: {{b: \"{half}\"}}}}"), None, None);
    assert_eq!(difference(large, "!17419"), None);
    let same = apply(&document, &format!("{{$set: {{a: \"{half}\"}}}}"), None, None);
    assert_eq!(difference(same, "="), None);
}
