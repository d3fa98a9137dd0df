//! What a configuration takes from its environment, and what comes first.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use kecoa::Config;
use kecoa::config::{Environment, SslMode, Support, Target, Values};

fn resolve(text: &str, environment: &Environment) -> Config {
    Config::parse(text).expect(text).resolve(environment).expect(text)
}

fn environment() -> Environment {
    Environment::empty().with_user("maya")
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).expect("writes");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets the mode");
}

/// Whether the password was found cannot be asked for: it shows in what the handshake would send.
/// Tests of the handshake look at that; these look at notices and at the public surface.
fn target(host: &str, port: u16) -> Target {
    Target { host: host.to_owned(), hostaddr: None, port }
}

#[test]
fn defaults_are_libpqs() {
    let config = resolve("", &environment());
    assert!(config.is_resolved());
    assert_eq!(config.user(), Some("maya"));
    assert_eq!(config.dbname(), Some("maya"));
    assert_eq!(config.targets().expect("targets"), [target("localhost", 5432)]);
    assert_eq!(config.ssl_mode(), SslMode::Prefer);
    assert_eq!(config.connect_timeout(), None);
    let config = resolve("user=other", &environment());
    assert_eq!(config.dbname(), Some("other"));
    let error = Config::new().resolve(&Environment::empty()).expect_err("no user");
    assert!(error.to_string().contains("no user was given"), "{error}");
}

#[test]
fn what_is_given_comes_before_variables_before_defaults() {
    let environment = environment()
        .with("PGHOST", "env.example")
        .with("PGPORT", "26257")
        .with("PGUSER", "envuser")
        .with("PGDATABASE", "envdb")
        .with("PGPASSWORD", "envpass")
        .with("PGOPTIONS", "-c a=b")
        .with("PGAPPNAME", "envapp")
        .with("PGSSLMODE", "require")
        .with("PGSSLROOTCERT", "/roots.pem")
        .with("PGCONNECT_TIMEOUT", "7")
        .with("PGCLIENTENCODING", "LATIN1")
        .with("PGHOSTADDR", "");
    let config = resolve("", &environment);
    assert_eq!(config.targets().expect("targets"), [target("env.example", 26257)]);
    let values = [
        ("user", "envuser"),
        ("dbname", "envdb"),
        ("password", "envpass"),
        ("options", "-c a=b"),
        ("application_name", "envapp"),
        ("sslmode", "require"),
        ("sslrootcert", "/roots.pem"),
        ("client_encoding", "LATIN1"),
    ];
    for (name, value) in values {
        assert_eq!(config.get(name), Some(value), "{name}");
    }
    assert_eq!(config.connect_timeout(), Some(Duration::from_secs(7)));
    assert_eq!(config.get("hostaddr"), None);

    let config = resolve("host=h port=1 user=u sslmode=disable", &environment);
    assert_eq!(config.targets().expect("targets"), [target("h", 1)]);
    assert_eq!((config.user(), config.dbname()), (Some("u"), Some("envdb")));
    assert_eq!(config.ssl_mode(), SslMode::Disable);
    // Given as empty is given, as in libpq: the variable does not count.
    assert_eq!(resolve("dbname=''", &environment).dbname(), Some("envuser"));
    let config = resolve("application_name='' fallback_application_name=x", &environment);
    assert_eq!(config.application_name(), None);
}

#[test]
fn the_variable_from_before_sslmode_still_counts() {
    let environment = environment().with("PGREQUIRESSL", "1").with("PGNOSUCHTHING", "x");
    assert_eq!(resolve("", &environment).ssl_mode(), SslMode::Require);
    assert_eq!(resolve("sslmode=disable", &environment).ssl_mode(), SslMode::Disable);
    let environment = environment.with("PGSSLMODE", "verify-full");
    assert_eq!(resolve("", &environment).ssl_mode(), SslMode::VerifyFull);
}

#[test]
fn an_empty_variable_turns_nothing_off() {
    for (variable, wanted) in [
        ("PGSSLMODE", "invalid sslmode value: \"\""),
        ("PGCHANNELBINDING", "invalid channel_binding value: \"\""),
        ("PGCONNECT_TIMEOUT", "invalid integer value \"\""),
        ("PGSERVICE", "definition of service \"\" not found"),
    ] {
        let error = Config::new().resolve(&environment().with(variable, "")).expect_err(variable);
        let text = error.to_string();
        assert!(text.starts_with(wanted) && text.contains(variable), "{text}");
    }
    // Given otherwise, the variable does not count; and some may be empty.
    let environment = environment().with("PGSSLMODE", "").with("PGPORT", "").with("PGSSLSNI", "");
    assert_eq!(resolve("sslmode=require", &environment).port(), 5432);
}

