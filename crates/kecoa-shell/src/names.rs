//! Names of the database, for completion. They are read by a connection of their own, on a thread, so
//! that nobody waits for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use kecoa::Config;
use kecoa::blocking::Client;

use crate::catalogue;

/// What there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) schemas: Vec<String>,
    pub(crate) databases: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) types: Vec<String>,
    pub(crate) functions: Vec<String>,
    pub(crate) settings: Vec<String>,
    pub(crate) indexes: Vec<String>,
    pub(crate) sequences: Vec<String>,
    /// Schema and name.
    pub(crate) tables: Vec<(String, String)>,
    /// The columns of a table.
    pub(crate) columns: BTreeMap<(String, String), Vec<String>>,
    /// The schemas whose names need no schema in front.
    pub(crate) search_path: Vec<String>,
}

impl Names {
    /// The columns of a table that may be named without its schema.
    pub(crate) fn columns_of(&self, schema: Option<&str>, table: &str) -> &[String] {
        let of = |schema: &str| self.columns.get(&(schema.to_owned(), table.to_owned()));
        let found = match schema {
            Some(schema) => of(schema),
            None => {
                self.search_path.iter().find_map(|schema| of(schema)).or_else(|| of("pg_catalog"))
            }
        };
        found.map_or(&[], Vec::as_slice)
    }

    /// Whether the schema need not be named.
    pub(crate) fn is_visible(&self, schema: &str) -> bool {
        self.search_path.iter().any(|known| known == schema)
    }

    fn add(&mut self, what: &str, schema: &str, name: &str) {
        let list = match what {
            "schema" => &mut self.schemas,
            "database" => &mut self.databases,
            "role" => &mut self.roles,
            "type" => &mut self.types,
            "function" => &mut self.functions,
            "index" => &mut self.indexes,
            "sequence" => &mut self.sequences,
            _ => return self.tables.push((schema.to_owned(), name.to_owned())),
        };
        list.push(name.to_owned());
    }

    /// Reads them. What one query lacks the others still give.
    fn read(client: &mut Client) -> Names {
        let mut names = Names::default();
        for (schema, _) in pairs(client, "SELECT s, s FROM unnest(current_schemas(false)) s") {
            names.search_path.push(schema);
        }
        for query in catalogue::OBJECTS {
            for row in rows(client, query) {
                if let [what, schema, name] = row.as_slice() {
                    names.add(what, schema, name);
                }
            }
        }
        for row in rows(client, catalogue::NAMES) {
            if let [_, schema, table, column] = row.as_slice() {
                let key = (schema.clone(), table.clone());
                names.columns.entry(key).or_default().push(column.clone());
            }
        }
        names.settings = rows(client, "SHOW ALL").into_iter().filter_map(first).collect();
        for list in [
            &mut names.schemas,
            &mut names.types,
            &mut names.functions,
            &mut names.settings,
            &mut names.indexes,
        ] {
            list.sort();
            list.dedup();
        }
        names.tables.sort();
        names
    }
}

fn first(row: Vec<String>) -> Option<String> {
    row.into_iter().next()
}

fn rows(client: &mut Client, sql: &str) -> Vec<Vec<String>> {
    let text =
        |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    let Ok(sets) = client.batch(sql) else { return Vec::new() };
    let runs = sets.iter().flat_map(|set| &set.rows);
    runs.flat_map(kecoa::proto::Rows::iter)
        .map(|row| row.fields().map(text).collect::<Vec<String>>())
        // A name that would have to be escaped is not offered.
        .filter(|row| row.iter().all(|text| crate::escape::line(text.as_bytes()) == *text))
        .collect()
}

fn pairs(client: &mut Client, sql: &str) -> Vec<(String, String)> {
    let pair = |row: Vec<String>| match <[String; 2]>::try_from(row) {
        Ok([a, b]) => Some((a, b)),
        Err(_) => None,
    };
    rows(client, sql).into_iter().filter_map(pair).collect()
}

/// The names as they were read last, shared with the thread that reads them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedNames {
    names: Arc<Mutex<Names>>,
    /// How many times reading was begun: only the newest is kept.
    turn: Arc<Mutex<u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedNames {
    /// The names that are known now.
    pub(crate) fn get(&self) -> MutexGuard<'_, Names> {
        lock(&self.names)
    }

    /// Begins to read them, by a connection of its own. Without one there is nothing to complete.
    pub(crate) fn refresh(&self, config: &Config) {
        let turn = {
            let mut turn = lock(&self.turn);
            *turn += 1;
            *turn
        };
        let (shared, mut config) = (self.clone(), config.clone());
        // Whoever looks at the server's sessions should know what this one is.
        if config.set("application_name", "kecoa sql, completion").is_err() {
            return;
        }
        let read = move || {
            let Ok(mut client) = Client::connect(&config) else { return };
            let names = Names::read(&mut client);
            client.close();
            if *lock(&shared.turn) == turn {
                *lock(&shared.names) = names;
            }
        };
        // Without a thread there is no completion of names.
        let _ = thread::Builder::new().name("kecoa-names".to_owned()).spawn(read);
    }
}
