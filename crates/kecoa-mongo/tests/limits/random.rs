//! What the fuzz targets do, on bytes by chance: nothing panics. KECOA_FUZZ_SECONDS says how long; half a second each.

use std::time::{Duration, Instant};

use crate::documents::{expressions, filters, pipelines, updates};

/// Runs on ever new bytes, and on small changes of those before. The seed is in the message of a panic.
fn run(name: &str, target: fn(&[u8])) {
    let seconds = std::env::var("KECOA_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = Instant::now() + Duration::from_secs_f64(seconds.unwrap_or(0.5));
    let mut seed = seconds.map_or(1, |_| fastrand::u64(..));
    let mut count = 0_u64;
    while Instant::now() < until {
        seed = seed.wrapping_add(1);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = vec![0; random.usize(8..400)];
        random.fill(&mut bytes);
        for _ in 0..8 {
            let caught = std::panic::catch_unwind(|| target(&bytes));
            assert!(caught.is_ok(), "{name}: seed {seed}, bytes {bytes:?}");
            let place = random.usize(..bytes.len());
            bytes[place] = random.u8(..);
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn expressions_by_chance() {
    run("expressions", expressions);
}

#[test]
fn filters_by_chance() {
    run("filters", filters);
}

#[test]
fn updates_by_chance() {
    run("updates", updates);
}

#[test]
fn pipelines_by_chance() {
    run("pipelines", pipelines);
}
