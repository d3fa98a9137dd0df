//! `kecoa sql` against a scripted server: what goes wrong on the way. What works is tested from Python, beside
//! real servers.

// Helpers of tests count as tests.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::{Command, Stdio};

use kecoa_pgmock::{Script, Server};

/// What a run gave.
struct Ran {
    status: i32,
    out: String,
    said: String,
}

fn sql(port: u16, arguments: &[&str], input: &str) -> Ran {
    sql_with(port, arguments, input, &[])
}

fn sql_with(port: u16, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = sql_command(port, arguments);
    command.envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end before it has read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

fn sql_command(port: u16, arguments: &[&str]) -> Command {
    let home = std::env::temp_dir().join("kecoa-sql-nothing-here");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kecoa"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    for name in ["DATABASE_URL", "NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
        command.env_remove(name);
    }
    command.env("HOME", &home).env("KECOA_HOME", &home);
    command.arg("sql").args(arguments);
    if port != 0 {
        command.arg(format!("postgresql://u@127.0.0.1:{port}/d?sslmode=disable"));
    }
    command
}

/// A server that is left in any way once the script is over.
fn server(script: Script) -> Server {
    Server::start(vec![script.may_leave()])
}

fn rows(script: Script, sql: &str, values: &[&str]) -> Script {
    let script = script.query(sql).row_description(&[("x", 25, 0)]);
    let script = values.iter().fold(script, |script, value| script.row(&[Some(value.as_bytes())]));
    script.complete(&format!("SELECT {}", values.len())).ready('I')
}

#[test]
fn statements_run_one_by_one_and_results_are_data() {
    let script = rows(Script::new().startup(), "SELECT 'a;b'", &["a;b"]);
    let script = script.simple("CREATE TABLE t (x INT)", "CREATE TABLE", 'I');
    let server = server(rows(script, "SELECT 2", &["2", "3"]));
    let ran = sql(server.port(), &[], "SELECT 'a;b'; CREATE TABLE t (x INT);\nSELECT 2 -- end");
    assert_eq!((ran.status, ran.said.as_str()), (0, ""));
    assert_eq!(ran.out, "x\na;b\nx\n2\n3\n");
    server.finish();
}

#[test]
fn a_script_stops_at_its_first_error_and_goes_on_where_asked() {
    let begin = || Script::new().startup().failing("SELEC 1", "42601", 'I');
    let stops = server(begin());
    let ran = sql(stops.port(), &[], "SELEC 1; SELECT 2;");
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.said.starts_with("standard input:1: ERROR 42601: "), "{}", ran.said);
    let continues = server(rows(begin(), "SELECT 2", &["2"]));
    let ran = sql(continues.port(), &["--on-error", "continue"], "SELEC 1; SELECT 2;");
    assert_eq!((ran.status, ran.out.as_str()), (1, "x\n2\n"));
}

#[test]
fn one_transaction_around_everything() {
    let script = Script::new().startup().simple("BEGIN", "BEGIN", 'T');
    let script = script.simple("A", "INSERT 0 1", 'T').simple("B", "INSERT 0 1", 'T');
    let good = server(script.simple("COMMIT", "COMMIT", 'I'));
    let ran = sql(good.port(), &["-1", "-c", "A", "-c", "B"], "");
    assert_eq!((ran.status, ran.said.as_str()), (0, ""));
    good.finish();
    let script = Script::new().startup().simple("BEGIN", "BEGIN", 'T').failing("A", "22012", 'E');
    let bad = server(script.simple("ROLLBACK", "ROLLBACK", 'I'));
    let ran = sql(bad.port(), &["-1", "-c", "A", "-c", "B"], "");
    assert_eq!(ran.status, 1);
    assert!(ran.said.contains("everything was rolled back"), "{}", ran.said);
    bad.finish();
}

#[test]
fn a_retry_error_says_what_to_do() {
    let script = Script::new().startup().simple("BEGIN", "BEGIN", 'T');
    let server = server(script.failing("UPDATE t", "40001", 'E'));
    let ran = sql(server.port(), &[], "BEGIN; UPDATE t;");
    assert_eq!(ran.status, 1);
    assert!(ran.said.contains("run the whole transaction again from its BEGIN"), "{}", ran.said);
}

#[test]
fn a_lost_answer_to_a_write_is_called_unknown_and_nothing_is_run_again() {
    let script = Script::new().startup().query("INSERT INTO t VALUES (1)").close();
    let server = Server::start(vec![script]);
    let ran =
        sql(server.port(), &["--on-error", "continue"], "INSERT INTO t VALUES (1); SELECT 2;");
    assert_eq!(ran.status, 1);
    assert!(ran.said.contains("may or may not have been committed"), "{}", ran.said);
    assert!(ran.said.contains("its session is lost"), "{}", ran.said);
    server.finish();
}

