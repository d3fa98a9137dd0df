//! The session variables that the dialect's own rules obey.
//!
//! PostgreSQL keeps them, as it keeps the others of [`variables`], but does not report
//! them. So they are followed here: through `SET`, `SET LOCAL` and the end of a transaction. What cannot be
//! followed (`RESET ALL`, `set_config()`, a savepoint rolled back) makes them [unsure](Tracked::unsure), and
//! they are asked for before the next statement is understood.

use super::quote::quote;
use super::variables;

/// How `SERIAL` columns get their values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Serial {
    /// From `unique_rowid()`.
    #[default]
    RowId,
    /// From `unordered_unique_rowid()`.
    UnorderedRowId,
    /// From a sequence.
    Sequence,
}

/// The values that hold for a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `kecoa_strict`: what CockroachDB refuses is refused, although PostgreSQL could do it.
    pub strict: bool,
    /// `null_ordered_last`: `NULL` sorts as in PostgreSQL.
    pub null_ordered_last: bool,
    /// `sql_safe_updates`: `UPDATE` and `DELETE` want a `WHERE` or a `LIMIT`.
    pub safe_updates: bool,
    /// `require_explicit_primary_keys`.
    pub explicit_primary_keys: bool,
    /// `enable_implicit_transaction_for_batch_statements`: a batch is one transaction.
    pub implicit_batches: bool,
    /// `autocommit_before_ddl`.
    pub autocommit_before_ddl: bool,
    /// `inject_retry_errors_enabled`.
    pub inject_statements: bool,
    /// `inject_retry_errors_on_commit_enabled`.
    pub inject_commit: bool,
    /// `default_int_size`: `INT` has 4 bytes, not 8.
    pub small_int: bool,
    /// `serial_normalization`.
    pub serial: Serial,
    /// `experimental_enable_temp_tables`: a cluster would take temporary tables, too.
    pub temporary_tables: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strict: true,
            null_ordered_last: false,
            safe_updates: false,
            explicit_primary_keys: false,
            implicit_batches: true,
            autocommit_before_ddl: true,
            inject_statements: false,
            inject_commit: false,
            small_int: false,
            serial: Serial::RowId,
            temporary_tables: false,
        }
    }
}

/// Their names.
const NAMES: [&str; 11] = [
    "kecoa_strict",
    "null_ordered_last",
    "sql_safe_updates",
    "require_explicit_primary_keys",
    "enable_implicit_transaction_for_batch_statements",
    "autocommit_before_ddl",
    "inject_retry_errors_enabled",
    "inject_retry_errors_on_commit_enabled",
    "default_int_size",
    "serial_normalization",
    "experimental_enable_temp_tables",
];

impl Settings {
    fn set(&mut self, name: &str, value: &str) {
        let on = variables::boolean(value).unwrap_or(false);
        match name {
            "kecoa_strict" => self.strict = on,
            "null_ordered_last" => self.null_ordered_last = on,
            "sql_safe_updates" => self.safe_updates = on,
            "require_explicit_primary_keys" => self.explicit_primary_keys = on,
            "enable_implicit_transaction_for_batch_statements" => self.implicit_batches = on,
            "autocommit_before_ddl" => self.autocommit_before_ddl = on,
            "inject_retry_errors_enabled" => self.inject_statements = on,
            "inject_retry_errors_on_commit_enabled" => self.inject_commit = on,
            "experimental_enable_temp_tables" => self.temporary_tables = on,
            "default_int_size" => self.small_int = value.trim() == "4",
            "serial_normalization" => {
                self.serial = match value.to_ascii_lowercase().as_str() {
                    "unordered_rowid" => Serial::UnorderedRowId,
                    "virtual_sequence"
                    | "sql_sequence"
                    | "sql_sequence_cached"
                    | "sql_sequence_cached_node" => Serial::Sequence,
                    _ => Serial::RowId,
                }
            }
            _ => {}
        }
    }

