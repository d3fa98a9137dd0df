//! Which statements the server knows by a name of ours: those that were used more than once.
//!
//! The least recently used one makes room. A statement is the same when its text and the types of
//! its parameters are. Names are unlike those of any other connection, so that behind a pooler that
//! shares its connections a foreign statement is never run by mistake.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use kecoa_proto::RowDescription;

use crate::text_hash::TextHash;

/// How many statements are kept prepared unless the caller says otherwise.
pub(crate) const CAPACITY: usize = 64;
/// The most bytes of texts that are kept prepared. An INSERT of many rows takes the server about 70
/// bytes of memory a byte of its text, so this is about 70 MiB there.
const MOST_BYTES: usize = 1024 * 1024;
/// A text longer than this, in bytes, is run as it is: it would leave no room for others.
const LONGEST: usize = MOST_BYTES / 4;

/// How a statement is to be run.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Without a name.
    Unnamed,
    /// Under this name, which the server is yet to learn.
    Prepare(Arc<str>),
    /// Under a name that the server knows; its rows look so.
    Prepared(Arc<str>, Option<Arc<RowDescription>>),
}

impl Plan {
    /// The columns of the statement's rows, when it was prepared before and returns rows.
    pub(crate) fn columns(&self) -> Option<&Arc<RowDescription>> {
        match self {
            Plan::Prepared(_, description) => description.as_ref(),
            Plan::Unnamed | Plan::Prepare(_) => None,
        }
    }
}

#[derive(Debug)]
struct Prepared {
    sql: Box<[u8]>,
    types: Box<[u32]>,
    name: Arc<str>,
    description: Option<Arc<RowDescription>>,
    used: u64,
}

/// The statements of one connection.
#[derive(Debug)]
pub(crate) struct StatementCache {
    capacity: usize,
    hasher: TextHash,
    /// Hashes of statements that were used once, oldest first.
    seen: VecDeque<u64>,
    prepared: HashMap<u64, Prepared, TextHash>,
    /// Names that the server is to forget.
    closing: Vec<Arc<str>>,
    /// What sets this connection's names apart.
    tag: u64,
    /// Counts names.
    named: u64,
    /// Counts uses, for their order.
    clock: u64,
}

