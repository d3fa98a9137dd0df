//! Every type there and back on a real server, named by `KECOA_TEST_DSN`: what the server sends, in
//! text and in binary form, is read, sent back as a parameter, and must be the same to the server.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

mod live_support;

use std::fmt::Debug;

use kecoa::blocking::Client;
use kecoa::types::{
    Array, Date, FromSql, Interval, Json, Numeric, Time, TimeTz, Timestamp, TimestampTz, ToSql,
    Uuid,
};
use live_support::connect;

fn there_and_back<T: FromSql + ToSql + Debug>(client: &mut Client, name: &str, literals: &[&str]) {
    for literal in literals {
        let sql = format!("SELECT '{literal}'::{name}");
        let binary: T = client.query_one(&sql, &[]).unwrap().get(0).unwrap();
        let sets = client.batch(&sql).unwrap();
        let oid = sets[0].description.as_ref().unwrap().fields[0].type_oid;
        let row = sets[0].rows[0].iter().next().unwrap();
        let text = T::decode_text(oid, row.get(0).unwrap().unwrap()).unwrap();
        let compare = format!("SELECT $1::{name}::text, '{literal}'::{name}::text");
        for value in [binary, text] {
            let row = client.query_one(&compare, &[&value]).unwrap();
            let (back, there): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
            assert_eq!(back, there, "{name} {literal}, read as {value:?}");
        }
    }
}

#[test]
fn scalars() {
    let Some(mut client) = connect() else { return };
    let client = &mut client;
    client.batch("SET TimeZone = 'Asia/Makassar'").unwrap();
    there_and_back::<bool>(client, "bool", &["true", "false"]);
    there_and_back::<i16>(client, "int2", &["0", "-32768", "32767"]);
    there_and_back::<i32>(client, "int4", &["0", "-2147483648", "2147483647"]);
    let wide = ["0", "-9223372036854775808", "9223372036854775807"];
    there_and_back::<i64>(client, "int8", &wide);
    there_and_back::<u32>(client, "oid", &["0", "4294967295"]);
    let floats = ["0", "-0", "1.5", "1e-30", "3.4e38", "NaN", "Infinity", "-Infinity"];
    there_and_back::<f32>(client, "float4", &floats);
    there_and_back::<f64>(client, "float8", &floats);
    there_and_back::<f64>(client, "float8", &["5e-324", "1.7976931348623157e308", "0.1"]);
    there_and_back::<Numeric>(
        client,
        "numeric",
        &[
            "0",
            "0.00",
            "-1.50",
            "12345678901234567890.0987654321",
            "1e-20",
            "1e40",
            "NaN",
            "Infinity",
            "-Infinity",
            "10000",
            "0.0001",
        ],
    );
    there_and_back::<String>(client, "text", &["", "plain", "Grüße 🪳", "a\nb\\c"]);
    there_and_back::<String>(client, "varchar", &["", "plain"]);
    there_and_back::<Vec<u8>>(client, "bytea", &["", "\\x00ff", "abc"]);
    there_and_back::<Uuid>(client, "uuid", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]);
    there_and_back::<Json>(client, "jsonb", &["{\"a\": [1, null]}", "null", "\"x\""]);
    let dates = [
        "2000-01-01",
        "1999-12-31",
        "0001-01-01",
        "4713-01-01 BC",
        "5874897-12-31",
        "2024-02-29",
        "infinity",
        "-infinity",
    ];
    there_and_back::<Date>(client, "date", &dates);
    there_and_back::<Time>(client, "time", &["00:00", "23:59:59.999999", "24:00"]);
    there_and_back::<TimeTz>(client, "timetz", &["00:00+00", "12:30:01.5-03:30", "23:59+15:59"]);
    let moments = [
        "2000-01-01 00:00",
        "1999-12-31 23:59:59.999999",
        "4713-01-01 00:00 BC",
        "294276-12-31 23:59:59",
        "infinity",
        "-infinity",
    ];
    there_and_back::<Timestamp>(client, "timestamp", &moments);
    let moments = [
        "2000-01-01 00:00+00",
        "1970-01-01 07:30:00.000001-08",
        "0001-06-01 00:00+00 BC",
        "2024-10-27 02:30+02",
        "infinity",
        "-infinity",
    ];
    there_and_back::<TimestampTz>(client, "timestamptz", &moments);
    let spans = [
        "0",
        "1 year 2 mons -3 days 04:05:06.789",
        "-00:00:00.000001",
        "-1 mon",
        "100:00",
        "1 day -01:00",
    ];
    there_and_back::<Interval>(client, "interval", &spans);
}

#[test]
fn arrays() {
    let Some(mut client) = connect() else { return };
    let client = &mut client;
    there_and_back::<Array<i32>>(
        client,
        "int4[]",
        &["{}", "{1,NULL,-3}", "{{1,2},{3,4}}", "[2:3]={7,8}"],
    );
    there_and_back::<Array<i64>>(client, "int8[]", &["{9223372036854775807}"]);
    there_and_back::<Array<bool>>(client, "bool[]", &["{t,f,NULL}"]);
    there_and_back::<Array<f64>>(client, "float8[]", &["{1.5,NaN}"]);
    let texts = ["{a,\"b,c\",\"\",\"NULL\",NULL,\"q\\\"\\\\\"}"];
    there_and_back::<Array<String>>(client, "text[]", &texts);
    there_and_back::<Array<Numeric>>(client, "numeric[]", &["{1.50,NaN,NULL}"]);
    there_and_back::<Array<Uuid>>(client, "uuid[]", &["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"]);
    there_and_back::<Array<Date>>(client, "date[]", &["{2000-01-01,infinity,NULL}"]);
    there_and_back::<Array<Timestamp>>(client, "timestamp[]", &["{\"2000-01-01 00:00:00\"}"]);
    there_and_back::<Array<Interval>>(client, "interval[]", &["{\"1 mon\",\"00:00:01\"}"]);
    there_and_back::<Array<Vec<u8>>>(client, "bytea[]", &["{\"\\\\x00ff\"}"]);
}

#[test]
fn nulls_and_mistakes() {
    let Some(mut client) = connect() else { return };
    let row = client.query_one("SELECT $1::int8, $2::text", &[&None::<i64>, &"x"]).unwrap();
    assert_eq!(row.get::<Option<i64>>(0).unwrap(), None);
    assert!(row.get::<i64>(0).is_err());
    assert_eq!(row.get::<Option<String>>(1).unwrap().as_deref(), Some("x"));
    let error = client.query("SELECT $1::text", &[&"a\0b"]).unwrap_err();
    assert!(error.nothing_was_sent(), "{error}");
    let error = client.query("SELECT $1::int8, $2::int8", &[&1_i64]).unwrap_err();
    assert_eq!(error.sqlstate(), Some("08P01"));
    client.query_one("SELECT 1", &[]).unwrap();
}
