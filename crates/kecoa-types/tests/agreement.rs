//! 10,000 values of every type to a server and back, in both forms.
//!
//! Text goes in by COPY and so does the binary form; what the server prints and sends must be what is
//! encoded here, byte for byte, and must decode to the same value. `KECOA_TEST_SEED` (a number) chooses
//! other values; the seed is printed, and each failure names it. The server is PostgreSQL 17 or newer: older
//! ones have no infinite intervals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;
mod psql;

use std::fmt::Debug;

use common::{Codec, same_array};
use kecoa_types::array::{Array, Dimension};
use kecoa_types::{TypeInfo, TypeKind, binary, oid, text};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use psql::Psql;

/// Values of each type.
const COUNT: usize = 10_000;
/// Arrays of each type, beside them; over 10,000 in all.
const ARRAYS: usize = 350;

fn seed() -> u64 {
    std::env::var("KECOA_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(5)
}

/// The values of a type that the seed says, each type from its own place.
fn sample<T: Debug>(codec: &Codec<T>) -> Vec<T> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    for (slot, byte) in bytes[8..].iter_mut().zip(codec.sql.bytes()) {
        *slot = byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..COUNT).map(|_| codec.values.new_tree(&mut runner).unwrap().current()).collect()
}

/// The text and the binary form of one value or array.
struct Forms {
    text: Vec<u8>,
    binary: Vec<u8>,
}

/// What the server made of them: it printed and sent what it had read as text, and sent what it had read
/// in binary form.
struct Answer {
    text: Vec<u8>,
    binary: Vec<u8>,
    binary_of_binary: Vec<u8>,
}

fn ask(psql: &Psql, sql: &str, send: &str, forms: &[Forms]) -> Vec<Answer> {
    let mut script = format!(
        "set timezone to 'Asia/Kolkata';\ncreate temp table t (i int4, v {sql});\n\
         create temp table b (i int4, v {sql});\ncopy t from stdin;\n"
    )
    .into_bytes();
    let mut file = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for (index, Forms { text, binary }) in forms.iter().enumerate() {
        let index = i32::try_from(index).unwrap();
        script.extend_from_slice(format!("{index}\t").as_bytes());
        psql::push_copied(text, &mut script);
        script.push(b'\n');
        file.extend_from_slice(&2i16.to_be_bytes());
        for field in [&index.to_be_bytes()[..], binary] {
            file.extend_from_slice(&i32::try_from(field.len()).unwrap().to_be_bytes());
            file.extend_from_slice(field);
        }
    }
    file.extend_from_slice(&(-1i16).to_be_bytes());
    let file = psql::File::new(&file);
    script.extend_from_slice(
        format!(
            "\\.\n\\copy b from '{}' (format binary)\n\
             copy (select encode(convert_to(format('%s', t.v), 'UTF8'), 'hex'), \
             encode({send}(t.v), 'hex'), encode({send}(b.v), 'hex') \
             from t join b using (i) order by i) to stdout (delimiter '|');\n",
            file.path()
        )
        .as_bytes(),
    );
    let rows = psql.run(&script);
    assert_eq!(rows.len(), forms.len(), "{sql}");
    rows.into_iter()
        .map(|row| match <[Vec<u8>; 3]>::try_from(row) {
            Ok([text, binary, binary_of_binary]) => Answer { text, binary, binary_of_binary },
            Err(row) => panic!("{sql}: {row:?}"),
        })
        .collect()
}

fn scalars<T: Clone + Debug + 'static>(codec: &Codec<T>, psql: &Psql) {
    let values = sample(codec);
    let forms: Vec<_> = values
        .iter()
        .map(|value| Forms { text: codec.text(value), binary: codec.binary(value) })
        .collect();
    let answers = ask(psql, codec.sql, codec.send, &forms);
    for ((value, ours), server) in values.iter().zip(&forms).zip(&answers) {
        let about = || {
            let shown = String::from_utf8_lossy(&server.text);
            format!("seed {}: {} {value:?}: {shown}", seed(), codec.sql)
        };
        let read = (codec.text_decode)(&server.text).unwrap_or_else(|error| {
            panic!("{}: {error}", about());
        });
        assert!((codec.same_binary)(&read, value), "{}: read {read:?}", about());
        let read_binary = (codec.binary_decode)(&server.binary).unwrap_or_else(|error| {
            panic!("{}: {error}", about());
        });
        assert!((codec.same_binary)(&read_binary, value), "{}: read {read_binary:?}", about());
        assert_eq!(ours.binary, server.binary, "{}", about());
        assert_eq!(ours.binary, server.binary_of_binary, "{}", about());
        // An instant is printed in the session's zone, whatever zone it was written in.
        let printed = if codec.sql == "timestamptz" { &codec.text(&read) } else { &ours.text };
        let printed = String::from_utf8_lossy(printed);
        assert_eq!(printed, String::from_utf8_lossy(&server.text), "{}", about());
    }
}

