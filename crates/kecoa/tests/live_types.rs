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
    Array, Date, DecodeError, EncodeError, FromSql, Hstore, Interval, IsNull, Json, Numeric,
    StaticOid, Time, TimeTz, Timestamp, TimestampTz, ToSql, Uuid, Vector,
};
use kecoa::{ErrorKind, Pipeline};
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

fn in_a_pipeline(client: &mut Client, sql: &str) -> kecoa::Error {
    let mut pipeline = Pipeline::new();
    let slot = pipeline.add(sql, &[]).unwrap();
    let mut answers = client.run_pipeline(&pipeline).unwrap();
    answers.rows_as::<(Option<String>, String)>(slot).unwrap_err()
}

#[test]
fn nulls_and_mistakes() {
    let Some(mut client) = connect() else { return };
    let row = client.query_one("SELECT $1::int8, $2::text", &[&None::<i64>, &"x"]).unwrap();
    assert_eq!(row.get::<Option<i64>>(0).unwrap(), None);
    assert!(row.get::<i64>(0).is_err());
    assert_eq!(row.get::<Option<String>>(1).unwrap().as_deref(), Some("x"));
    // NULL has a type, too, whichever way it is read.
    let refused = "expected a type that Option<String> can be read from, found int8 (oid 20)";
    let sql = "SELECT NULL::int8 AS n, 'x'";
    let one_by_one = client.query_iter(sql, &[]).unwrap().next().unwrap().unwrap();
    let one_by_one = one_by_one.get::<Option<String>>("n").unwrap_err();
    for error in [
        row.get::<Option<String>>(0).unwrap_err(),
        client.query_one(sql, &[]).unwrap().get::<Option<String>>("n").unwrap_err(),
        client.query_one(sql, &[]).unwrap().read::<(Option<String>, String)>().unwrap_err(),
        client.query_as::<(Option<String>, String)>(sql, &[]).unwrap_err(),
        one_by_one,
        in_a_pipeline(&mut client, sql),
    ] {
        assert_eq!(error.kind(), ErrorKind::Conversion);
        assert!(error.to_string().ends_with(refused), "{error}");
    }
    let row = client.query_one("SELECT ARRAY[1, NULL]::int4[], NULL::int4[]", &[]).unwrap();
    assert!(row.get::<Option<Vec<Option<String>>>>(1).is_err());
    assert_eq!(row.get::<Option<Vec<i32>>>(1).unwrap(), None);
    assert_eq!(row.get::<Vec<Option<i32>>>(0).unwrap(), [Some(1), None]);
    let error = row.get::<Vec<i32>>(0).unwrap_err().to_string();
    assert!(error.contains("Vec<Option<T>>") && error.contains("NULL as element 2"), "{error}");
    let error = client.query("SELECT $1::text", &[&"a\0b"]).unwrap_err();
    assert!(error.nothing_was_sent(), "{error}");
    let error = client.query("SELECT $1::int8, $2::int8", &[&1_i64]).unwrap_err();
    assert_eq!(error.sqlstate(), Some("08P01"));
    client.query_one("SELECT 1", &[]).unwrap();
}

/// An enumeration of the database's own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Sad,
    SoSo,
}

impl FromSql for Mood {
    fn accepts(_: u32) -> bool {
        true
    }

    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_text(oid, bytes)
    }

    fn decode_text(_: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes {
            b"sad" => Ok(Self::Sad),
            b"so, so" => Ok(Self::SoSo),
            _ => Err(DecodeError::text("a mood", bytes)),
        }
    }
}

impl StaticOid for Mood {
    const OID: u32 = 0;
}

impl ToSql for Mood {
    fn type_oid(&self) -> u32 {
        0
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        out.extend_from_slice(match self {
            Self::Sad => b"sad",
            Self::SoSo => b"so, so",
        });
        Ok(IsNull::No)
    }

    fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        self.encode_binary(out)
    }
}

/// Values of a type of the database's own, alone, NULL, and in arrays, as parameters and as columns.
fn own_type<T>(client: &mut Client, name: &str, values: [T; 2])
where
    T: FromSql + ToSql + StaticOid + Clone + PartialEq + Debug,
{
    let sql = format!(
        "SELECT $1::{name}, $2::{name}, $3::{name}, $4::{name}[], $5::{name}[], $6::{name}[], $7::{name}[]"
    );
    let [first, second] = values.clone();
    let (some, none) = (Some(second.clone()), None::<T>);
    let (all, holed) = (values.to_vec(), vec![Some(first.clone()), None]);
    let (no_array, empty) = (None::<Vec<T>>, Vec::<T>::new());
    // Unnamed, prepared, and by its name.
    for _ in 0..3 {
        let params: [&dyn ToSql; 7] = [&first, &some, &none, &all, &holed, &no_array, &empty];
        let row = client.query_one(&sql, &params).unwrap();
        assert_eq!(row.get::<T>(0).unwrap(), first, "{name}");
        assert_eq!(row.get::<Option<T>>(1).unwrap(), some, "{name}");
        assert_eq!(row.get::<Option<T>>(2).unwrap(), none, "{name}");
        assert_eq!(row.get::<Vec<T>>(3).unwrap(), all, "{name}");
        assert_eq!(row.get::<Vec<Option<T>>>(4).unwrap(), holed, "{name}");
        assert_eq!(row.get::<Option<Vec<T>>>(5).unwrap(), no_array, "{name}");
        assert_eq!(row.get::<Vec<T>>(6).unwrap(), empty, "{name}");
    }
    client.batch(&format!("CREATE TEMPORARY TABLE own_type (a {name}, b {name}[])")).unwrap();
    let insert = "INSERT INTO own_type VALUES ($1, $2)";
    let rows: [&[&dyn ToSql]; 3] = [&[&some, &holed], &[&none, &no_array], &[&first, &all]];
    assert_eq!(client.execute_many(insert, &rows).unwrap_or(0), 3, "{name}");
    let mut pipeline = Pipeline::new();
    pipeline.add(insert, &[&none, &all]).unwrap();
    client.run_pipeline(&pipeline).unwrap();
    let count: (i64,) = client.query_one_as("SELECT count(b) FROM own_type", &[]).unwrap();
    assert_eq!(count, (3,), "{name}");
    client.batch("DROP TABLE own_type").unwrap();
}

#[test]
fn types_of_the_databases_own() {
    let Some(mut client) = connect() else { return };
    let client = &mut client;
    client.batch("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'so, so')").unwrap();
    own_type(client, "pg_temp.mood", [Mood::Sad, Mood::SoSo]);
    // Removed with the transaction, which ends with the connection.
    client.batch("BEGIN; CREATE EXTENSION hstore; CREATE EXTENSION vector").unwrap();
    let map = |key: &str| {
        Hstore([(key.to_owned(), None), ("b".to_owned(), Some("\"c\"".to_owned()))].into())
    };
    own_type(client, "hstore", [map("a"), map("x, y")]);
    own_type(client, "vector", [Vector(vec![1.0, 2.5]), Vector(vec![-0.5])]);
    client.batch("ROLLBACK").unwrap();
}