#[test]
fn data_of_copy_follows_its_statement() {
    let script = Script::new().startup().query("COPY t FROM STDIN").copy_response('G', 1);
    let script = script
        .expect_exactly('d', b"1\n")
        .expect_exactly('d', b"2\n")
        .expect('c')
        .complete("COPY 2")
        .ready('I');
    let server = server(rows(script, "SELECT 3", &["3"]));
    let ran = sql(server.port(), &[], "COPY t FROM STDIN;\n1\n2\n\\.\nSELECT 3;\n");
    assert_eq!((ran.status, ran.said.as_str(), ran.out.as_str()), (0, "", "x\n3\n"));
    server.finish();
}

#[test]
fn nothing_behind_a_copy_command_reaches_the_server() {
    // The server would fail on any statement: nothing is expected.
    let server = server(Script::new().startup().terminate());
    let commands = [
        "\\copy t(id) from '/etc/hostname' with (format csv); insert into t values (2)",
        "\\copy (select 1) to stdout; select 'LOST'",
    ];
    let arguments = ["--on-error", "continue", "-c", commands[0], "-c", commands[1]];
    let ran = sql(server.port(), &arguments, "");
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert_eq!(ran.said.matches("behind the semicolon").count(), 2, "{}", ran.said);
    assert!(ran.said.contains("found select 'LOST'"), "{}", ran.said);
    server.finish();
}

#[test]
fn a_copy_that_fails_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    std::fs::write(&old, "before").unwrap();
    let script = Script::new().startup().failing("COPY t TO STDOUT", "42P01", 'I');
    let script = script.failing("COPY t TO STDOUT", "42P01", 'I').query("COPY t TO STDOUT");
    let script = script.copy_response('H', 1).send_message('d', b"1\n").error("22012", "no");
    let script = script.ready('I').query("COPY t TO STDOUT").copy_response('H', 1);
    let script = script.send_message('d', b"1\n").send_message('c', b"").complete("COPY 1");
    let server = server(script.ready('I'));
    let copies = |path: &std::path::Path| format!("\\copy t TO '{}'\n", path.display());
    let port = server.port();
    let failing = [copies(&old), copies(&new), copies(&old)].concat();
    let check = "\\echo before the last one\n";
    let input = format!("{failing}{check}{}", copies(&new));
    let ran = sql(port, &["--on-error", "continue"], &input);
    assert_eq!(ran.status, 1);
    assert_eq!(ran.said.matches("ERROR").count(), 3, "{}", ran.said);
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "before");
    assert_eq!(std::fs::read_to_string(&new).unwrap(), "1\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    server.finish();
}

#[test]
fn a_script_that_ends_inside_a_transaction_has_failed() {
    for end in ["", "\\q\n"] {
        let server = server(Script::new().startup().simple("BEGIN", "BEGIN", 'T'));
        let ran = sql(server.port(), &[], &format!("BEGIN;\n{end}"));
        assert_eq!(ran.status, 1);
        assert!(ran.said.contains("open transaction, which was rolled back"), "{}", ran.said);
        server.finish();
    }
}

#[test]
fn a_script_that_ends_the_single_transaction_itself() {
    let begin = || Script::new().startup().simple("BEGIN", "BEGIN", 'T');
    let commit = || begin().simple("COMMIT", "COMMIT", 'I');
    let chain = || begin().simple("COMMIT AND CHAIN", "COMMIT", 'T');
    // No transaction is left: nothing is committed, and nothing rolled back.
    let good = server(commit());
    let ran = sql(good.port(), &["-1", "-c", "COMMIT"], "");
    assert!(ran.status == 0 && ran.said.contains("ended the transaction itself"), "{}", ran.said);
    good.finish();
    let bad = server(commit().failing("A", "22012", 'I'));
    let ran = sql(bad.port(), &["-1", "-c", "COMMIT; A"], "");
    assert!(ran.status == 1 && ran.said.contains("what it committed is kept"), "{}", ran.said);
    assert!(!ran.said.contains("rolled back"), "{}", ran.said);
    bad.finish();
    let script = chain().failing("A", "22012", 'E').simple("ROLLBACK", "ROLLBACK", 'I');
    let chained = server(script);
    let ran = sql(chained.port(), &["-1", "-c", "COMMIT AND CHAIN; A"], "");
    assert!(ran.status == 1 && ran.said.contains("what it committed is kept"), "{}", ran.said);
    assert!(!ran.said.contains("everything"), "{}", ran.said);
    chained.finish();
    let script = begin().simple("ROLLBACK TO a", "ROLLBACK", 'T').failing("A", "22012", 'E');
    let savepoint = server(script.simple("ROLLBACK", "ROLLBACK", 'I'));
    let ran = sql(savepoint.port(), &["-1", "-c", "ROLLBACK TO a; A"], "");
    assert!(ran.status == 1 && ran.said.contains("everything was rolled back"), "{}", ran.said);
    savepoint.finish();
}