impl StatementCache {
    pub(crate) fn new(capacity: usize) -> StatementCache {
        StatementCache {
            capacity,
            hasher: TextHash::default(),
            seen: VecDeque::new(),
            prepared: HashMap::default(),
            closing: Vec::new(),
            tag: fastrand::u64(..),
            named: 0,
            clock: 0,
        }
    }

    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.seen.truncate(capacity);
        while self.prepared.len() > capacity {
            self.evict();
        }
    }

    /// How to run this statement now.
    pub(crate) fn plan(&mut self, sql: &[u8], types: &[u32]) -> Plan {
        if self.capacity == 0 || sql.len() > LONGEST {
            return Plan::Unnamed;
        }
        let key = self.key(sql, types);
        self.clock += 1;
        match self.prepared.get_mut(&key) {
            Some(known) if *known.sql == *sql && *known.types == *types => {
                known.used = self.clock;
                return Plan::Prepared(known.name.clone(), known.description.clone());
            }
            // Two statements with one hash: the second one does without a name.
            Some(_) => return Plan::Unnamed,
            None => {}
        }
        if self.seen.contains(&key) {
            return Plan::Prepare(self.new_name());
        }
        if self.seen.len() >= self.capacity {
            self.seen.pop_front();
        }
        self.seen.push_back(key);
        Plan::Unnamed
    }

    /// A name for a statement that is to be prepared before its first use, where there is room.
    pub(crate) fn plan_now(&mut self, sql: &[u8]) -> Plan {
        if self.capacity == 0 || sql.len() > LONGEST {
            return Plan::Unnamed;
        }
        Plan::Prepare(self.new_name())
    }

    /// The server knows a statement by its name, which it was not used under yet.
    pub(crate) fn remember_now(
        &mut self,
        sql: &[u8],
        types: &[u32],
        name: Arc<str>,
        description: Option<Arc<RowDescription>>,
    ) {
        let key = self.key(sql, types);
        if self.capacity == 0 || self.prepared.contains_key(&key) {
            self.closing.push(name);
            return;
        }
        self.clock += 1;
        self.seen.retain(|seen| *seen != key);
        self.seen.push_back(key);
        self.remember(sql, types, name, description);
    }

    fn new_name(&mut self) -> Arc<str> {
        self.named += 1;
        format!("kecoa_{:016x}_{}", self.tag, self.named).into()
    }

    /// The server knows the statement by its name now.
    pub(crate) fn remember(
        &mut self,
        sql: &[u8],
        types: &[u32],
        name: Arc<str>,
        description: Option<Arc<RowDescription>>,
    ) {
        let key = self.key(sql, types);
        let Some(position) = self.seen.iter().position(|seen| *seen == key) else {
            // Everything was forgotten meanwhile, by this very statement.
            self.closing.push(name);
            return;
        };
        self.seen.remove(position);
        while self.prepared.len() >= self.capacity.max(1)
            || !self.prepared.is_empty() && self.held() + sql.len() > MOST_BYTES
        {
            self.evict();
        }
        let (sql, types, used) = (sql.into(), types.into(), self.clock);
        self.prepared.insert(key, Prepared { sql, types, name, description, used });
    }

    /// Whether the server still knows this name, as far as is known here.
    pub(crate) fn is_known(&self, name: &Arc<str>) -> bool {
        self.prepared.values().any(|known| Arc::ptr_eq(&known.name, name))
    }

    /// The columns came in other forms than last time.
    pub(crate) fn describe(&mut self, name: &Arc<str>, description: &Arc<RowDescription>) {
        let known = self.prepared.values_mut().find(|known| Arc::ptr_eq(&known.name, name));
        if let Some(known) = known {
            known.description = Some(description.clone());
        }
    }

    /// The server is to forget this name.
    pub(crate) fn drop_name(&mut self, name: &Arc<str>) {
        self.prepared.retain(|_, known| known.name != *name);
        self.closing.push(name.clone());
    }

    /// Learns from a command's tag that the server's names are gone, or of no use any more.
    pub(crate) fn apply(&mut self, tag: &[u8]) {
        if !matches!(tag.first(), Some(b'A' | b'D')) {
            return;
        }
        match tag {
            // Rows of what was prepared may look different now. Inside a transaction the server's complaint
            // would end it, so it is not waited for; psycopg 3 forgets at the same tags.
            tag if tag.starts_with(b"ALTER ") || tag.starts_with(b"DROP ") => self.forget(),
            b"DISCARD ALL" | b"DEALLOCATE ALL" => {
                self.prepared.clear();
                self.closing.clear();
                self.seen.clear();
            }
            // Which one is not said; closing a name that is gone is no error.
            b"DEALLOCATE" | b"DISCARD" => {
                self.forget();
                self.seen.clear();
            }
            _ => {}
        }
    }

    /// What is known of the statements is of no use any more; the server is to forget them, too.
    pub(crate) fn forget(&mut self) {
        self.closing.extend(self.prepared.drain().map(|(_, known)| known.name));
    }

    /// Takes the names that the next request is to close.
    pub(crate) fn take_closing(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.closing)
    }

    /// The names that the request was to close were not sent.
    pub(crate) fn put_back(&mut self, closing: Vec<Arc<str>>) {
        self.closing.extend(closing);
    }

    fn key(&self, sql: &[u8], types: &[u32]) -> u64 {
        self.hasher.hash_one((sql, types))
    }

    /// How many bytes of text are kept prepared.
    fn held(&self) -> usize {
        self.prepared.values().map(|known| known.sql.len()).sum()
    }

    fn evict(&mut self) {
        let oldest = self.prepared.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| *key);
        if let Some(known) = oldest.and_then(|key| self.prepared.remove(&key)) {
            self.closing.push(known.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses a statement as a connection does on which everything works.
    fn using(cache: &mut StatementCache, sql: &str) -> &'static str {
        match cache.plan(sql.as_bytes(), &[]) {
            Plan::Unnamed => "unnamed",
            Plan::Prepare(name) => {
                cache.remember(sql.as_bytes(), &[], name, None);
                "prepare"
            }
            Plan::Prepared(..) => "prepared",
        }
    }

    #[test]
    fn the_second_use_prepares() {
        let mut cache = StatementCache::new(2);
        let uses: Vec<_> = (0..4).map(|_| using(&mut cache, "a")).collect();
        assert_eq!(uses, ["unnamed", "prepare", "prepared", "prepared"]);
        assert!(matches!(cache.plan(b"a", &[20]), Plan::Unnamed), "other types, another statement");
    }

    #[test]
    fn the_least_recently_used_one_makes_room() {
        let mut cache = StatementCache::new(2);
        for sql in ["a", "a", "b", "b", "a", "c", "c"] {
            using(&mut cache, sql);
        }
        assert_eq!(cache.take_closing().len(), 1);
        let uses: Vec<_> = ["a", "c", "b"].map(|sql| using(&mut cache, sql)).to_vec();
        assert_eq!(uses, ["prepared", "prepared", "unnamed"]);
        assert!(cache.take_closing().is_empty());
    }

    #[test]
    fn long_statements_make_room_for_each_other() {
        let mut cache = StatementCache::new(CAPACITY);
        let text = |letter: &str| letter.repeat(LONGEST);
        for letter in ["a", "b", "c", "d"] {
            using(&mut cache, &text(letter));
            using(&mut cache, &text(letter));
        }
        assert!(cache.take_closing().is_empty());
        assert_eq!(using(&mut cache, &text("a")), "prepared");
        using(&mut cache, "short");
        assert_eq!(using(&mut cache, "short"), "prepare");
        assert_eq!(cache.take_closing().len(), 1);
        let uses: Vec<_> = ["a", "c", "d", "b"].map(|sql| using(&mut cache, &text(sql))).to_vec();
        assert_eq!(uses, ["prepared", "prepared", "prepared", "unnamed"]);
        assert!(cache.held() <= MOST_BYTES);
    }

    #[test]
    fn statements_that_are_used_once_push_nothing_out() {
        let mut cache = StatementCache::new(2);
        using(&mut cache, "a");
        using(&mut cache, "a");
        for n in 0..1000 {
            using(&mut cache, &format!("SELECT {n}"));
        }
        assert_eq!(using(&mut cache, "a"), "prepared");
        assert!(cache.seen.len() <= 2 && cache.take_closing().is_empty());
    }

    #[test]
    fn what_is_prepared_ahead_is_prepared_at_its_first_use() {
        let mut cache = StatementCache::new(1);
        let Plan::Prepare(name) = cache.plan_now(b"a") else { panic!() };
        cache.remember_now(b"a", &[20], name, None);
        assert!(matches!(cache.plan(b"a", &[20]), Plan::Prepared(..)));
        let Plan::Prepare(again) = cache.plan_now(b"a") else { panic!() };
        cache.remember_now(b"a", &[20], again.clone(), None);
        assert_eq!(cache.take_closing(), [again], "one name is enough");
        let Plan::Prepare(name) = cache.plan_now(b"b") else { panic!() };
        cache.remember_now(b"b", &[], name, None);
        assert_eq!(cache.take_closing().len(), 1, "it made room");
        assert!(matches!(cache.plan(b"b", &[]), Plan::Prepared(..)));
        cache.set_capacity(0);
        assert!(matches!(cache.plan_now(b"c"), Plan::Unnamed));
    }

    #[test]
    fn off_and_smaller() {
        let mut cache = StatementCache::new(2);
        for sql in ["a", "a", "b", "b"] {
            using(&mut cache, sql);
        }
        cache.set_capacity(1);
        assert_eq!(cache.take_closing().len(), 1);
        assert_eq!(using(&mut cache, "b"), "prepared");
        cache.set_capacity(0);
        assert_eq!(cache.take_closing().len(), 1);
        assert_eq!((using(&mut cache, "b"), using(&mut cache, "b")), ("unnamed", "unnamed"));
        let long = "x".repeat(LONGEST + 1);
        cache.set_capacity(1);
        assert_eq!((using(&mut cache, &long), using(&mut cache, &long)), ("unnamed", "unnamed"));
    }

    #[test]
    fn tags_that_say_that_names_are_gone_are_respected() {
        for (tag, left, closed) in [
            (&b"DISCARD ALL"[..], false, 0),
            (b"DEALLOCATE ALL", false, 0),
            (b"DEALLOCATE", false, 1),
            (b"ALTER TABLE", false, 1),
            (b"DROP TABLE", false, 1),
            (b"DELETE 5", true, 0),
            (b"DISCARD PLANS", true, 0),
        ] {
            let mut cache = StatementCache::new(2);
            using(&mut cache, "a");
            using(&mut cache, "a");
            cache.apply(tag);
            assert_eq!(cache.take_closing().len(), closed);
            assert_eq!(using(&mut cache, "a") == "prepared", left);
        }
        // A statement that makes the server forget itself.
        let mut cache = StatementCache::new(2);
        using(&mut cache, "DISCARD ALL");
        let Plan::Prepare(name) = cache.plan(b"DISCARD ALL", &[]) else { panic!() };
        cache.apply(b"DISCARD ALL");
        cache.remember(b"DISCARD ALL", &[], name, None);
        assert_eq!(using(&mut cache, "DISCARD ALL"), "unnamed");
    }
}