    /// The query for all of them: one row.
    pub fn query() -> String {
        let columns = NAMES.map(|name| {
            let option = quote(&variables::option_name(name));
            format!("pg_catalog.current_setting({option}, true)")
        });
        format!("SELECT {}", columns.join(", "))
    }

    /// What the row says.
    pub fn of_row(row: &[Option<String>]) -> Self {
        let mut settings = Self::default();
        for (name, value) in NAMES.iter().zip(row) {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                settings.set(name, value);
            }
        }
        settings
    }
}

/// A change of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    name: &'static str,
    value: String,
    local: bool,
}

impl Change {
    /// What setting a variable changes, if it is one of them.
    pub fn of(variable: &str, value: &str, local: bool) -> Option<Self> {
        let name = NAMES.into_iter().find(|name| *name == variable)?;
        Some(Self { name, value: value.to_owned(), local })
    }
}

/// The values of a session, through its transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracked {
    now: Settings,
    /// What holds once the transaction is committed.
    committed: Settings,
    /// What holds once it is rolled back.
    before: Settings,
    /// They may have other values than these.
    pub unsure: bool,
    /// So it will be once what runs outside a transaction has ended.
    local: bool,
}

impl Tracked {
    /// What holds for the next statement.
    pub fn now(&self) -> &Settings {
        &self.now
    }

    /// A `SET`, inside a transaction or not. Outside, one that is part of a batch is undone with it.
    pub fn change(&mut self, change: &Change, inside: bool) {
        if change.local && !inside {
            // It holds for the rest of a batch, and for nothing when it stands alone.
            self.unsure = true;
            self.local = true;
            return;
        }
        self.now.set(change.name, &change.value);
        if !change.local {
            self.committed.set(change.name, &change.value);
        }
    }

    /// What PostgreSQL says they are.
    pub fn found(&mut self, settings: Settings, inside: bool) {
        self.now = settings;
        self.unsure = false;
        if !inside {
            self.committed = settings;
            self.before = settings;
        }
    }

    /// A transaction begins, explicit or not.
    pub fn begin(&mut self) {
        self.before = self.now;
        self.committed = self.now;
    }

    /// It ends.
    pub fn end(&mut self, committed: bool) {
        self.now = if committed { self.committed } else { self.before };
        self.before = self.now;
        self.committed = self.now;
        self.unsure |= std::mem::take(&mut self.local);
    }

    /// A part of it was undone.
    pub fn undone_in_part(&mut self) {
        self.unsure |= self.now != self.before || self.committed != self.before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(value: &str, local: bool) -> Change {
        Change::of("null_ordered_last", value, local).unwrap()
    }

    #[test]
    fn every_name_is_a_variable_and_its_default_is_ours() {
        let mut settings = Settings::default();
        for name in NAMES {
            let (default, _) = variables::find(name).unwrap();
            settings.set(name, default);
            assert_eq!(settings, Settings::default(), "{name}");
        }
        let row = NAMES.map(|_| None);
        assert_eq!(Settings::of_row(&row), Settings::default());
    }

    #[test]
    fn a_transaction_undoes_what_it_set() {
        let mut tracked = Tracked::default();
        tracked.begin();
        tracked.change(&change("on", false), true);
        assert!(tracked.now().null_ordered_last);
        tracked.end(false);
        assert!(!tracked.now().null_ordered_last);
        tracked.begin();
        tracked.change(&change("on", true), true);
        assert!(tracked.now().null_ordered_last);
        tracked.end(true);
        assert!(!tracked.now().null_ordered_last, "LOCAL ends with the transaction");
        tracked.begin();
        tracked.change(&change("on", false), true);
        tracked.undone_in_part();
        assert!(tracked.unsure);
        tracked.found(Settings::default(), true);
        assert!(!tracked.unsure && !tracked.now().null_ordered_last);
    }
}
