//! What analysis must know of the database, and what is known of it.

use std::collections::{HashMap, HashSet};

use super::quote::{quote, quote_name};
use super::settings::Settings;

/// A table's name as written, folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The schema, if one was named.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
}

impl TableName {
    /// The name as SQL, in quotes.
    pub fn quoted(&self) -> String {
        let schema = self.schema.iter().map(|schema| format!("{}.", quote_name(schema)));
        schema.chain([quote_name(&self.name)]).collect()
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it is part of the primary key.
    pub key: bool,
    /// Whether only the server may write it.
    pub generated: bool,
}

/// A key of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// The column or expression, as SQL.
    pub text: String,
    /// Whether it is an expression.
    pub expression: bool,
    /// Whether it is in descending order.
    pub descending: bool,
}

/// What analysis must know of the database first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// The columns of a table, if there is one.
    Table(TableName),
    /// The keys of a table's index; without a name, of its primary key.
    Index(TableName, Option<String>),
    /// Whether a database exists.
    Database(String),
    /// Whether the session's database has a schema.
    Schema(String),
    /// The names of a table's indexes and constraints, and who has these names in its schema.
    Names(TableName, Vec<String>),
    /// What clients said last, which the caller tells PostgreSQL (`kecoa.texts`).
    Activity,
}

/// What an index or a constraint of a table meets with its name. The table need not be there.
#[derive(Debug, Default)]
pub struct Names {
    /// The names of the table's indexes.
    pub indexes: HashSet<String>,
    /// The names of its constraints that are no indexes.
    pub constraints: HashSet<String>,
    /// Whether an index of it is in no schema, as something else there has its name.
    pub aside: bool,
    /// The names, of those asked for, that an index of another table has.
    pub of_indexes: HashSet<String>,
    /// The names, of those asked for, that a table, view or sequence has.
    pub of_relations: HashSet<String>,
    asked: HashSet<String>,
}

impl Need {
    /// The query that answers. Each row is a column for a table (name, is key, is generated: `t`
    /// or `f`, the table's schema, whether no code of the client's runs when a row is written), a key for an index (SQL, is an expression, descends), a name for
    /// names (whose it is, the name), any row at all for a database or schema.
    pub fn sql(&self) -> String {
        match self {
            Self::Table(table) => {
                let schema = table.schema.as_deref().map_or_else(|| "NULL".to_owned(), quote);
                format!("SELECT * FROM crdb_internal.columns_of({schema}, {})", quote(&table.name))
            }
            Self::Index(table, index) => {
                let visible = match &table.schema {
                    Some(schema) => format!("n.nspname = {}", quote(schema)),
                    None => "pg_catalog.pg_table_is_visible(c.oid)".to_owned(),
                };
                let wanted = match index.as_deref() {
                    None | Some("primary") => "i.indisprimary".to_owned(),
                    Some(name) => format!("x.relname = {}", quote(name)),
                };
                format!(
                    "SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, true), i.indkey[k - 1] = 0, \
                     (i.indoption[k - 1] & 1) = 1 \
                     FROM pg_catalog.pg_index i \
                     JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
                     JOIN pg_catalog.pg_class c ON c.oid = i.indrelid \
                     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                     CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts::int4) AS k \
                     WHERE c.relname = {} AND {visible} AND {wanted} ORDER BY k",
                    quote(&table.name)
                )
            }
            Self::Activity => "SELECT 1".to_owned(),
            Self::Database(name) => {
                let name = quote(name);
                format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {name}")
            }
            Self::Schema(name) => {
                let name = quote(name);
                format!("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {name}")
            }
            Self::Names(table, wanted) => {
                // to_regclass() fails for a schema that the client may not use.
                let id = match &table.schema {
                    Some(schema) => format!(
                        "(SELECT o.oid FROM pg_catalog.pg_class o \
                         JOIN pg_catalog.pg_namespace s ON s.oid = o.relnamespace \
                         WHERE s.nspname = {} AND o.relname = {})",
                        quote(schema),
                        quote(&table.name)
                    ),
                    None => format!("pg_catalog.to_regclass({})", quote(&table.quoted())),
                };
                let schema = table
                    .schema
                    .as_deref()
                    .map_or_else(|| "pg_catalog.current_schema()".to_owned(), quote);
                let wanted: Vec<String> = wanted.iter().map(|name| quote(name)).collect();
                format!(
                    "SELECT CASE WHEN x.relnamespace = i.indrelid THEN 'aside' ELSE 'index' END, \
                     x.relname FROM pg_catalog.pg_index i \
                     JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = {id} \
                     UNION ALL SELECT 'constraint', k.conname FROM pg_catalog.pg_constraint k \
                     WHERE k.conrelid = {id} AND k.contype IN ('c', 'f') \
                     UNION ALL SELECT CASE WHEN c.relkind IN ('i', 'I') THEN 'of index' \
                     ELSE 'of relation' END, c.relname FROM pg_catalog.pg_class c \
                     WHERE c.relname IN ({}) AND c.relnamespace = coalesce(\
                     (SELECT t.relnamespace FROM pg_catalog.pg_class t WHERE t.oid = {id}), \
                     (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = {schema})) \
                     AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i \
                     WHERE i.indexrelid = c.oid AND i.indrelid = {id})",
                    if wanted.is_empty() { "NULL".to_owned() } else { wanted.join(", ") }
                )
            }
        }
    }
}

#[derive(Debug, Default)]
struct Table {
    schema: Option<String>,
    columns: Vec<Column>,
    steady: bool,
}