#[test]
fn a_dump_restricts_commands() {
    let script = || rows(Script::new().startup(), "SELECT 1", &["1"]);
    let dump = "\\restrict aB3\nSELECT 1;\n\\unrestrict aB3\n\\echo done\n";
    let good = server(script());
    let ran = sql(good.port(), &[], dump);
    assert_eq!((ran.status, ran.said.as_str(), ran.out.as_str()), (0, "", "x\n1\ndone\n"));
    good.finish();
    let input = "\\restrict aB3\n\\echo no\n\\unrestrict ab3\n\\restrict ab3\n\\unrestrict\nSELECT 1 \\g\n;\n\
                 \\unrestrict aB3\n\\unrestrict aB3\n";
    let bad = server(script());
    let ran = sql(bad.port(), &["--on-error", "continue"], input);
    assert_eq!((ran.status, ran.out.as_str()), (1, "x\n1\n"));
    let said: Vec<&str> = ran.said.lines().collect();
    assert_eq!(said.len(), 6, "{}", ran.said);
    assert!(said[0].contains("no command but \\unrestrict"), "{}", ran.said);
    assert!(said[1].contains("expected the key"), "{}", ran.said);
    assert!(said[5].contains("found none"), "{}", ran.said);
    bad.finish();
}

#[test]
fn the_encoding_of_the_client_stays() {
    let script = Script::new().startup().query("SET client_encoding = latin1");
    let script = script.parameter_status("client_encoding", "LATIN1").complete("SET").ready('I');
    let script = script.query("SET client_encoding = 'UTF8'");
    let script = script.parameter_status("client_encoding", "UTF8").complete("SET").ready('I');
    let server = server(rows(script, "SELECT 'é'", &["é"]));
    let ran = sql(server.port(), &[], "SET client_encoding = latin1;\nSELECT 'é';\n");
    assert_eq!((ran.status, ran.out.as_str()), (0, "x\né\n"));
    assert!(ran.said.contains("LATIN1, and is UTF8 again"), "{}", ran.said);
    server.finish();
}

#[test]
fn wrong_values_of_arguments_are_mistakes_in_the_arguments() {
    for arguments in [["-P", "nix=1"], ["-P", "format=xml"], ["-P", "timing=maybe"]] {
        let ran = sql(1, &arguments, "");
        assert!(ran.status == 2 && ran.said.contains("expected"), "{arguments:?}: {}", ran.said);
    }
    let ran = sql(1, &["-o", "/nonexistent/file"], "");
    assert!(ran.status == 1 && ran.said.contains("/nonexistent/file"), "{}", ran.said);
}

#[test]
fn errors_of_files_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let server = server(Script::new().startup());
    let ran = sql(server.port(), &["-f", path], "");
    assert_eq!(ran.status, 1);
    assert!(ran.said.contains(&format!("cannot read {path}: ")), "{}", ran.said);
}

#[test]
fn errors_name_the_line_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (outer, inner) = (folder.path().join("outer.sql"), folder.path().join("inner.sql"));
    std::fs::write(&inner, "\n\nNO;\n").unwrap();
    let text = format!("/* a\nb */\nSELEC\n1;\n\\nothing\n\\i {}\nLAST", inner.display());
    std::fs::write(&outer, text).unwrap();
    let script = Script::new().startup().failing("SELEC\n1", "42601", 'I');
    let script = script.failing("NO", "42601", 'I').failing("LAST", "42601", 'I');
    let server = server(script);
    let path = outer.to_str().unwrap();
    let arguments = ["--on-error", "continue", "-f", path];
    let ran = sql(server.port(), &arguments, "");
    let said: Vec<&str> = ran.said.lines().collect();
    assert_eq!(said.len(), 4, "{}", ran.said);
    assert!(said[0].starts_with(&format!("{path}:3: ERROR 42601: ")), "{}", ran.said);
    assert!(said[1].starts_with(&format!("kecoa: {path}:5: there is no")), "{}", ran.said);
    assert!(said[2].starts_with(&format!("{}:3: ERROR", inner.display())), "{}", ran.said);
    assert!(said[3].starts_with(&format!("{path}:7: ERROR")), "{}", ran.said);
}

