//! Keeps the tables of connection options in the documents true: they are made from the code.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use kecoa::config::{OptionInfo, Support, Values, options};

/// The options of libpq 18, as `PQconndefaults` lists them; `servicefile` is that of libpq 19.
const LIBPQ: &str = "service servicefile user password passfile channel_binding connect_timeout \
    dbname host hostaddr port client_encoding options application_name fallback_application_name \
    keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout sslmode \
    sslnegotiation sslcompression sslcert sslkey sslcertmode sslpassword sslrootcert sslcrl \
    sslcrldir sslsni requirepeer require_auth min_protocol_version max_protocol_version \
    ssl_min_protocol_version ssl_max_protocol_version gssencmode krbsrvname gsslib gssdelegation \
    replication target_session_attrs load_balance_hosts scram_client_key scram_server_key \
    oauth_issuer oauth_client_id oauth_client_secret oauth_scope sslkeylogfile";

/// The environment variables that libpq 18's documentation lists for connection options.
const VARIABLES: &str = "PGHOST PGSSLNEGOTIATION PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD \
    PGPASSFILE PGREQUIREAUTH PGCHANNELBINDING PGSERVICE PGSERVICEFILE PGOPTIONS PGAPPNAME PGSSLMODE \
    PGSSLCOMPRESSION PGSSLCERT PGSSLKEY PGSSLCERTMODE PGSSLROOTCERT PGSSLCRL PGSSLCRLDIR PGSSLSNI \
    PGREQUIREPEER PGSSLMINPROTOCOLVERSION PGSSLMAXPROTOCOLVERSION PGGSSENCMODE PGKRBSRVNAME \
    PGGSSLIB PGGSSDELEGATION PGCONNECT_TIMEOUT PGCLIENTENCODING PGTARGETSESSIONATTRS \
    PGLOADBALANCEHOSTS PGMINPROTOCOLVERSION PGMAXPROTOCOLVERSION";

#[derive(Clone, Copy)]
enum Language {
    English,
    Indonesian,
}

use Language::{English, Indonesian};

impl Language {
    /// The word of this language.
    fn of<'a>(self, english: &'a str, indonesian: &'a str) -> &'a str {
        match self {
            English => english,
            Indonesian => indonesian,
        }
    }
}

