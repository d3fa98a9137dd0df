//! How fast documents are matched. Run in release, alone: `--release --test query -- --ignored speed`.

use std::time::Instant;

use bson::RawDocumentBuf;

use crate::support::*;

#[test]
#[ignore = "a measurement, which means something only in release on a quiet machine"]
fn a_million_small_documents_a_second() {
    let documents: Vec<RawDocumentBuf> = (0..1000)
        .map(|number| {
            document(&format!(
                "{{_id: oid(1), name: 'user{number}', age: {}, tags: ['a', 'b'], address: {{city: 'x', zip: {number}}}}}",
                number % 90
            ))
        })
        .collect();
    let variables = variables();
    for (text, expected) in [
        ("{age: {$gt: 45}}", 484),
        ("{name: 'user500'}", 1),
        ("{'address.zip': {$gte: 100, $lt: 200}}", 100),
        ("{tags: 'b', age: 7}", 12),
    ] {
        let filter = parse(text).unwrap();
        let started = Instant::now();
        let mut found = 0;
        for _ in 0..1000 {
            for document in &documents {
                found += usize::from(filter.matches(document, &variables).unwrap());
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        assert_eq!(found, expected * 1000, "{text}");
        assert!(seconds < 1.0, "{text}: {seconds} s for a million documents");
    }
}
