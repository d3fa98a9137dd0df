//! The traits of the Rust client.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kecoa_types::civil::{Date, Interval, Time, TimeTz, Timestamp, TimestampTz};
use kecoa_types::{
    Array, EncodeError, FromSql, Hstore, IsNull, Json, Numeric, Range, StaticOid, ToSql, Uuid,
    Vector, oid,
};

fn sent(value: &dyn ToSql) -> (u32, Option<Vec<u8>>) {
    let mut out = Vec::new();
    let null = value.encode_binary(&mut out).unwrap();
    (value.type_oid(), (null == IsNull::No).then_some(out))
}

fn comes_back<T: ToSql + FromSql + PartialEq + std::fmt::Debug>(value: T) {
    let (oid, bytes) = sent(&value);
    assert!(T::accepts(oid));
    let again = match bytes {
        Some(bytes) => T::decode_binary(oid, &bytes),
        None => T::decode_null(),
    };
    assert_eq!(again, Ok(value));
}

#[test]
fn what_is_sent_can_be_read() {
    let time = Time::new(1, 2, 3, 4).unwrap();
    comes_back(true);
    comes_back(-2i16);
    comes_back(-4i32);
    comes_back(-8i64);
    comes_back(8u32);
    comes_back(0.5f32);
    comes_back(0.25f64);
    comes_back("text".to_owned());
    comes_back(vec![0u8, 1]);
    comes_back(Uuid::from_bytes([7; 16]));
    comes_back("1.50".parse::<Numeric>().unwrap());
    comes_back(Json::new("{}"));
    comes_back(Date::new(2024, 1, 2).unwrap());
    comes_back(time);
    comes_back(TimeTz::new(time, 3_600).unwrap());
    comes_back(Timestamp::new(2024, 1, 2, time).unwrap());
    comes_back(TimestampTz::new(2024, 1, 2, time, 0).unwrap());
    comes_back(Interval::new(1, 2, 3));
    comes_back(Some(5i64));
    comes_back(None::<i64>);
    comes_back(vec![1i64, 2]);
    comes_back(Vec::<i64>::new());
    comes_back(vec![Some("a".to_owned()), None]);
    comes_back(None::<Vec<i32>>);
    comes_back(Array::from_elements(vec![Some(1i32), None]));
}

#[test]
fn types_of_parameters() {
    assert_eq!(sent(&"a"), (oid::TEXT, Some(b"a".to_vec())));
    assert_eq!(sent(&&b"a"[..]), (oid::BYTEA, Some(b"a".to_vec())));
    assert_eq!(sent(&None::<&str>), (oid::TEXT, None));
    assert_eq!(sent(&Vec::<Uuid>::new()).0, oid::UUID_ARRAY);
    assert_eq!(sent(&vec!["a"]).0, oid::TEXT_ARRAY);
    assert_eq!(sent(&vec![None::<f64>]).0, oid::FLOAT8_ARRAY);
    assert_eq!(<Option<Vec<i16>> as StaticOid>::OID, oid::INT2_ARRAY);
    let many: &[&dyn ToSql] = &[&1i32, &"a", &None::<bool>];
    let oids: Vec<u32> = many.iter().map(|value| value.type_oid()).collect();
    assert_eq!(oids, [oid::INT4, oid::TEXT, oid::BOOL]);
    assert!("a\0b".encode_binary(&mut Vec::new()).is_err());
}

