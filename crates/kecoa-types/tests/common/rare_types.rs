//! The types that few drivers know: addresses, bits, money, places, ranges, composites, hstore, vectors.

use std::net::IpAddr;
use std::ops::Bound;

use kecoa_types::civil::{Date, Timestamp};
use kecoa_types::composite::{self, Field};
use kecoa_types::{
    BitString, DecodeError, HalfVector, Hstore, Inet, MacAddr, MacAddr8, Money, Multirange,
    Numeric, PgLsn, Range, SparseVector, Tid, Vector, Xid8, binary, oid, range, text,
};
use proptest::prelude::*;

use super::{Codec, days, float4_values, microseconds, text_values};

codec!(inets, Inet, inet, "inet", "inet_send", INET, inet_values());
codec!(cidrs, Inet, cidr, "cidr", "cidr_send", CIDR, cidr_values());
codec!(
    macaddrs,
    MacAddr,
    macaddr,
    "macaddr",
    "macaddr_send",
    MACADDR,
    any::<[u8; 6]>().prop_map(MacAddr).boxed()
);
codec!(
    macaddr8s,
    MacAddr8,
    macaddr8,
    "macaddr8",
    "macaddr8_send",
    MACADDR8,
    any::<[u8; 8]>().prop_map(MacAddr8).boxed()
);
codec!(varbits, BitString, varbit, "varbit", "varbit_send", VARBIT, bit_values(0..70));
codec!(bits, BitString, bit, "bit(13)", "bit_send", BIT, bit_values(13..14));
codec!(moneys, Money, money, "money", "cash_send", MONEY, money_values());
codec!(
    lsns,
    PgLsn,
    pg_lsn,
    "pg_lsn",
    "pg_lsn_send",
    PG_LSN,
    small_and_large().prop_map(PgLsn).boxed()
);
codec!(xid8s, Xid8, xid8, "xid8", "xid8send", XID8, small_and_large().prop_map(Xid8).boxed());
codec!(
    tids,
    Tid,
    tid,
    "tid",
    "tidsend",
    TID,
    any::<(u32, u16)>().prop_map(|(block, offset)| Tid { block, offset }).boxed()
);
codec!(bpchars, String, bpchar, "bpchar", "bpcharsend", BPCHAR, text_values());
// Its oid is another one in every database; arrays of it are tested in text form only.
codec!(hstores, Hstore, hstore, "hstore", "hstore_send", UNKNOWN, hstore_values());
codec!(exact_vectors, Vector, vector, "vector", "vector_send", PGVECTOR, vector_values());
codec!(exact_half_vectors, HalfVector, halfvec, "halfvec", "halfvec_send", UNKNOWN, half_values());
codec!(
    exact_sparse_vectors,
    SparseVector,
    sparsevec,
    "sparsevec",
    "sparsevec_send",
    UNKNOWN,
    sparse_values()
);

/// As they print: NaN is NaN.
fn shown<T: std::fmt::Debug>(a: &T, b: &T) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

pub fn vectors() -> Codec<Vector> {
    Codec { same: shown, same_binary: shown, ..exact_vectors() }
}

pub fn half_vectors() -> Codec<HalfVector> {
    Codec { same: shown, same_binary: shown, ..exact_half_vectors() }
}

pub fn sparse_vectors() -> Codec<SparseVector> {
    Codec { same: shown, same_binary: shown, ..exact_sparse_vectors() }
}

macro_rules! range_codec {
    ($name:ident, $many:ident, $type:ty, $module:ident, $sql:literal, $sql_many:literal, $oid:ident, $oid_many:ident,
     $values:expr) => {
        pub fn $name() -> Codec<Range<$type>> {
            Codec {
                sql: $sql,
                send: "range_send",
                oid: oid::$oid,
                values: range_values($values),
                text_encode: |value, out| {
                    range::text::encode(value, out, |bound, out| text::$module::encode(bound, out));
                },
                text_decode: |bytes| range::text::decode(bytes, text::$module::decode),
                binary_encode: |value, out| {
                    range::binary::encode(value, out, |bound, out| {
                        binary::$module::encode(bound, out);
                        Ok(())
                    })
                    .unwrap();
                },
                binary_decode: |bytes| range::binary::decode(bytes, binary::$module::decode),
                same: PartialEq::eq,
                same_binary: PartialEq::eq,
            }
        }

        pub fn $many() -> Codec<Multirange<$type>> {
            Codec {
                sql: $sql_many,
                send: "multirange_send",
                oid: oid::$oid_many,
                values: multirange_values($values),
                text_encode: |value, out| {
                    range::text::encode_multirange(value, out, |bound, out| {
                        text::$module::encode(bound, out);
                    });
                },
                text_decode: |bytes| range::text::decode_multirange(bytes, text::$module::decode),
                binary_encode: |value, out| {
                    range::binary::encode_multirange(value, out, |bound, out| {
                        binary::$module::encode(bound, out);
                        Ok(())
                    })
                    .unwrap();
                },
                binary_decode: |bytes| {
                    range::binary::decode_multirange(bytes, binary::$module::decode)
                },
                same: PartialEq::eq,
                same_binary: PartialEq::eq,
            }
        }
    };
}