#[test]
fn every_variable_of_libpq_counts() {
    for option in kecoa::config::options() {
        let Some(variable) = option.variable else { continue };
        let value = match (option.values, option.support) {
            (_, Support::Refused(_)) => {
                let environment = environment().with(variable, "x");
                let error = Config::new().resolve(&environment).expect_err(variable).to_string();
                assert!(error.contains(variable), "{error}");
                continue;
            }
            (Values::Words(words), _) => words[0],
            (Values::Methods, _) => "!md5",
            (Values::Integer | Values::Ports, _) => "7",
            // These name something that has to be there.
            _ if matches!(option.name, "service" | "servicefile") => continue,
            _ => "x",
        };
        // A version that is wanted at least wants no less at most.
        let config = resolve("sslmode=verify-full host=h", &environment().with(variable, value));
        let wanted = match option.name {
            "host" => "h",
            "sslmode" => "verify-full",
            _ => value,
        };
        assert_eq!(config.get(option.name), Some(wanted), "{variable}");
    }
}

#[test]
fn a_newest_protocol_below_the_oldest_is_refused() {
    let config = Config::parse("min_protocol_version=3.2 max_protocol_version=3.0").expect("ok");
    assert_eq!(
        config.resolve(&environment()).expect_err("contradiction").to_string(),
        "\"min_protocol_version\" is greater than \"max_protocol_version\""
    );
    resolve("min_protocol_version=3.2", &environment());
    resolve("min_protocol_version=3.2 max_protocol_version=latest", &environment());
}

#[test]
fn a_wrong_variable_is_named() {
    for (variable, value) in [("PGPORT", "x"), ("PGSSLMODE", "maybe"), ("PGGSSENCMODE", "require")]
    {
        let error = Config::new().resolve(&environment().with(variable, value));
        let error = error.expect_err(variable).to_string();
        assert!(error.contains(variable), "{error}");
    }
}

#[test]
fn a_listening_socket_is_found() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let environment =
        environment().with_socket_directory("/nonexistent").with_socket_directory(path);
    assert_eq!(resolve("", &environment).host(), Some("localhost"));
    fs::write(directory.path().join(".s.PGSQL.5433"), "").expect("writes");
    assert_eq!(resolve("", &environment).host(), Some("localhost"));
    let config = resolve("port=5433", &environment);
    assert_eq!(config.host(), Some(path));
    assert!(config.targets().expect("targets")[0].is_unix());
    assert_eq!(resolve("port=5433 hostaddr=127.0.0.1", &environment).host(), None);
}

#[test]
fn lists_of_hosts_and_ports_must_match() {
    let targets = |text: &str| Config::parse(text).expect(text).targets();
    assert_eq!(targets("host=a,b").expect("ok"), [target("a", 5432), target("b", 5432)]);
    assert_eq!(targets("host=a,b port=7").expect("ok"), [target("a", 7), target("b", 7)]);
    assert_eq!(targets("host=a,,c port=7,,9").expect("ok")[1], target("localhost", 5432));
    let target = &targets("host=a hostaddr=10.0.0.1").expect("ok")[0];
    assert_eq!((&*target.host, target.hostaddr.as_deref()), ("a", Some("10.0.0.1")));
    let wrong = |text| targets(text).expect_err(text).to_string();
    assert_eq!(wrong("host=a,b port=1,2,3"), "could not match 3 port numbers to 2 hosts");
    assert_eq!(
        wrong("host=a,b hostaddr=10.0.0.1"),
        "could not match 2 host names to 1 hostaddr values"
    );
}

#[test]
fn timeouts_are_rounded_as_libpq_rounds_them() {
    for (seconds, wanted) in
        [("0", None), ("-3", None), ("1", Some(2)), ("2", Some(2)), ("9", Some(9))]
    {
        let config = Config::from_pairs([("connect_timeout", seconds)]).expect("ok");
        assert_eq!(config.connect_timeout(), wanted.map(Duration::from_secs));
    }
}

