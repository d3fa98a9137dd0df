//! Every format, by example.

use kecoa::proto::{Field, RowDescription, Rows};

use super::*;
use crate::style::Style;

const FILE: Screen =
    Screen { width: None, is_terminal: false, cut: false, style: Style { on: false } };

fn look(format: Format) -> Look {
    Look {
        format,
        expanded: Expanded::Off,
        null: "NULL".to_owned(),
        separator: "|".to_owned(),
        tuples_only: false,
        counted: true,
    }
}

/// A run of rows, as a server sends them.
fn run(rows: &[&[Option<&str>]]) -> Rows {
    let mut data = Vec::new();
    for row in rows {
        let mut body = u16::try_from(row.len()).expect("few").to_be_bytes().to_vec();
        for value in *row {
            match value {
                Some(value) => {
                    body.extend(u32::try_from(value.len()).expect("short").to_be_bytes());
                    body.extend(value.as_bytes());
                }
                None => body.extend((-1_i32).to_be_bytes()),
            }
        }
        data.push(b'D');
        data.extend(u32::try_from(body.len() + 4).expect("short").to_be_bytes());
        data.extend(body);
    }
    Rows::from_bytes(data.into()).expect("rows")
}

/// What is written of rows with these columns (name and oid), and the remark.
fn written(
    look: &Look,
    screen: Screen,
    columns: &[(&'static str, u32)],
    rows: &[&[Option<&str>]],
) -> (String, Option<String>) {
    let field = |(name, oid): &(&'static str, u32)| Field {
        name: name.as_bytes().into(),
        type_oid: *oid,
        ..Field::default()
    };
    let description = RowDescription { fields: columns.iter().map(field).collect() };
    let mut printer = printer(look, screen, Column::all(&description));
    let mut out = Vec::new();
    if !rows.is_empty() {
        printer.rows(&run(rows), &mut out).expect("written");
    }
    let remark = printer.end(&mut out).expect("written");
    (String::from_utf8(out).expect("UTF-8"), remark)
}

const COLUMNS: [(&str, u32); 2] = [("id", 20), ("name", 25)];
const ROWS: [&[Option<&str>]; 2] = [&[Some("1"), Some("a,\"b\"\nc|<d>\t\\")], &[Some("22"), None]];

#[test]
fn each_format_writes_its_own() {
    for (format, text) in [
        (
            Format::Table,
            " id |        name\n----+---------------------\n  1 | a,\"b\"\\nc|<d>\\t\\\n 22 | NULL\n(2 rows)\n",
        ),
        (Format::Csv, "id,name\n1,\"a,\"\"b\"\"\nc|<d>\t\\\"\n22,\n"),
        (Format::Tsv, "id\tname\n1\ta,\"b\"\\nc|<d>\\t\\\\\n22\t\\N\n"),
        (Format::Unaligned, "id|name\n1|a,\"b\"\nc|<d>\t\\\n22|NULL\n(2 rows)\n"),
        (
            Format::Json,
            "[\n  {\"id\": 1, \"name\": \"a,\\\"b\\\"\\nc|<d>\\t\\\\\"},\n  {\"id\": 22, \"name\": null}\n]\n",
        ),
        (
            Format::Ndjson,
            "{\"id\": 1, \"name\": \"a,\\\"b\\\"\\nc|<d>\\t\\\\\"}\n{\"id\": 22, \"name\": null}\n",
        ),
        (
            Format::Markdown,
            "| id | name |\n|--:|---|\n| 1 | a,\"b\"<br>c\\|&lt;d>\t\\\\ |\n| 22 | NULL |\n",
        ),
        (
            Format::Html,
            "<table>\n<tr><th>id</th><th>name</th></tr>\n<tr><td align=\"right\">1</td>\
             <td>a,&quot;b&quot;<br>c|&lt;d&gt;\t\\</td></tr>\n<tr><td align=\"right\">22</td>\
             <td><i>NULL</i></td></tr>\n</table>\n",
        ),
    ] {
        let (found, _) = written(&look(format), FILE, &COLUMNS, &ROWS);
        if format == Format::Table {
            let found: Vec<&str> = found.lines().map(str::trim_end).collect();
            let wanted: Vec<&str> = text.lines().collect();
            assert_eq!(found.len(), wanted.len());
            assert_eq!(found.get(2..), wanted.get(2..), "{format:?}");
        } else {
            assert_eq!(found, text, "{format:?}");
        }
    }
}

#[test]
fn results_without_rows_keep_their_shape() {
    for (format, text) in [
        (Format::Table, " id | name\n----+------\n(0 rows)\n"),
        (Format::Csv, "id,name\n"),
        (Format::Tsv, "id\tname\n"),
        (Format::Json, "[]\n"),
        (Format::Ndjson, ""),
    ] {
        assert_eq!(written(&look(format), FILE, &COLUMNS, &[]).0, text, "{format:?}");
    }
}

#[test]
fn json_keeps_types_and_names() {
    let columns =
        [("n", 1700), ("f", 701), ("b", 16), ("j", 3802), ("t", 25), ("t", 25), ("j", 114)];
    let row: &[Option<&str>] = &[
        Some("1.50"),
        Some("NaN"),
        Some("t"),
        Some("{\"a\": [1]}"),
        Some("12"),
        Some(""),
        Some("{\"b\":\n1}"),
    ];
    let (text, _) = written(&look(Format::Ndjson), FILE, &columns, &[row]);
    assert_eq!(
        text,
        "{\"n\": 1.50, \"f\": \"NaN\", \"b\": true, \"j\": {\"a\": [1]}, \"t\": \"12\", \"t_2\": \"\", \
         \"j_2\": {\"b\": 1}}\n"
    );
    // What only says that it is JSON cannot get into the text.
    let lie: &[Option<&str>] = &[Some("1, \"x\": 2"), Some("1}")];
    let (text, _) = written(&look(Format::Ndjson), FILE, &[("j", 3802), ("n", 20)], &[lie]);
    assert_eq!(text, "{\"j\": \"1, \\\"x\\\": 2\", \"n\": \"1}\"}\n");
}

#[test]
fn a_terminal_sees_no_control_characters() {
    let screen = Screen { is_terminal: true, ..FILE };
    let evil: &[Option<&str>] = &[Some("a\x1b[31mb\u{9b}c\u{202e}"), Some("\u{7f}\x07")];
    for (_, format) in Format::ALL {
        let (text, _) = written(&look(format), screen, &[("x\x1b[2J", 25), ("j", 3802)], &[evil]);
        assert!(
            !text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}'),
            "{format:?}: {text:?}"
        );
    }
}

#[test]
fn a_table_is_cut_to_the_screen() {
    let long = "x".repeat(200);
    let screen = Screen { width: Some(60), cut: true, ..FILE };
    let row: &[Option<&str>] = &[Some("1"), Some(&long), Some("short")];
    let columns = [("id", 20), ("long", 25), ("other", 25)];
    let (text, remark) = written(&look(Format::Table), screen, &columns, &[row]);
    assert!(text.lines().all(|line| crate::escape::width(line) <= 60), "{text}");
    assert!(text.contains('…') && text.contains("short"), "{text}");
    assert!(remark.is_some_and(|remark| remark.contains("\\x")));
    let auto = Look { expanded: Expanded::Auto, ..look(Format::Table) };
    let (text, remark) = written(&auto, screen, &columns, &[row]);
    assert!(text.starts_with("-[ RECORD 1 ]"), "{text}");
    assert!(text.contains(&format!("long  | {long}")), "{text}");
    assert_eq!(remark, None);
}

#[test]
fn records_have_a_line_a_column() {
    let expanded = Look { expanded: Expanded::On, ..look(Format::Table) };
    let (text, _) = written(&expanded, FILE, &[("id", 20), ("été", 25)], &ROWS);
    assert!(text.contains("\nid  | 1\nété | a,\"b\"\\nc|<d>\\t\\\n-[ RECORD 2 ]"), "{text}");
    assert!(text.ends_with("été | NULL\n(2 rows)\n"), "{text}");
}

#[test]
fn wide_characters_line_up() {
    let rows: [&[Option<&str>]; 2] = [&[Some("日本"), Some("x")], &[Some("ab"), Some("y")]];
    let (text, _) = written(&look(Format::Table), FILE, &[("a", 25), ("b", 25)], &rows);
    assert!(text.contains(" 日本 | x\n ab   | y\n"), "{text}");
}

#[test]
fn many_rows_are_written_in_chunks() {
    let look = look(Format::Table);
    let mut printer =
        printer(&look, FILE, vec![Column { name: "n".to_owned(), kind: Kind::Number }]);
    let mut out = Vec::new();
    let row: &[Option<&str>] = &[Some("1")];
    for _ in 0..2500 {
        printer.rows(&run(&[row]), &mut out).expect("written");
    }
    // Two chunks of 1000 rows are out before the end is known.
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2002);
    printer.end(&mut out).expect("written");
    assert!(String::from_utf8(out).expect("UTF-8").ends_with("(2500 rows)\n"));
}
