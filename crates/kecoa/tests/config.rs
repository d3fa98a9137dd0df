//! Connection strings: what each is read as, or what the error says.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kecoa::config::conninfo;
use kecoa::{Config, ErrorKind};
use proptest::prelude::*;

/// What is read, as `name=value` lines; or the beginning of the error, behind a "!".
const CASES: &[(&str, &[&str])] = &[
    // Keyword and value.
    ("", &[]),
    (" \t\n ", &[]),
    ("host=localhost", &["host=localhost"]),
    ("host = localhost", &["host=localhost"]),
    ("host\t=\n localhost  port=1", &["host=localhost", "port=1"]),
    ("host=a dbname=b user=c", &["host=a", "dbname=b", "user=c"]),
    ("dbname='my bank'", &["dbname=my bank"]),
    ("dbname=''", &["dbname="]),
    ("dbname=", &["dbname="]),
    ("dbname= host=a", &["dbname=host=a"]),
    ("dbname='' host=a", &["dbname=", "host=a"]),
    ("password='it\\'s'", &["password=it's"]),
    ("password='back\\\\slash'", &["password=back\\slash"]),
    ("password=it\\'s", &["password=it's"]),
    ("password=a\\ b", &["password=a b"]),
    ("password=\\x\\y", &["password=xy"]),
    ("password=trailing\\", &["password=trailing"]),
    ("password=a'b", &["password=a'b"]),
    ("user='a'dbname=b", &["user=a", "dbname=b"]),
    ("user='a=b'", &["user=a=b"]),
    ("user=a=b", &["user=a=b"]),
    ("host=a host=b", &["host=a", "host=b"]),
    ("host=a,b port=1,2", &["host=a,b", "port=1,2"]),
    ("host=/tmp", &["host=/tmp"]),
    ("user=\u{e9}t\u{e9}", &["user=\u{e9}t\u{e9}"]),
    ("options='-c search_path=a,b'", &["options=-c search_path=a,b"]),
    ("port=abc", &["port=abc"]),
    ("host\u{b}=a\u{c}port=1", &["host=a", "port=1"]),
    ("user='multi\nline'", &["user=multi\nline"]),
    ("foo", &["!missing \"=\" after \"foo\" in connection info string"]),
    ("host=a foo", &["!missing \"=\" after \"foo\" in connection info string"]),
    ("host localhost", &["!missing \"=\" after \"host\" in connection info string"]),
    ("foo=1", &["!invalid connection option \"foo\""]),
    ("=x", &["!invalid connection option \"\""]),
    ("Host=a", &["!invalid connection option \"Host\"\nHINT: did you mean \"host\"?"]),
    ("database=a", &["!invalid connection option \"database\"\nHINT: did you mean \"dbname\"?"]),
    ("pasword=a", &["!invalid connection option \"pasword\"\nHINT: did you mean \"password\"?"]),
    ("user='open", &["!unterminated quoted string in connection info string"]),
    ("user='open\\'", &["!unterminated quoted string in connection info string"]),
    ("user='", &["!unterminated quoted string in connection info string"]),
    ("user=a\0b", &["!the connection string contains a NUL character"]),
    ("password=two words", &["!missing \"=\" after the word that follows password in"]),
    // URLs.
    ("postgresql://", &[]),
    ("postgres://", &[]),
    ("postgresql:///", &[]),
    ("postgresql://localhost", &["host=localhost"]),
    ("postgresql://localhost\n", &["host=localhost"]),
    ("postgresql://localhost:5433", &["host=localhost", "port=5433"]),
    ("postgresql://localhost/bank", &["host=localhost", "dbname=bank"]),
    ("postgres://u@h/d", &["user=u", "host=h", "dbname=d"]),
    (
        "postgresql://maya:s%40p%3Aw%2F%25@db.example:26257/bank?sslmode=verify-full",
        &[
            "user=maya",
            "password=s@p:w/%",
            "host=db.example",
            "port=26257",
            "dbname=bank",
            "sslmode=verify-full",
        ],
    ),
    ("postgresql://u:@h", &["user=u", "host=h"]),
    ("postgresql://:p@h", &["password=p", "host=h"]),
    ("postgresql://u:p:q@h", &["user=u", "password=p:q", "host=h"]),
    ("postgresql://@h", &["host=h"]),
    ("postgresql://h:/d", &["host=h", "dbname=d"]),
    ("postgresql:///d?host=/tmp&port=1", &["dbname=d", "host=/tmp", "port=1"]),
    ("postgresql:///?user=u", &["user=u"]),
    ("postgresql://?host=/dir", &["host=/dir"]),
    ("postgresql://h?dbname=d", &["host=h", "dbname=d"]),
    ("postgresql://%2Fvar%2Frun%2Fpg/d", &["host=/var/run/pg", "dbname=d"]),
    ("postgresql://%2Ftmp:5433/d", &["host=/tmp", "port=5433", "dbname=d"]),
    ("postgresql://[::1]", &["host=::1"]),
    ("postgresql://[::1]:5433/d", &["host=::1", "port=5433", "dbname=d"]),
    ("postgresql://u@[2001:db8::1]/", &["user=u", "host=2001:db8::1"]),
    ("postgresql://[fe80::1%25eth0]/", &["host=fe80::1%eth0"]),
    ("postgresql://a,b,c/d", &["host=a,b,c", "port=,,", "dbname=d"]),
    ("postgresql://a:1,b:2/d", &["host=a,b", "port=1,2", "dbname=d"]),
    ("postgresql://a,b:2", &["host=a,b", "port=,2"]),
    ("postgresql://[::1]:1,[::2]", &["host=::1,::2", "port=1,"]),
    ("postgresql://h/a%20b", &["host=h", "dbname=a b"]),
    ("postgresql://h/a/b", &["host=h", "dbname=a/b"]),
    ("postgresql://h/%C3%A9", &["host=h", "dbname=\u{e9}"]),
    ("postgresql://h/d?ssl=true", &["host=h", "dbname=d", "sslmode=require"]),
    ("postgresql://h/d?", &["host=h", "dbname=d"]),
    (
        "postgresql://h/d?&user=u",
        &["!missing key/value separator \"=\" in URI query parameter: \"\""],
    ),
    (
        "postgresql://h/d?user=u&&",
        &["!missing key/value separator \"=\" in URI query parameter: \"\""],
    ),
    ("postgresql://h/d?user=u&", &["host=h", "dbname=d", "user=u"]),
    ("postgresql://h/d?", &["host=h", "dbname=d"]),
    ("postgresql://h/d?ssl=%74rue", &["host=h", "dbname=d", "sslmode=require"]),
    ("postgresql://h/d?requiressl=1x", &["host=h", "dbname=d", "sslmode=require"]),
    ("requiressl=0", &["sslmode=prefer"]),
    ("postgres://::1:/db", &["port=:1:", "dbname=db"]),
    ("postgres://u@:::a,@x,[::1]/db", &["user=u", "host=,@x,::1", "port=::a,,", "dbname=db"]),
    ("postgres://u:1/p@h/db", &["host=u", "port=1", "dbname=p@h/db"]),
    (
        "postgresql://h/d?options=--cluster%3Dfoo-1&application_name=a%26b",
        &["host=h", "dbname=d", "options=--cluster=foo-1", "application_name=a&b"],
    ),
    ("postgresql://h/d?application%5Fname=x", &["host=h", "dbname=d", "application_name=x"]),
    (
        "postgresql://h?user",
        &["!missing key/value separator \"=\" in URI query parameter: \"user\""],
    ),
    ("postgresql://h?=x", &["!invalid URI query parameter: \"\""]),
    (
        "postgresql://h?options=--cluster=x",
        &["!extra key/value separator \"=\" in URI query parameter: \"options\"\nHINT: a \"=\""],
    ),
    ("postgresql://h?foo=1", &["!invalid URI query parameter: \"foo\""]),
    (
        "postgresql://h?ssl_mode=x",
        &["!invalid URI query parameter: \"ssl_mode\"\nHINT: did you mean \"sslmode\"?"],
    ),
    ("postgresql://h?ssl=false", &["!invalid URI query parameter: \"ssl\""]),
    ("postgresql://[::1", &["!end of string reached when looking for matching \"]\""]),
    ("postgresql://[]/", &["!IPv6 host address may not be empty in URI"]),
    ("postgresql://[::1]x", &["!unexpected character after \"]\" in URI"]),
    ("postgresql://h/%zz", &["!invalid percent-encoded token in the value of dbname"]),
    ("postgresql://h/%4", &["!invalid percent-encoded token in the value of dbname"]),
    ("postgresql://u:s3%@h", &["!invalid percent-encoded token in the value of password"]),
    ("postgresql://h/%00", &["!forbidden value %00 in percent-encoded value of dbname"]),
    ("postgresql://h/%ff", &["!expected percent-encoded UTF-8 in the value of dbname"]),
    ("postgresql://u:s3/cret@h/d", &["host=u", "port=s3", "dbname=cret@h/d"]),
    ("postgresq://h", &["!missing \"=\" after \"postgresq://…\" in connection info string\nHINT:"]),
    ("mysql://h/d?a=b", &["!missing \"=\" after \"mysql://…\" in connection info string\nHINT:"]),
];