#[test]
fn system_roots_want_the_whole_check() {
    let config = Config::parse("sslrootcert=system").expect("ok");
    assert_eq!(config.ssl_mode(), SslMode::VerifyFull);
    let error = Config::parse("sslrootcert=system sslmode=require").expect("ok");
    let error = error.resolve(&environment()).expect_err("weak").to_string();
    assert!(error.starts_with("weak sslmode \"require\" may not be used"), "{error}");
}

#[test]
fn direct_negotiation_wants_a_mode_that_insists_on_tls() {
    for mode in ["disable", "allow", "prefer"] {
        let config = Config::parse(&format!("sslnegotiation=direct sslmode={mode}")).expect("ok");
        assert_eq!(
            config.resolve(&environment()).expect_err("weak").to_string(),
            format!(
                "weak sslmode \"{mode}\" may not be used with sslnegotiation=direct (use \
                 \"require\", \"verify-ca\", or \"verify-full\")"
            )
        );
    }
    let error = Config::parse("sslnegotiation=direct").expect("ok").resolve(&environment());
    assert!(error.expect_err("weak").to_string().contains("\"prefer\""));
    for mode in ["sslmode=require", "sslmode=verify-full", "sslrootcert=system"] {
        let config = Config::parse(&format!("sslnegotiation=direct {mode}")).expect("ok");
        config.resolve(&environment()).expect(mode);
    }
}

#[test]
fn a_password_file_that_others_can_read_is_passed_over_with_a_notice() {
    let home = tempfile::tempdir().expect("a directory");
    let environment = environment().with_home(home.path());
    let path = home.path().join(".pgpass");
    assert_eq!(resolve("", &environment).notices().count(), 0);
    write(&path, "*:*:*:*:p", 0o644);
    let config = resolve("", &environment);
    let notices: Vec<_> = config.notices().collect();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].contains("has group or world access"), "{}", notices[0]);
    write(&path, "*:*:*:*:p", 0o600);
    assert_eq!(resolve("", &environment).notices().count(), 0);
    // With a password at hand the file is not looked at.
    write(&path, "*:*:*:*:p", 0o644);
    assert_eq!(resolve("password=x", &environment).notices().count(), 0);
    let other = home.path().join("other");
    write(&other, "*:*:*:*:p", 0o640);
    let config = resolve("", &environment.with("PGPASSFILE", other.to_str().expect("UTF-8")));
    assert!(config.notices().all(|notice| notice.contains("other")));
    assert_eq!(config.notices().count(), 1);
}

#[test]
fn a_service_comes_before_variables() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join(".pg_service.conf");
    write(&file, "[bank]\nhost=service.example\nport=1\nuser=serviceuser\n", 0o644);
    let environment = environment()
        .with_home(home.path())
        .with("PGSYSCONFDIR", "/nonexistent")
        .with("PGHOST", "env.example")
        .with("PGDATABASE", "envdb");
    let config = resolve("service=bank port=2", &environment);
    assert_eq!(config.targets().expect("targets"), [target("service.example", 2)]);
    assert_eq!((config.user(), config.dbname()), (Some("serviceuser"), Some("envdb")));
    let config = resolve("", &environment.clone().with("PGSERVICE", "bank"));
    assert_eq!(config.host(), Some("service.example"));
    // A file that was named must be there; those that are looked for need not be.
    let elsewhere = environment.clone().with("PGSERVICEFILE", "/nonexistent/services");
    let error = Config::parse("service=bank").expect("ok").resolve(&elsewhere);
    assert_eq!(
        error.expect_err("none").to_string(),
        "service file \"/nonexistent/services\" not found"
    );
    let other = home.path().join("other");
    write(&other, "[bank]\nhost=other.example\n", 0o644);
    let text = format!("service=bank servicefile={}", other.display());
    assert_eq!(resolve(&text, &elsewhere).host(), Some("other.example"));
    let error = Config::parse("service=nobank").expect("ok").resolve(&environment);
    assert_eq!(error.expect_err("none").to_string(), "definition of service \"nobank\" not found");
}