/// What the text file says of an option.
struct Words {
    default: [&'static str; 2],
    about: [&'static str; 2],
}

fn text() -> (BTreeMap<&'static str, Words>, BTreeMap<&'static str, &'static str>) {
    let (mut words, mut reasons) = (BTreeMap::new(), BTreeMap::new());
    for line in include_str!("options.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match (line.strip_prefix("= "), &cells[..]) {
            (Some(_), [reason, translation]) => {
                reasons.insert(reason.trim_start_matches("= "), *translation);
            }
            (None, [name, english, indonesian, about, perihal]) => {
                let words_of = Words { default: [english, indonesian], about: [about, perihal] };
                assert!(words.insert(*name, words_of).is_none(), "{name} is there twice");
            }
            _ => panic!("options.txt: {line:?}"),
        }
    }
    (words, reasons)
}

fn takes(values: Values, language: Language) -> String {
    match values {
        Values::Text => language.of("text", "teks").to_owned(),
        Values::Secret => language.of("text, kept secret", "teks, dirahasiakan").to_owned(),
        Values::Integer => language.of("an integer", "bilangan bulat").to_owned(),
        Values::Size => language
            .of("bytes: `65536`, `64kB`, `10 MB`", "byte: `65536`, `64kB`, `10 MB`")
            .to_owned(),
        Values::Ports => {
            language.of("1 to 65535, or a list", "1 sampai 65535, atau daftar").to_owned()
        }
        Values::Methods => "`none`, `password`, `md5`, `scram-sha-256`, `gss`, `sspi`".to_owned(),
        Values::Words(words) => code(words),
        _ => panic!("a sort of values that the page has no word for: {values:?}"),
    }
}

fn code(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn table(language: Language) -> String {
    let (mut words, reasons) = text();
    let index = match language {
        English => 0,
        Indonesian => 1,
    };
    let reason = |reason: &'static str| match language {
        English => reason,
        Indonesian => reasons
            .get(reason)
            .unwrap_or_else(|| panic!("options.txt has no translation of {reason:?}")),
    };
    let mut table = language
        .of(
            "| Option | Variable | For | Takes | Default | Supported |\n",
            "| Opsi | Variabel | Untuk | Menerima | Bawaan | Didukung |\n",
        )
        .to_owned();
    table.push_str("|---|---|---|---|---|---|\n");
    for OptionInfo { name, variable, values, default, support, own, .. } in options() {
        let said = words.remove(name).unwrap_or_else(|| panic!("options.txt does not have {name}"));
        let variable = variable.map(|name| format!("`{name}`")).unwrap_or_default();
        let default = match default {
            Some(default) => {
                assert!(said.default[0].is_empty(), "the code says the default of {name}");
                format!("`{default}`")
            }
            None => said.default[index].to_owned(),
        };
        let support = match support {
            Support::Whole if own => language.of("yes; kecoa's own", "ya; milik kecoa").to_owned(),
            Support::Whole => language.of("yes", "ya").to_owned(),
            Support::WithoutEffect(why) => format!(
                "{}: {}",
                language.of("taken, changes nothing", "diterima, tidak mengubah apa pun"),
                reason(why)
            ),
            Support::InPart(refused, why) => {
                format!("{} {}: {}", language.of("not", "tidak"), code(refused), reason(why))
            }
            Support::Refused(why) => format!("{}: {}", language.of("no", "tidak"), reason(why)),
            _ => panic!("a sort of support that the page has no word for: {support:?}"),
        };
        let (about, takes) = (said.about[index], takes(values, language));
        writeln!(table, "| `{name}` | {variable} | {about} | {takes} | {default} | {support} |")
            .unwrap();
    }
    assert!(words.is_empty(), "options.txt has more than the code: {:?}", words.keys());
    table
}

const START: &str = "<!-- made by crates/kecoa/tests/connecting_page.rs -->";
const END: &str = "<!-- end -->";

#[test]
fn the_pages_have_the_options_that_there_are() {
    for (folder, language) in [("en", English), ("id", Indonesian)] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../docs/{folder}/reference/connecting.md"));
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(START).expect("the marker");
        let (found, after) = rest.split_once(END).expect("the end marker");
        let table = format!("\n{}", table(language));
        if std::env::var_os("KECOA_WRITE_DOCS").is_some_and(|value| value == "1") {
            std::fs::write(&path, format!("{before}{START}{table}{END}{after}")).unwrap();
        } else {
            assert_eq!(found, table, "run the tests with KECOA_WRITE_DOCS=1 to renew {path:?}");
        }
    }
}

#[test]
fn no_option_or_variable_of_libpq_is_missing() {
    let theirs: Vec<&str> = LIBPQ.split_whitespace().collect();
    let (own, ours): (Vec<_>, Vec<_>) = options().partition(|option| option.own);
    assert_eq!(ours.iter().map(|option| option.name).collect::<Vec<_>>(), theirs);
    for option in &own {
        assert!(!theirs.contains(&option.name) && option.variable.is_none(), "{option:?}");
    }
    let mut theirs: Vec<&str> = VARIABLES.split_whitespace().collect();
    let mut ours: Vec<&str> = ours.iter().filter_map(|option| option.variable).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, theirs);
}

#[test]
fn what_is_not_whole_says_why() {
    for option in options() {
        match option.support {
            Support::WithoutEffect(why) | Support::InPart(_, why) | Support::Refused(why) => {
                assert!(why.len() > 10, "{option:?}");
            }
            _ => {}
        }
    }
}