range_codec!(
    int8_ranges,
    int8_multiranges,
    i64,
    int8,
    "int8range",
    "int8multirange",
    INT8RANGE,
    INT8MULTIRANGE,
    |count| ordered(prop_oneof![any::<i64>(), -9i64..9].boxed(), count, |value| value)
);
range_codec!(
    num_ranges,
    num_multiranges,
    Numeric,
    numeric,
    "numrange",
    "nummultirange",
    NUMRANGE,
    NUMMULTIRANGE,
    |count| ordered((-1_000_000_000i64..1_000_000_000).boxed(), count, |value| format!(
        "{value}.5"
    )
    .parse()
    .unwrap())
);
range_codec!(
    date_ranges,
    date_multiranges,
    Date,
    date,
    "daterange",
    "datemultirange",
    DATERANGE,
    DATEMULTIRANGE,
    |count| ordered(days().prop_map(|day| i64::from(day.to_days())).boxed(), count, |day| {
        let day = i32::try_from(day).unwrap();
        Date::Finite(kecoa_types::civil::CivilDate::from_days(day).unwrap())
    })
);
range_codec!(
    ts_ranges,
    ts_multiranges,
    Timestamp,
    timestamp,
    "tsrange",
    "tsmultirange",
    TSRANGE,
    TSMULTIRANGE,
    |count| ordered(microseconds(), count, |us| {
        Timestamp::Finite(kecoa_types::civil::CivilTimestamp::from_microseconds(us).unwrap())
    })
);

/// The composite type `pair`, of an int4 and a text.
pub fn pairs() -> Codec<(Option<i32>, Option<String>)> {
    Codec {
        sql: "pair",
        send: "record_send",
        oid: oid::UNKNOWN,
        values: (prop::option::of(any::<i32>()), prop::option::of(text_values())).boxed(),
        text_encode: |(number, string), out| {
            let number = number.map(|number| {
                let mut out = Vec::new();
                text::int4::encode(&number, &mut out);
                out
            });
            composite::encode_text(&[number, string.clone().map(String::into_bytes)], out);
        },
        text_decode: |bytes| match &composite::decode_text(bytes)?[..] {
            [number, string] => {
                pair_of(number.as_deref().map(text::int4::decode).transpose()?, string.as_deref())
            }
            _ => Err(DecodeError::text("two fields", bytes)),
        },
        binary_encode: |(number, string), out| {
            let fields = [
                Field { oid: oid::INT4, value: number.map(|number| number.to_be_bytes().to_vec()) },
                Field { oid: oid::TEXT, value: string.clone().map(String::into_bytes) },
            ];
            composite::encode_binary(&fields, out).unwrap();
        },
        binary_decode: |bytes| match &composite::decode_binary(bytes)?[..] {
            [number, string] => pair_of(
                number.value.as_deref().map(binary::int4::decode).transpose()?,
                string.value.as_deref(),
            ),
            _ => Err(DecodeError::binary("two fields", bytes)),
        },
        same: PartialEq::eq,
        same_binary: PartialEq::eq,
    }
}

fn pair_of(
    number: Option<i32>,
    string: Option<&[u8]>,
) -> Result<(Option<i32>, Option<String>), DecodeError> {
    Ok((number, string.map(text::text::decode).transpose()?.map(str::to_owned)))
}

/// The enumeration `mood`.
pub fn moods() -> Codec<String> {
    let values = prop::sample::select(vec!["sad", "so, so", "very \"happy\"", "ünï"]);
    Codec {
        sql: "mood",
        send: "enum_send",
        oid: oid::UNKNOWN,
        values: values.prop_map(str::to_owned).boxed(),
        ..super::texts()
    }
}

fn small_and_large() -> BoxedStrategy<u64> {
    prop_oneof![0u64..1000, any::<u32>().prop_map(u64::from), any::<u64>(), Just(u64::MAX)].boxed()
}