#[test]
fn reads_or_refuses_each_string() {
    assert!(CASES.len() >= 60);
    for (text, wanted) in CASES {
        match conninfo::parse(text) {
            Ok(pairs) => {
                let found: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
                assert_eq!(found, *wanted, "{text:?}");
            }
            Err(error) => {
                let found = format!("!{error}");
                assert!(
                    wanted.len() == 1 && wanted[0].starts_with('!') && found.starts_with(wanted[0]),
                    "{text:?}: {found:?}"
                );
                assert_eq!(error.kind(), ErrorKind::Config);
                assert!(error.nothing_was_sent());
            }
        }
    }
}

/// Values that are wrong, and the message.
const WRONG_VALUES: &[(&str, &str)] = &[
    ("port=abc", "invalid integer value \"…\" for connection option \"port\""),
    ("port=70000", "invalid port number: \"70000\""),
    ("port=-1", "invalid port number: \"-1\""),
    ("port=5432,x", "invalid integer value \"…\" for connection option \"port\""),
    (
        "connect_timeout=soon",
        "invalid integer value \"soon\" for connection option \"connect_timeout\"",
    ),
    ("connect_timeout=99999999999", "invalid integer value \"99999999999\""),
    ("sslmode=on", "invalid sslmode value: \"on\""),
    ("sslmode=REQUIRE", "invalid sslmode value: \"REQUIRE\""),
    ("target_session_attrs=x", "invalid target_session_attrs value: \"x\""),
    ("gssencmode=require", "gssencmode=require is refused: GSSAPI encryption is not supported"),
    ("channel_binding=on", "invalid channel_binding value: \"on\""),
    ("sslnegotiation=tls", "invalid sslnegotiation value: \"tls\""),
    ("sslcertmode=always", "invalid sslcertmode value: \"always\""),
    ("require_auth=oauth", "require_auth=oauth is refused: OAuth is not supported"),
    ("connect_total_timeout=x", "invalid integer value \"x\" for connection option"),
    ("ssl_max_protocol_version=TLSv1.1", "ssl_max_protocol_version=TLSv1.1 is refused"),
    // Empty: as libpq, in which a variable that holds nothing must not mean "verify nothing".
    ("sslmode=''", "invalid sslmode value: \"\""),
    ("channel_binding=''", "invalid channel_binding value: \"\""),
    ("sslnegotiation=''", "invalid sslnegotiation value: \"\""),
    ("sslcertmode=''", "invalid sslcertmode value: \"\""),
    ("gssencmode=''", "invalid gssencmode value: \"\""),
    ("target_session_attrs=''", "invalid target_session_attrs value: \"\""),
    ("load_balance_hosts=''", "invalid load_balance_hosts value: \"\""),
    ("connect_timeout=''", "invalid integer value \"\" for connection option \"connect_timeout\""),
    ("keepalives=''", "invalid integer value \"\" for connection option \"keepalives\""),
    ("service=''", "definition of service \"\" not found"),
];