/// What is known of the database. It holds for as long as nothing runs: the next statement may
/// find other tables under the same names.
#[derive(Debug, Default)]
pub struct Catalog {
    tables: HashMap<TableName, Table>,
    indexes: HashMap<(TableName, Option<String>), Vec<IndexKey>>,
    databases: HashMap<String, bool>,
    schemas: HashMap<String, bool>,
    names: HashMap<TableName, Names>,
    activity: bool,
}

fn flag(row: &[Option<String>], index: usize) -> bool {
    row.get(index).is_some_and(|value| value.as_deref() == Some("t"))
}

/// More tables than this are not remembered at once.
const CATALOG_CAP: usize = 1024;

impl Catalog {
    /// Notes the rows that answered `need`.
    pub fn answer(&mut self, need: Need, rows: &[Vec<Option<String>>]) {
        match need {
            Need::Table(table) => {
                if self.tables.len() >= CATALOG_CAP {
                    self.tables.clear();
                }
                let columns = rows
                    .iter()
                    .map(|row| Column {
                        name: row.first().cloned().flatten().unwrap_or_default(),
                        key: flag(row, 1),
                        generated: flag(row, 2),
                    })
                    .collect();
                let schema = rows.first().and_then(|row| row.get(3).cloned().flatten());
                let steady = rows.first().is_some_and(|row| flag(row, 4));
                self.tables.insert(table, Table { schema, columns, steady });
            }
            Need::Index(table, index) => {
                let keys = rows
                    .iter()
                    .map(|row| IndexKey {
                        text: row.first().cloned().flatten().unwrap_or_default(),
                        expression: flag(row, 1),
                        descending: flag(row, 2),
                    })
                    .collect();
                self.indexes.insert((table, index), keys);
            }
            Need::Activity => self.activity = true,
            Need::Database(name) => {
                self.databases.insert(name, !rows.is_empty());
            }
            Need::Schema(name) => {
                self.schemas.insert(name, !rows.is_empty());
            }
            Need::Names(table, wanted) => {
                let names = self.names.entry(table).or_default();
                names.asked.extend(wanted);
                for row in rows {
                    let [Some(whose), Some(name)] = row.as_slice() else { continue };
                    names.aside |= whose == "aside";
                    let set = match whose.as_str() {
                        "index" | "aside" => &mut names.indexes,
                        "constraint" => &mut names.constraints,
                        "of index" => &mut names.of_indexes,
                        _ => &mut names.of_relations,
                    };
                    set.insert(name.clone());
                }
            }
        }
    }

    /// Forgets everything: the schema may have changed.
    pub fn clear(&mut self) {
        self.tables.clear();
        self.indexes.clear();
        self.databases.clear();
        self.schemas.clear();
        self.names.clear();
        self.activity = false;
    }

    /// What clients said last is known.
    pub fn activity(&self) -> Result<(), Need> {
        if self.activity { Ok(()) } else { Err(Need::Activity) }
    }

    /// The names around a table, and who has those of `wanted`.
    pub fn names(&self, table: &TableName, wanted: &[String]) -> Result<&Names, Need> {
        self.names
            .get(table)
            .filter(|names| wanted.iter().all(|name| names.asked.contains(name)))
            .ok_or_else(|| Need::Names(table.clone(), wanted.to_vec()))
    }

    /// The columns of a table; none when there is no such table.
    pub fn table(&self, name: &TableName) -> Result<&[Column], Need> {
        let table = self.tables.get(name).ok_or_else(|| Need::Table(name.clone()))?;
        Ok(&table.columns)
    }

    /// The keys of an index; none when there is no such index.
    pub fn index(&self, table: &TableName, index: Option<&str>) -> Result<&[IndexKey], Need> {
        let key = (table.clone(), index.map(str::to_owned));
        match self.indexes.get(&key) {
            Some(keys) => Ok(keys),
            None => Err(Need::Index(key.0, key.1)),
        }
    }

    /// The schema that a table was found in, if it was.
    pub fn schema_of(&self, name: &TableName) -> Option<&str> {
        self.tables.get(name)?.schema.as_deref()
    }

    /// Whether all that is known is tables, and no code of the client's runs when rows of them are written.
    pub fn is_steady(&self) -> bool {
        !self.tables.is_empty()
            && self.tables.values().all(|table| table.steady)
            && self.indexes.is_empty()
            && self.names.is_empty()
            && !self.activity
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
            && self.indexes.is_empty()
            && self.databases.is_empty()
            && self.schemas.is_empty()
            && self.names.is_empty()
            && !self.activity
    }

    /// Whether the session's database has a schema.
    pub fn schema(&self, name: &str) -> Result<bool, Need> {
        self.schemas.get(name).copied().ok_or_else(|| Need::Schema(name.to_owned()))
    }

    /// Whether a database exists.
    pub fn database(&self, name: &str) -> Result<bool, Need> {
        self.databases.get(name).copied().ok_or_else(|| Need::Database(name.to_owned()))
    }
}

/// What analysis knows of the session.
#[derive(Debug)]
pub struct Context<'a> {
    /// The database the session is in.
    pub database: &'a str,
    /// What is known of it.
    pub catalog: &'a Catalog,
    /// `standard_conforming_strings` is off.
    pub backslash_escapes: bool,
    /// The session variables that the rules obey.
    pub settings: &'a Settings,
    /// The types that the client gives its parameters, 0 where it gives none; `None` for a statement that takes
    /// no parameters.
    pub parameters: Option<&'a [u32]>,
}