#[test]
fn certificates_are_looked_for_at_home() {
    let home = tempfile::tempdir().expect("a directory");
    let folder = home.path().join(".postgresql");
    fs::create_dir(&folder).expect("makes a folder");
    fs::write(folder.join("root.crt"), "").expect("writes");
    fs::write(folder.join("postgresql.crt"), "").expect("writes");
    let environment = environment().with_home(home.path());
    let config = resolve("", &environment);
    assert_eq!(config.get("sslrootcert"), folder.join("root.crt").to_str());
    assert_eq!(config.get("sslcert"), folder.join("postgresql.crt").to_str());
    // As in libpq the key is named whether it is there or not: an error can say where to put it.
    assert_eq!(config.get("sslkey"), folder.join("postgresql.key").to_str());
    assert_eq!(config.get("sslcrl"), None);
    fs::write(folder.join("root.crl"), "").expect("writes");
    let config = resolve("sslrootcert=system sslcert=/c.crt", &environment);
    assert_eq!(config.get("sslrootcert"), Some("system"));
    assert_eq!(config.get("sslcert"), Some("/c.crt"));
    assert_eq!(config.get("sslkey"), folder.join("postgresql.key").to_str());
    assert_eq!(config.get("sslcrl"), folder.join("root.crl").to_str());
    assert_eq!(resolve("sslcrldir=/lists", &environment).get("sslcrl"), None);
    assert_eq!(resolve("sslkey=/k.key", &environment).get("sslkey"), Some("/k.key"));
    // Empty is as good as not given, as in libpq.
    let empty = "sslrootcert='' sslcert='' sslkey='' sslcrl='' sslcrldir=''";
    let config = resolve(empty, &environment);
    for (option, file) in [
        ("sslrootcert", "root.crt"),
        ("sslcrl", "root.crl"),
        ("sslcert", "postgresql.crt"),
        ("sslkey", "postgresql.key"),
    ] {
        assert_eq!(config.get(option), folder.join(file).to_str(), "{option}");
    }
    // Where there is no TLS, they are not looked for.
    for without in ["sslmode=disable", "host=/run/here", "host=@here,/run/there"] {
        let config = resolve(without, &environment);
        assert_eq!((config.get("sslrootcert"), config.get("sslcert")), (None, None), "{without}");
    }
    let mixed = resolve("host=/run/here,db.example", &environment);
    assert!(mixed.get("sslrootcert").is_some());
}

/// Text in Latin-1.
fn latin(bytes: &[u8]) -> std::ffi::OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[test]
fn a_variable_that_is_not_utf8_is_refused_by_name_where_it_would_count() {
    let variables = kecoa::config::options().filter_map(|o| Some((o.name, o.variable?)));
    let names: Vec<_> =
        variables.chain([("", "PGTZ"), ("", "PGDATESTYLE"), ("", "PGGEQO")]).collect();
    assert!(names.len() >= 30);
    for (option, variable) in names {
        let environment = environment().with(variable, latin(b"caf\xe9-secret"));
        let resolved = Config::new().resolve(&environment);
        if variable == "PGPASSWORD" {
            assert!(resolved.expect("bytes").has_password(0));
            continue;
        }
        if variable == "PGSERVICEFILE" {
            // A path is used as it is, when a service is asked for.
            let asked = Config::parse("service=x").expect("parses").resolve(&environment);
            let error = asked.expect_err("no such file").to_string();
            assert!(error.contains("service file") && error.contains("not found"), "{error}");
            continue;
        }
        let error = resolved.expect_err(variable).to_string();
        let expected =
            format!("expected UTF-8 in the environment variable {variable}, found other bytes");
        assert_eq!(error, expected);
        // What is given does not ask the variable.
        if matches!(option, "user" | "dbname" | "host" | "sslrootcert" | "options" | "passfile") {
            resolve(&format!("{option}=x sslmode=disable"), &environment);
        }
    }
}

#[test]
fn names_of_users_and_paths_that_are_not_utf8_are_not_dropped() {
    let user = Environment::empty().with_user(latin(b"jos\xe9"));
    let error = Config::new().resolve(&user).expect_err("no text").to_string();
    assert_eq!(
        error,
        "expected UTF-8 in the operating system's name of the user, found other bytes"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join(latin(b"jos\xe9"));
    fs::create_dir_all(home.join(".postgresql")).expect("a home");
    write(&home.join(".pgpass"), "*:*:*:*:x", 0o600);
    let environment = environment().with_home(&home);
    // Nothing there: nothing to be refused. The password file is found.
    let config = resolve("host=db.example sslmode=verify-full", &environment);
    assert!(config.has_password(0));
    write(&home.join(".postgresql/root.crt"), "x", 0o600);
    let config = Config::parse("host=db.example sslmode=verify-full").expect("parses");
    let error = config.resolve(&environment).expect_err("no text").to_string();
    assert!(error.contains("home directory") && error.contains("sslrootcert"), "{error}");
    resolve("host=db.example sslrootcert=/x", &environment);
}