#[test]
fn refuses_wrong_values() {
    for (text, wanted) in WRONG_VALUES {
        let error = Config::parse(text).expect_err(text).to_string();
        assert!(error.starts_with(wanted), "{text:?}: {error}");
    }
}

#[test]
fn takes_right_values() {
    for text in [
        "port='' connect_timeout=-1 sslsni='' sslcompression='' ssl_min_protocol_version='' require_auth=''",
        "gssencmode=prefer channel_binding=prefer ssl_max_protocol_version='' gssdelegation='' host=''",
        "target_session_attrs=prefer-standby load_balance_hosts=round_robin require_auth=!md5",
        "requirepeer=postgres min_protocol_version=3.2 connect_total_timeout=5",
        "target_session_attrs=any sslnegotiation=postgres krbsrvname=x gssencmode=disable",
        "keepalives=0 keepalives_idle=1 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=4",
        "replication=database fallback_application_name=x client_encoding=auto sslsni=0",
        "ssl_min_protocol_version=TLSv1.2 ssl_max_protocol_version=TLSv1.3 sslcompression=0",
    ] {
        Config::parse(text).expect(text);
    }
}

#[test]
fn never_prints_a_secret() {
    let secret = "hunter2";
    let config =
        Config::parse("host=h password=hunter2 sslpassword=hunter2 user=u").expect("parses");
    assert_eq!(config.password(), Some(secret));
    assert_eq!(config.to_string(), "host=h password=xxx sslpassword=xxx user=u");
    assert!(!format!("{config:?}").contains(secret));
    for wrong in [
        "password=two hunter2",
        "password=two hunter2 ",
        "postgresql://u:hunter2%@h",
        "postgresql://u:hunter2%zz@h",
        "postgresql://u:hunter2@[h",
        "postgresql://u:hunter2@[]",
        "postgresql://u:hunter2@h?x=1",
        "postgresql://u:hunter2/@h/d",
        "postgresql://u:hunter2@h:x/d",
        "postgresql://h?password=hunter2%",
        "password='hunter2",
        "password=hunter2 foo=1",
        "port= password=hunter2",
        "sslmode= password=hunter2",
        "pasword=hunter2",
        "scram_client_key=hunter2",
        "postgresql://h?password=x=hunter2",
        "mysql://u:hunter2@h/d",
        "mysql://u:hunter2@h/d?x=1",
        "postgresql+psycopg2://u:hunter2@h/d",
        "jdbc:postgresql://h/d?password=hunter2",
        "postgresql//u:hunter2@h/d",
    ] {
        let error = Config::parse(wrong).expect_err(wrong);
        assert!(!format!("{error} {error:?}").contains(secret), "{wrong:?}: {error}");
    }
}