#[test]
fn values_agree() {
    let Some(psql) = Psql::of_tests("values_agree") else { return };
    eprintln!("KECOA_TEST_SEED={}", seed());
    for_each_usual_type!(scalars, &psql);
}

#[test]
fn values_of_rare_types_agree() {
    let Some(psql) = Psql::of_tests("values_of_rare_types_agree") else { return };
    for_each_rare_type!(scalars, &psql);
}

#[test]
fn values_of_created_types_agree() {
    let Some(psql) = Psql::of_tests("values_of_created_types_agree") else { return };
    let schema = psql.schema_named(
        "created",
        "create extension hstore;\ncreate type pair as (n int4, t text);\n\
         create type mood as enum ('sad', 'so, so', 'very \"happy\"', 'ünï');\n",
    );
    for_each_created_type!(scalars, &schema);
}

/// Arrays of one to six dimensions, of any bounds, with NULLs; or the empty one.
fn arrays<T: Clone>(values: &[T]) -> Vec<Array<T>> {
    let mut state = seed();
    let mut random = move |below: u64| {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below).unwrap()
    };
    (0..ARRAYS)
        .map(|index| {
            let dimensions: Vec<_> = (0..index % 7)
                .map(|_| Dimension {
                    length: 1 + random(3),
                    lower_bound: if random(3) == 0 {
                        i32::try_from(random(9)).unwrap() - 4
                    } else {
                        1
                    },
                })
                .collect();
            let count = match &dimensions[..] {
                [] => 0,
                some => some.iter().map(|dimension| dimension.length).product(),
            };
            let total = u64::try_from(values.len()).unwrap();
            let elements = (0..count)
                .map(|_| (random(6) > 0).then(|| values[random(total)].clone()))
                .collect();
            Array::new(dimensions, elements).unwrap()
        })
        .collect()
}

fn array_agreement<T: Clone + Debug + 'static>(codec: &Codec<T>, psql: &Psql) {
    let mut runner = TestRunner::deterministic();
    let pool: Vec<T> =
        (0..500).map(|_| codec.values.new_tree(&mut runner).unwrap().current()).collect();
    let values = arrays(&pool);
    let forms: Vec<_> = values
        .iter()
        .map(|value| Forms { text: codec.array_text(value), binary: codec.array_binary(value) })
        .collect();
    let sql = format!("{}[]", codec.sql);
    for ((value, ours), server) in
        values.iter().zip(&forms).zip(ask(psql, &sql, "array_send", &forms))
    {
        let shown = String::from_utf8_lossy(&server.text);
        let read = codec.array_from_text(&server.text).unwrap();
        assert!(same_array(&read, value, codec.same_binary), "{sql} {value:?}: {shown}");
        let read_binary = codec.array_from_binary(&server.binary).unwrap();
        assert!(same_array(&read_binary, value, codec.same_binary), "{sql} {value:?}");
        assert_eq!(ours.binary, server.binary, "{sql} {value:?}");
        assert_eq!(ours.binary, server.binary_of_binary, "{sql} {value:?}");
        assert_eq!(String::from_utf8_lossy(&codec.array_text(&read)), shown, "{sql}");
    }
}

#[test]
fn arrays_agree() {
    let Some(psql) = Psql::of_tests("arrays_agree") else { return };
    for_each_type!(array_agreement, &psql);
}

/// Every style prints what is read as the same interval.
#[test]
fn intervals_agree_in_every_style() {
    let Some(psql) = Psql::of_tests("intervals_agree_in_every_style") else { return };
    let codec = common::intervals();
    let values = sample(&codec);
    let styles = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"];
    let mut script = b"create temp table t (i int4, v interval);\ncopy t from stdin;\n".to_vec();
    for (index, value) in values.iter().enumerate() {
        script.extend_from_slice(format!("{index}\t").as_bytes());
        psql::push_copied(&codec.text(value), &mut script);
        script.push(b'\n');
    }
    script.extend_from_slice(b"\\.\n");
    for style in styles {
        script.extend_from_slice(
            format!(
                "set intervalstyle to {style};\n\
                 copy (select encode(v::text::bytea, 'hex') from t order by i) to stdout;\n"
            )
            .as_bytes(),
        );
    }
    let rows = psql.run(&script);
    assert_eq!(rows.len(), values.len() * styles.len());
    for (style, rows) in styles.iter().zip(rows.chunks(values.len())) {
        for (value, row) in values.iter().zip(rows) {
            let shown = String::from_utf8_lossy(&row[0]);
            let read = text::interval::decode(&row[0]);
            assert_eq!(read.as_ref().ok(), Some(value), "seed {}: {style}: {shown}", seed());
        }
    }
}