#[test]
fn narrower_columns_widen_and_text_is_read() {
    assert_eq!(i64::decode_binary(oid::INT2, &[0xff, 0xff]), Ok(-1));
    assert_eq!(i64::decode_text(oid::INT4, b"-5"), Ok(-5));
    assert_eq!(f64::decode_text(oid::FLOAT4, b"0.5"), Ok(0.5));
    assert_eq!(Numeric::decode_text(oid::INT8, b"12"), Ok(Numeric::from(12)));
    assert_eq!(String::decode_binary(oid::JSONB, b"\x01[]"), Ok("[]".to_owned()));
    assert_eq!(Vec::<i64>::decode_text(oid::INT4_ARRAY, b"{1,2}"), Ok(vec![1, 2]));
    assert_eq!(
        Vec::<Option<String>>::decode_text(oid::TEXT_ARRAY, b"{a,NULL}"),
        Ok(vec![Some("a".to_owned()), None])
    );
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    assert!(!i32::accepts(oid::INT8) && !Vec::<i32>::accepts(oid::INT4));
    let message = |error: kecoa_types::DecodeError| error.to_string();
    assert_eq!(
        i32::decode_binary(oid::INT8, &[0; 8]).map_err(message),
        Err("expected a column of type int4 or int2, found int8 (oid 20)".to_owned())
    );
    assert_eq!(
        i32::decode_null().map_err(message),
        Err("expected a value (read the column as Option for NULLs), found NULL".to_owned())
    );
    assert_eq!(
        Vec::<i32>::decode_text(oid::INT4_ARRAY, b"{1,NULL}").map_err(message),
        Err("expected an array without NULL (read one with NULLs as Vec<Option<T>>), found NULL as element 2"
            .to_owned())
    );
    assert!(Vec::<i32>::decode_text(oid::INT4_ARRAY, b"{{1},{2}}").is_err());
    assert!(Vec::<i32>::decode_text(oid::INT4, b"1").is_err());
    // An array that says it holds something else than its column's type.
    let (_, text) = sent(&vec!["a"]);
    assert!(Vec::<i32>::decode_binary(oid::INT4_ARRAY, &text.unwrap()).is_err());
}

/// A type of a program's own that has a binary form alone.
struct Opaque;

impl StaticOid for Opaque {
    const OID: u32 = 0;
}

impl ToSql for Opaque {
    fn type_oid(&self) -> u32 {
        0
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        out.push(7);
        Ok(IsNull::No)
    }
}

/// What is sent of a value in text form.
fn text_of(value: &dyn ToSql) -> String {
    assert!(value.is_sent_as_text());
    assert_eq!(value.type_oid(), 0, "the server infers the type");
    let mut out = Vec::new();
    assert_eq!(value.encode_text(&mut out), Ok(IsNull::No));
    String::from_utf8(out).unwrap()
}

#[test]
fn types_of_extensions_may_be_null_and_in_arrays() {
    let vector = Vector(vec![1.0, 2.5]);
    let hstore = Hstore([("a".to_owned(), None)].into());
    assert_eq!(sent(&None::<Vector>), (0, None));
    assert_eq!(sent(&Some(vector.clone())), sent(&vector));
    assert_eq!(sent(&None::<Vec<Hstore>>), (0, None));
    assert!(!Some(vector.clone()).is_sent_as_text() && !None::<Vec<Hstore>>.is_sent_as_text());
    // An array in binary form would have to name the type of its elements.
    assert_eq!(text_of(&vec![vector.clone()]), r#"{"[1,2.5]"}"#);
    assert_eq!(text_of(&vec![Some(vector.clone()), None]), r#"{"[1,2.5]",NULL}"#);
    assert_eq!(text_of(&[&vector][..].to_vec()), r#"{"[1,2.5]"}"#);
    assert_eq!(text_of(&Some(vec![hstore])), r#"{"\"a\"=>NULL"}"#);
    assert_eq!(text_of(&Vec::<Vector>::new()), "{}");
    assert_eq!(
        text_of(
            &Array::new(
                vec![
                    kecoa_types::array::Dimension { length: 1, lower_bound: 1 },
                    kecoa_types::array::Dimension { length: 2, lower_bound: 1 },
                ],
                vec![Some(vector.clone()), None],
            )
            .unwrap()
        ),
        r#"{{"[1,2.5]",NULL}}"#
    );
    // They are read from array types of the database's own.
    let text = br#"{"[1,2.5]",NULL}"#;
    assert_eq!(Vec::<Option<Vector>>::decode_text(70_001, text), Ok(vec![Some(vector), None]));
    assert!(!Vec::<Vector>::accepts(oid::TEXT_ARRAY) && !Vec::<Vector>::accepts(oid::TEXT));
    assert!(!Vec::<i32>::accepts(70_001));
    // Others in arrays still go in binary form, with their type.
    assert!(!vec![1_i32].is_sent_as_text() && !vec![None::<Range<i32>>].is_sent_as_text());
    // And what has no text form is refused in words.
    let refused = vec![Opaque].encode_text(&mut Vec::new()).unwrap_err().to_string();
    assert!(refused.contains("Opaque") && refused.contains("encode_text"), "{refused}");
}
