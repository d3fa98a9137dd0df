//! How long the decoders that loaders call for every value take. Run it with
//! `cargo test --release -p kecoa-types --test speed -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::hint::black_box;
use std::time::Instant;

use kecoa_types::array::text::{Event, Parser};
use kecoa_types::{DecodeError, text};

const VALUES: usize = 10_000;
const ROUNDS: usize = 100;

/// Nanoseconds a value, the best of some rounds over values that differ.
fn time<T>(
    name: &str,
    form: impl Fn(usize) -> String,
    decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
) {
    let values: Vec<Vec<u8>> = (0..VALUES).map(|index| form(index).into_bytes()).collect();
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for value in &values {
                let _ = black_box(decode(black_box(value)).unwrap());
            }
            start.elapsed()
        })
        .min()
        .unwrap();
    println!("{name:<24} {:6.1} ns", best.as_nanos() as f64 / VALUES as f64);
}

#[test]
#[ignore = "a measurement, not a check"]
fn nanoseconds_a_value() {
    let day = |i: usize| format!("{:04}-{:02}-{:02}", 1900 + i % 200, i % 12 + 1, i % 28 + 1);
    let clock = |i: usize| format!("{:02}:{:02}:{:02}", i % 24, i % 60, i * 7 % 60);
    time("bool", |i| if i % 3 == 0 { "t".into() } else { "f".into() }, text::bool::decode);
    time("int4", |i| (i * 7_919).to_string(), text::int4::decode);
    time("int8, 6 to 8 digits", |i| (i * 7_919).to_string(), text::int8::decode);
    time("int8, 18 digits", |i| (900_000_000_000_000_000 + i).to_string(), text::int8::decode);
    time("float8", |i| format!("{}", i as f64 * 1.37), text::float8::decode);
    time("numeric, 12.34", |i| format!("{}.{:02}", i * 7, i % 100), text::numeric::decode);
    time("date", day, text::date::decode);
    time("time", clock, text::time::decode);
    time("timestamp", |i| format!("{} {}", day(i), clock(i)), text::timestamp::decode);
    time(
        "timestamptz, .ffffff",
        |i| format!("{} {}.{:06}+00", day(i), clock(i), i * 97 % 1_000_000),
        text::timestamptz::decode,
    );
    time(
        "timestamptz, .fff+05:30",
        |i| format!("{} {}.{:03}+05:30", day(i), clock(i), i % 1_000),
        text::timestamptz::decode,
    );
    time("interval", |i| format!("{i} days {}", clock(i)), text::interval::decode);
    time("uuid", |i| format!("{i:08x}-9c0b-4ef8-bb6d-{:012x}", i * 48_271), text::uuid::decode);
    time("bytea, 16 bytes", |i| format!("\\x{i:032x}"), text::bytea::decode);
    time(
        "int8[100], whole",
        |i| format!("{{{}}}", (0..100).map(|n| (n * i).to_string()).collect::<Vec<_>>().join(",")),
        |bytes| {
            let mut sum = 0i64;
            for event in Parser::new(bytes, b',') {
                if let Event::Element(element) = event? {
                    sum = sum.wrapping_add(text::int8::decode(&element)?);
                }
            }
            Ok(sum)
        },
    );
}