/// Geometric types are text here: the text written of their binary form is what the server prints.
#[test]
fn geometric_types_agree() {
    let Some(psql) = Psql::of_tests("geometric_types_agree") else { return };
    let codec = common::float8s();
    let numbers: Vec<f64> = sample(&codec).into_iter().filter(|n| n.is_finite()).collect();
    let types = [
        (oid::POINT, "point", 2),
        (oid::LSEG, "lseg", 4),
        (oid::BOX, "box", 4),
        (oid::PATH, "path", 6),
        (oid::POLYGON, "polygon", 6),
        (oid::LINE, "line", 3),
        (oid::CIRCLE, "circle", 3),
    ];
    for (type_oid, sql, width) in types {
        let mut forms = Vec::with_capacity(COUNT);
        for index in 0..COUNT {
            let mut own: Vec<f64> =
                (0..width).map(|at| numbers[(index + at * 131) % numbers.len()]).collect();
            match type_oid {
                oid::CIRCLE => own[2] = own[2].abs(),
                // To the server all below a millionth is zero.
                oid::LINE => own[0] = own[0].abs().max(1.0),
                oid::BOX => {
                    // The upper right corner comes first.
                    for (high, low) in [(0, 2), (1, 3)] {
                        if own[high] < own[low] {
                            own.swap(high, low);
                        }
                    }
                }
                _ => {}
            }
            let mut bytes = Vec::new();
            if type_oid == oid::PATH {
                bytes.push(u8::from(index % 2 == 0));
            }
            if matches!(type_oid, oid::PATH | oid::POLYGON) {
                bytes.extend_from_slice(&3i32.to_be_bytes());
            }
            bytes.extend(own.iter().flat_map(|number| number.to_be_bytes()));
            let mut text = Vec::new();
            binary::geometry::write_text(type_oid, &bytes, &mut text).unwrap();
            forms.push(Forms { text, binary: bytes });
        }
        let send = match sql {
            "polygon" => "poly_send".to_owned(),
            _ => format!("{sql}_send"),
        };
        for (ours, server) in forms.iter().zip(ask(&psql, sql, &send, &forms)) {
            let shown = String::from_utf8_lossy(&server.text);
            assert_eq!(String::from_utf8_lossy(&ours.text), shown, "{sql}");
            assert_eq!(ours.binary, server.binary, "{sql} {shown}");
            assert_eq!(ours.binary, server.binary_of_binary, "{sql} {shown}");
        }
    }
}

/// `void` is what a function without a result returns: nothing, in both forms.
#[test]
fn void_is_nothing() {
    let Some(psql) = Psql::of_tests("void_is_nothing") else { return };
    let rows = psql.run(b"select encode(void_send(pg_sleep(0)), 'hex') || '00';\n");
    assert_eq!(rows[0][0], [0]);
    assert_eq!(<() as kecoa_types::FromSql>::decode_binary(oid::VOID, b""), Ok(()));
    assert_eq!(<() as kecoa_types::FromSql>::decode_text(oid::VOID, b""), Ok(()));
}

/// The catalogue's answer, of every kind of type.
#[test]
fn types_are_looked_up() {
    let Some(psql) = Psql::of_tests("types_are_looked_up") else { return };
    let schema = psql.schema_named(
        "info",
        "create type mood as enum ('sad');\ncreate type pair as (n int4);\n\
         create domain few as int4;\ncreate type span as range (subtype = float8);\n",
    );
    let kinds = [
        ("mood", TypeKind::Enum),
        ("pair", TypeKind::Composite),
        ("few", TypeKind::Domain(oid::INT4)),
        ("span", TypeKind::Range(oid::FLOAT8)),
        ("span_multirange", TypeKind::Multirange(oid::FLOAT8)),
        ("text", TypeKind::Base),
        ("void", TypeKind::Pseudo),
    ];
    for (name, kind) in kinds {
        let query = TypeInfo::QUERY.replace("$1", &format!("'{name}'"));
        let columns = (1..=7).map(|at| format!("encode(c{at}::bytea, 'hex')")).collect::<Vec<_>>();
        let script = format!(
            "select {} from ({query}) t(c1, c2, c3, c4, c5, c6, c7);\n",
            columns.join(", ")
        );
        let rows = schema.run(script.as_bytes());
        let row: Vec<String> =
            rows[0].iter().map(|column| String::from_utf8(column.clone()).unwrap()).collect();
        let row: Vec<Option<&str>> = row.iter().map(|column| Some(column.as_str())).collect();
        let info = TypeInfo::from_columns(&row).unwrap();
        assert_eq!((info.name.as_str(), info.kind, info.delimiter), (name, kind, b','));
        assert_eq!(info.array_oid == 0, name == "void", "{name}");
    }
}