fn money_values() -> BoxedStrategy<Money> {
    // The server's own input function refuses the least.
    prop_oneof![
        -100_000i64..100_000,
        any::<i32>().prop_map(i64::from),
        i64::MIN + 1..=i64::MAX,
        Just(i64::MAX)
    ]
    .prop_map(Money)
    .boxed()
}

fn addresses() -> BoxedStrategy<IpAddr> {
    // Runs of zero words in all places.
    let word = prop_oneof![3 => Just(0u16), 1 => Just(0xffff), 1 => 0u16..20, 1 => any::<u16>()];
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u16; 8]>().prop_map(IpAddr::from),
        prop::array::uniform8(word).prop_map(IpAddr::from),
    ]
    .boxed()
}

fn inet_values() -> BoxedStrategy<Inet> {
    (addresses(), any::<u8>(), any::<bool>())
        .prop_map(|(address, prefix, host)| {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            Inet::new(address, if host { bits } else { prefix % (bits + 1) }).unwrap()
        })
        .boxed()
}

fn cidr_values() -> BoxedStrategy<Inet> {
    inet_values()
        .prop_map(|inet| {
            let prefix = u32::from(inet.prefix());
            let address = match inet.address() {
                IpAddr::V4(address) => IpAddr::V4(
                    (address.to_bits() & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)).into(),
                ),
                IpAddr::V6(address) => IpAddr::V6(
                    (address.to_bits() & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)).into(),
                ),
            };
            Inet::new(address, inet.prefix()).unwrap()
        })
        .boxed()
}

fn bit_values(length: std::ops::Range<usize>) -> BoxedStrategy<BitString> {
    prop::collection::vec(any::<bool>(), length).prop_map(|bits| bits.into_iter().collect()).boxed()
}

fn hstore_values() -> BoxedStrategy<Hstore> {
    prop::collection::btree_map(text_values(), prop::option::of(text_values()), 0..4)
        .prop_map(Hstore)
        .boxed()
}

fn finite() -> BoxedStrategy<f32> {
    float4_values().prop_filter("what a vector holds", |value| value.is_finite()).boxed()
}

fn vector_values() -> BoxedStrategy<Vector> {
    prop::collection::vec(finite(), 0..6).prop_map(Vector).boxed()
}

fn half_values() -> BoxedStrategy<HalfVector> {
    let quarters = (-8_000i16..8_000).prop_map(|n| f32::from(n) / 4.0);
    // Of more digits than a half holds, so that it has one form.
    let exact = quarters.prop_map(|n| if n.abs() < 512.0 { n } else { n.trunc() });
    prop::collection::vec(exact, 0..6).prop_map(HalfVector).boxed()
}

fn sparse_values() -> BoxedStrategy<SparseVector> {
    prop::collection::btree_map(0u32..50, finite(), 0..6)
        .prop_map(|entries| SparseVector::new(50, entries.into_iter().collect()).unwrap())
        .boxed()
}

/// Up to `count` different values, ascending.
fn ordered<T: std::fmt::Debug + 'static>(
    values: BoxedStrategy<i64>,
    count: usize,
    make: fn(i64) -> T,
) -> BoxedStrategy<Vec<T>> {
    prop::collection::btree_set(values, 0..=count)
        .prop_map(move |values| values.into_iter().map(make).collect())
        .boxed()
}

/// As the server keeps ranges: `[lower,upper)`, without bounds where there are no two values.
fn range_values<T: Clone + std::fmt::Debug + 'static>(
    ordered: impl Fn(usize) -> BoxedStrategy<Vec<T>>,
) -> BoxedStrategy<Range<T>> {
    (ordered(2), any::<bool>())
        .prop_map(|(values, first)| match (&values[..], first) {
            ([lower, upper], _) => Range::from(lower.clone()..upper.clone()),
            ([bound], true) => Range::Between(Bound::Included(bound.clone()), Bound::Unbounded),
            ([bound], false) => Range::Between(Bound::Unbounded, Bound::Excluded(bound.clone())),
            (_, true) => Range::Between(Bound::Unbounded, Bound::Unbounded),
            (_, false) => Range::Empty,
        })
        .boxed()
}

fn multirange_values<T: Clone + std::fmt::Debug + 'static>(
    ordered: impl Fn(usize) -> BoxedStrategy<Vec<T>>,
) -> BoxedStrategy<Multirange<T>> {
    ordered(6)
        .prop_map(|values| {
            Multirange(
                values
                    .chunks(2)
                    .map(|pair| match pair {
                        [lower, upper] => Range::from(lower.clone()..upper.clone()),
                        rest => Range::Between(Bound::Included(rest[0].clone()), Bound::Unbounded),
                    })
                    .collect(),
            )
        })
        .boxed()
}