/// Strings that are mistyped in every way that the generator knows, with a marked password in them: it is
/// in no message, whatever becomes of it.
mod mistyped {
    use kecoa::config::Environment;

    use super::*;

    const MARK: &str = "hunter2";

    /// A password with the mark, and whatever has a meaning in connection strings around it.
    fn password() -> impl Strategy<Value = String> {
        let special = || {
            let special = "[ab1]?[@:/?#%=&\\[\\],;' \"\\\\\t!é+]{0,2}[ab1]?";
            proptest::string::string_regex(special).expect("a pattern")
        };
        (special(), special()).prop_map(|(before, behind)| format!("{before}{MARK}{behind}"))
    }

    fn part() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["maya", "db", "127.0.0.1", "[::1]", "bank", "5432", "", "a,b"])
    }

    fn url() -> impl Strategy<Value = String> {
        let schemes = vec![
            "postgresql://",
            "postgres://",
            "postgres:/",
            "postgresql:",
            "postgres//",
            "postgre://",
            "cockroachdb://",
            "jdbc:postgresql://",
            "",
            "postgresql+psycopg2://",
            "POSTGRES://",
            "DATABASE_URL=postgres://",
            "psql postgres://",
            "'postgres://",
        ];
        (prop::sample::select(schemes), part(), password(), part(), part(), 0..6_usize).prop_map(
            |(scheme, user, password, host, bank, form)| match form {
                // Without a host: the password stands in its port's place, if nothing in it ends that.
                0 => {
                    let password = password.replace(['/', '@', '?', ','], "x");
                    format!("{scheme}{user}:{password}/{bank}")
                }
                1 => format!("{scheme}{host}/{bank}?user={user}&password={password}"),
                2 => format!("{scheme}{user}:{password}@{host}:{bank}?sslmode=x"),
                _ => format!("{scheme}{user}:{password}@{host}/{bank}"),
            },
        )
    }

    fn pairs() -> impl Strategy<Value = String> {
        let names =
            vec!["password", "password ", "PASSWORD", "pasword", "passwd", "Pwd", "sslpassword"];
        let equals = vec!["=", " = ", ":", ": ", "==", " "];
        let between = vec![" ", ", ", ";", "&", "\n", ""];
        let quotes = vec![("", ""), ("'", "'"), ("'", ""), ("", "'"), ("\"", "\"")];
        (
            prop::sample::select(names),
            prop::sample::select(equals),
            prop::sample::select(between),
            prop::sample::select(quotes),
            password(),
            prop::sample::select(vec![
                "host=127.0.0.1",
                "user=maya",
                "port=1",
                "dbname=bank",
                "sslmode=x",
            ]),
        )
            .prop_map(|(name, equals, between, (open, close), password, other)| {
                format!("{other}{between}{name}{equals}{open}{password}{close}{between}{other}")
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 5_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn strings_show_no_password(text in prop_oneof![url(), pairs()]) {
            // One that stands where a name or an unintroduced word does is none that can be known.
            let unknowable = text.contains(&format!("//{MARK}")) || text.starts_with(MARK);
            prop_assume!(!unknowable);
            let environment = Environment::empty().with_user("maya");
            let read = conninfo::parse(&text);
            if let Err(error) = &read {
                prop_assert!(!format!("{error} {error:?}").contains(MARK), "{text:?}: {error}");
            }
            match Config::parse(&text).and_then(|config| config.resolve(&environment)) {
                Err(error) => {
                    prop_assert!(!format!("{error} {error:?}").contains(MARK), "{text:?}: {error}");
                }
                Ok(config) => {
                    prop_assert!(!format!("{config} {config:?}").contains(MARK), "{text:?}: {config}");
                    for target in config.targets().expect("targets") {
                        prop_assert!(!format!("{target:?}").contains(MARK), "{text:?}: {target:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn keeps_the_order_and_the_last_value() {
    let config = Config::parse("user=a host=h user=b").expect("parses");
    let pairs: Vec<_> = config.pairs().collect();
    assert_eq!(pairs, [("user", "b"), ("host", "h")]);
    assert_eq!(config.get("user"), Some("b"));
    assert_eq!(config.get("port"), None);
}

#[test]
fn writes_as_psycopg2_does() {
    let pairs = [("dbname", "b"), ("user", "a b"), ("password", "it's\\"), ("host", "")];
    assert_eq!(conninfo::format(pairs), "dbname=b user='a b' password=it\\'s\\\\ host=''");
    assert_eq!(conninfo::format([("", ""); 0]), "");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        pairs in prop::collection::vec(
            (prop::sample::select(Config::names().collect::<Vec<_>>()), "[^\0]{0,20}|[ '\\\\=\t\n]{0,6}"),
            0..6,
        )
    ) {
        let text = conninfo::format(pairs.iter().map(|(n, v)| (*n, v.as_str())));
        let read = conninfo::parse(&text).expect("reads what was written");
        let wanted: Vec<(String, String)> =
            pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn no_string_panics(text in "\\PC{0,40}|[a-z=' \\\\]{0,30}") {
        let _ = Config::parse(&text);
    }

    #[test]
    fn no_url_panics(text in "[a-z0-9:@/?&=%,\\[\\]\u{e9}]{0,40}") {
        for scheme in ["postgresql://", "postgres://"] {
            let _ = Config::parse(&format!("{scheme}{text}"));
        }
    }
}
