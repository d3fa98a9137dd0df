//! Any SQL through the local endpoint's dialect: no panic, questions that end, pieces of the text
//! that lie where they say.
#![no_main]

use kecoa_local::dialect;
use kecoa_local::dialect::catalog::{Catalog, Context, Need};
use kecoa_local::dialect::settings::Settings;
use kecoa_local::dialect::transaction::Transaction;
use libfuzzer_sys::fuzz_target;

fn answer(catalog: &mut Catalog, need: Need) {
    let yes = || Some("t".to_owned());
    let no = || Some("f".to_owned());
    let rows = match &need {
        Need::Table(table) if table.name.len() % 2 == 1 => vec![
            vec![Some("id".to_owned()), yes(), no()],
            vec![Some("a".to_owned()), no(), no()],
            vec![Some("sum".to_owned()), no(), yes()],
        ],
        Need::Table(_) | Need::Index(..) | Need::Activity => Vec::new(),
        Need::Names(_, wanted) => {
            let whose = ["index", "aside", "constraint", "of index", "of relation"];
            let row = |name: &String| {
                vec![Some(whose[name.len() % whose.len()].to_owned()), Some(name.clone())]
            };
            wanted.iter().filter(|name| name.len() % 2 == 1).map(row).collect()
        }
        Need::Schema(name) | Need::Database(name) => {
            if name.len() % 2 == 1 {
                vec![vec![Some("1".to_owned())]]
            } else {
                Vec::new()
            }
        }
    };
    catalog.answer(need, &rows);
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, sql)) = data.split_first() else { return };
    let backslash_escapes = choice & 1 != 0;
    let mut end = 0;
    for token in kecoa_sql::lex(sql, backslash_escapes) {
        assert!(token.start >= end && token.end > token.start && token.end <= sql.len());
        end = token.end;
    }
    let mut catalog = Catalog::default();
    let mut transaction = Transaction::default();
    for statement in kecoa_sql::split(sql, backslash_escapes) {
        assert!(statement.offset() + statement.sql().len() <= sql.len());
        for asked in 0.. {
            assert!(asked < 300, "endless questions");
            let context = Context {
                database: "defaultdb",
                catalog: &catalog,
                backslash_escapes,
                settings: &Settings::default(),
                parameters: Some(&[]),
            };
            match dialect::analyse(&statement, &context) {
                Ok(analysis) => {
                    for piece in &transaction.plan(&analysis).pieces {
                        for position in [0, 1, piece.sql.text.len(), usize::MAX] {
                            drop(piece.sql.client_position(position, sql));
                        }
                    }
                    break;
                }
                Err(need) => {
                    assert!(!need.sql().is_empty());
                    answer(&mut catalog, need);
                }
            }
        }
        transaction.ready([b'I', b'T', b'E'][usize::from(choice >> 1) % 3]);
    }
});