#[test]
fn a_file_for_results_is_kept_until_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    for name in ["g", "g2", "o", "o2", "output"] {
        std::fs::write(path(name), "before\n").unwrap();
    }
    let script = rows(Script::new().startup().failing("A", "42601", 'I'), "B", &["1"]);
    // A part of a result is none.
    let script = script.query("C").row_description(&[("x", 25, 0)]).row(&[Some(b"1")]);
    let script = script.error("22012", "no").ready('I');
    let script = rows(script.failing("A", "42601", 'I'), "B", &["1"]);
    let server = server(rows(script.failing("A", "42601", 'I'), "B", &["2"]));
    let input = format!(
        "A \\g {g}\nB \\g {g2}\nC \\g {g}\n\\o {o}\nA;\n\\o {o2}\nB;\n\\o {o}\nA;\n\\o {new}\nB;\n",
        g = path("g"),
        g2 = path("g2"),
        o = path("o"),
        o2 = path("o2"),
        new = path("new"),
    );
    let arguments = ["--on-error", "continue", "-o", &path("output")];
    let ran = sql(server.port(), &arguments, &input);
    assert_eq!((ran.status, ran.said.matches("ERROR").count()), (1, 4), "{}", ran.said);
    for (name, text) in [
        ("g", "before\n"),
        ("g2", "x\n1\n"),
        ("o", "before\n"),
        ("o2", "x\n1\n"),
        ("new", "x\n2\n"),
    ] {
        assert_eq!(read(name), text, "{name}: {}", ran.said);
    }
    assert_eq!(read("output"), "before\n", "nothing was for it, and something failed");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
    server.finish();
}

#[test]
fn a_file_for_results_that_are_none_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("output");
    std::fs::write(&path, "before").unwrap();
    let server = server(Script::new().startup().simple("A", "CREATE TABLE", 'I'));
    let ran = sql(server.port(), &["-o", path.to_str().unwrap(), "-c", "A"], "");
    assert_eq!((ran.status, ran.said.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn colours_are_those_of_every_command() {
    for (arguments, variable, colored) in [
        (&[][..], ("CLICOLOR_FORCE", "1"), true),
        (&[], ("CLICOLOR", "1"), false),
        (&["--color", "never"], ("CLICOLOR_FORCE", "1"), false),
        (&["--color", "always"], ("NO_COLOR", "1"), true),
    ] {
        let server = server(Script::new().startup().failing("A", "42601", 'I'));
        let mut arguments = arguments.to_vec();
        arguments.extend(["-c", "A"]);
        let ran = sql_with(server.port(), &arguments, "", &[variable]);
        assert_eq!(ran.status, 1, "{}", ran.said);
        assert_eq!(ran.said.starts_with("\x1b[1;31mERROR"), colored, "{variable:?}: {}", ran.said);
    }
}

/// A server that is stopped takes what is sent, and says nothing.
#[test]
fn ctrl_c_again_gives_up_a_server_that_says_nothing() {
    let script = Script::new().startup().query("SELECT 1").stall();
    let server = Server::start(vec![script.may_leave(), Script::new().stall().may_leave()]);
    let mut command = sql_command(server.port(), &["-c", "\\echo ready", "-c", "SELECT 1"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut said = String::new();
    let mut ready = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let interrupt = |child: &std::process::Child| {
        let done = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(done.unwrap().success());
    };
    let began = std::time::Instant::now();
    interrupt(&child);
    // The first asks the server to cancel the statement: that is waited for.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let over = child.try_wait().unwrap();
    if over.is_some() {
        stderr.read_to_string(&mut said).unwrap();
    }
    assert_eq!(over, None, "{said}");
    interrupt(&child);
    stderr.read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(began.elapsed() < std::time::Duration::from_secs(9), "{:?}: {said}", began.elapsed());
    assert!(said.contains("the connection was closed"), "{said}");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2), "{said}");
}

#[test]
fn nobody_to_connect_to() {
    let ran = sql(0, &[], "");
    assert_eq!(ran.status, 1);
    assert!(
        ran.said.contains("kecoa local start") && ran.said.contains("DATABASE_URL"),
        "{}",
        ran.said
    );
    let ran = sql(1, &["-c", "SELECT 1"], "");
    assert_eq!(ran.status, 1);
    assert!(ran.said.contains("Connection refused"), "{}", ran.said);
    assert_eq!(sql(0, &["--format", "xml"], "").status, 2);
    let help = sql(0, &["--help"], "");
    assert!(help.status == 0 && help.out.contains("--single-transaction"), "{}", help.out);
}

#[test]
fn psql_options_mean_what_they_mean_there() {
    let server = server(rows(Script::new().startup(), "SELECT x", &["a", "b"]));
    let port = server.port().to_string();
    let arguments = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-U",
        "u",
        "-At",
        "-c",
        "SELECT x",
        "-d",
        "dbname=d sslmode=disable",
    ];
    let ran = sql(0, &arguments, "");
    assert_eq!((ran.status, ran.out.as_str(), ran.said.as_str()), (0, "a\nb\n", ""));
    server.finish();
}
