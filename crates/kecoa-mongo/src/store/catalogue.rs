//! The catalogue: which collections there are. A collection is a row, so that all of this is legal in transactions.

use std::sync::Arc;

use kecoa::types::Uuid as SqlUuid;
use uuid::Uuid;

use super::change_log::is_watched;
use super::collection::{
    Collection, CollectionKind, Content, IndexChange, Modification, Namespace, NewCollection,
    Statistics,
};
use super::database::{Effect, Params};
use super::failure::{Failed, read, unexpected};
use super::handle::{Checked, Handle};
use super::layout::{self, COLUMNS};
use super::record::now;
use super::statement::Statement;
use crate::change::Change;
use crate::error::{Code, Error};
use crate::index::Index;

/// A dropped collection has no name, and another version: every statement that believes in it finds nothing.
const DROP: &str = "UPDATE kecoa_mongo.collection SET db = NULL, name = NULL, dropped_at = $1, \
     version = version + 1 WHERE coll = ANY($2::INT8[]) AND db = $3 AND name = ANY($4::TEXT[]) RETURNING coll, watched";

impl Handle<'_> {
    /// What the catalogue says of a collection; nothing where there is none. What it said last is believed: reads and
    /// writes check it.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn collection(&mut self, namespace: &Namespace) -> Result<Option<Collection>, Error> {
        if let Some(known) = self.known(namespace) {
            return Ok(known);
        }
        let sql =
            format!("SELECT {COLUMNS} FROM kecoa_mongo.collection WHERE db = $1 AND name = $2");
        let (database, name) = (namespace.database(), namespace.collection());
        let rows = self.rows(Effect::Read, &sql, &[&database, &name]).await?;
        let found = rows.first().map(layout::collection).transpose()?;
        self.learn(namespace, found.as_ref());
        Ok(found)
    }

    /// Make a collection. The second value says whether it was made; else it was there already, with whatever
    /// options.
    ///
    /// # Errors
    ///
    /// 112 in a transaction, where another one makes it; 13297 where a database's name differs only in case.
    pub async fn create(
        &mut self,
        namespace: &Namespace,
        new: &NewCollection,
    ) -> Result<(Collection, bool), Error> {
        self.check_case(namespace.database()).await?;
        let collator = layout::collator(&new.options)?;
        let maintained = vec![Arc::new(Index::of_id(&collator))];
        let content = Content {
            id: fastrand::i64(1..i64::MAX),
            namespace: namespace.clone(),
            kind: new.kind,
            options: new.options.clone(),
            indexes: maintained.clone(),
            maintained,
            next_index: 1,
            natural: new.kind == CollectionKind::Collection
                && new.options.get_bool("capped").unwrap_or(false),
            collator,
            uuid: Uuid::new_v4(),
            version: 1,
            watched: false,
        };
        if let Some(watched) = self.insert_row(&content).await? {
            let collection = Collection::new(Content { watched, ..content });
            self.learn(namespace, Some(&collection));
            self.note_made(&collection);
            return Ok((collection, true));
        }
        self.mistaken(namespace);
        match self.collection(namespace).await? {
            Some(found) => Ok((found, false)),
            // It was there, and is not any more.
            None => Err(Error::new(
                Code::WRITE_CONFLICT,
                format!("collection {namespace} was made and dropped at the same time"),
            )),
        }
    }

    /// Writes a new collection down; whether somebody watches it, or nothing where its name is taken.
    async fn insert_row(&mut self, content: &Content) -> Result<Option<bool>, Error> {
        let namespace = &content.namespace;
        let indexes = layout::store_indexes(content);
        let is_view = content.kind == CollectionKind::View;
        let mut changes = self.collection_changes();
        let options = layout::described(content);
        let change = Change::create(content.uuid, now(), &options, is_view);
        changes.of(content.id, namespace, &change);
        let (database, name) = (namespace.database(), namespace.collection());
        let (options, indexes) = (content.options.as_bytes(), indexes.as_bytes());
        let (kind, uuid) =
            (layout::kind(content.kind), SqlUuid::from_bytes(content.uuid.into_bytes()));
        let mut statement = Statement::default();
        statement
            .text("INSERT INTO kecoa_mongo.collection (coll, db, name, kind, options, indexes, version, uuid, ")
            .text("watched) SELECT ")
            .param(&content.id)
            .text("::INT8, ")
            .param(&database)
            .text("::TEXT, ")
            .param(&name)
            .text("::TEXT, ")
            .param(&kind)
            .text("::INT4, ")
            .param(&options)
            .text("::BYTEA, ")
            .param(&indexes)
            .text("::BYTEA, ")
            .param(&content.version)
            .text("::INT8, ")
            .param(&uuid)
            .text("::UUID, ")
            .text(&is_watched("$2::TEXT", "$3::TEXT"))
            .text(" ON CONFLICT DO NOTHING RETURNING coll, watched");
        let made = self.logged_collections(Effect::WriteOnce, None, statement, &changes).await?;
        Ok(made.first().copied())
    }

    async fn check_case(&mut self, database: &str) -> Result<(), Error> {
        let rows = self
            .rows(
                Effect::Read,
                "SELECT db FROM kecoa_mongo.collection WHERE lower(db) = lower($1) AND db <> $1 LIMIT 1",
                &[&database],
            )
            .await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let other: String = read(row, 0)?;
        Err(Error::new(
            Code::DATABASE_DIFFER_CASE,
            format!(
                "db already exists with different case already have: [{other}] trying to create [{database}]"
            ),
        ))
    }

    /// Drop a collection; whether it was there. Its documents are removed later.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn drop_collection(&mut self, collection: &Collection) -> Result<bool, Error> {
        let namespace = collection.namespace();
        let dropped =
            self.drop_all(namespace.database(), std::slice::from_ref(collection), false).await?;
        self.learn(namespace, None);
        Ok(dropped > 0)
    }

    /// Drops collections of a database, as far as they are there under their names; how many that were. `database`:
    /// all of it.
    async fn drop_all(
        &mut self,
        name: &str,
        collections: &[Collection],
        database: bool,
    ) -> Result<u64, Error> {
        let now = now();
        let mut changes = self.collection_changes();
        let ids: Vec<i64> = collections.iter().map(Collection::id).collect();
        let names: Vec<&str> = collections.iter().map(|one| one.namespace().collection()).collect();
        for one in collections {
            let is_view = one.kind() == CollectionKind::View;
            changes.of(one.id(), one.namespace(), &Change::drop(one.uuid(), now, is_view));
        }
        if let Some(last) = ids.last().filter(|_| database) {
            changes.push(*last, name, "", &Change::drop_database(now));
        }
        let statement = Statement { sql: DROP.to_owned(), params: vec![&now, &ids, &name, &names] };
        let dropped = self.logged_collections(Effect::WriteOnce, None, statement, &changes).await?;
        Ok(u64::try_from(dropped.len()).unwrap_or(u64::MAX))
    }

    /// Drop all collections of a database; how many there were.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn drop_database(&mut self, database: &str) -> Result<u64, Error> {
        let collections = self.collections(database).await?;
        if collections.is_empty() {
            return Ok(0);
        }
        let dropped = self.drop_all(database, &collections, true).await?;
        for collection in collections {
            self.learn(collection.namespace(), None);
        }
        Ok(dropped)
    }

    /// Give a collection another name. `drop_target`: a collection of that name is dropped, in the same transaction.
    ///
    /// # Errors
    ///
    /// 48 where that name is taken.
    pub async fn rename(
        &mut self,
        collection: &Collection,
        to: &Namespace,
        drop_target: bool,
    ) -> Result<Checked<()>, Error> {
        self.check_case(to.database()).await?;
        let (database, name) = (to.database(), to.collection());
        let (id, version) = (collection.id(), collection.version());
        let target = if drop_target { self.collection(to).await? } else { None };
        let mut changes = self.collection_changes();
        let dropped = target.as_ref().map(Collection::uuid);
        let change = Change::rename(collection.uuid(), now(), (database, name), dropped);
        changes.of(id, collection.namespace(), &change);
        let rename = Statement {
            sql: format!(
                "UPDATE kecoa_mongo.collection SET db = $3, name = $4, version = version + 1, watched = {} \
                 WHERE coll = $1 AND version = $2 RETURNING coll, watched",
                is_watched("$3", "$4")
            ),
            params: vec![&id, &version, &database, &name],
        };
        let drop = "UPDATE kecoa_mongo.collection SET db = NULL, name = NULL, dropped_at = $3, \
             version = version + 1 WHERE db = $1 AND name = $2 AND EXISTS \
             (SELECT 1 FROM kecoa_mongo.collection c WHERE c.coll = $4 AND c.version = $5)";
        let now = now();
        let before: (&str, Params<'_>) = (drop, &[&database, &name, &now, &id, &version]);
        let before = drop_target.then_some(before);
        let renamed = self
            .logged_collections(Effect::Write, before, rename, &changes)
            .await
            .map_err(|failed| taken(failed, to))?;
        self.mistaken(collection.namespace());
        self.mistaken(to);
        Ok(if renamed.is_empty() { Checked::Stale } else { Checked::Current(()) })
    }

    /// Change options of a collection, or of its indexes.
    ///
    /// # Errors
    ///
    /// 27 for an index that is not there.
    pub async fn modify(
        &mut self,
        collection: &Collection,
        modification: &Modification,
    ) -> Result<Checked<()>, Error> {
        let mut content = collection.content().clone();
        if let Some(options) = &modification.options {
            content.options.clone_from(options);
        }
        for change in &modification.indexes {
            let place = content.maintained.iter_mut().find(|index| index.name() == change.name);
            let place = place.ok_or_else(|| {
                Error::new(
                    Code::INDEX_NOT_FOUND,
                    format!("cannot find index {} for ns {}", change.name, collection.namespace()),
                )
            })?;
            *place = Arc::new(changed(place, change)?);
        }
        let before = layout::described(collection.content());
        let change = Change::modify(content.uuid, now(), &layout::described(&content), &before);
        self.store_catalogue(&content, Some(&change)).await
    }

    /// Puts what a collection is from now on in the place of what it was, at the version of `content`, and tells
    /// streams of it.
    pub(super) async fn store_catalogue(
        &mut self,
        content: &Content,
        change: Option<&Change>,
    ) -> Result<Checked<()>, Error> {
        let indexes = layout::store_indexes(content);
        let (kind, options, indexes) =
            (layout::kind(content.kind), content.options.as_bytes(), indexes.as_bytes());
        let mut statement = Statement {
            sql: "UPDATE kecoa_mongo.collection SET kind = $3, options = $4, indexes = $5, version = version + 1 \
                 WHERE coll = $1 AND version = $2"
                .to_owned(),
            params: vec![&content.id, &content.version, &kind, &options, &indexes],
        };
        let effect = Effect::Write;
        let is_changed = match change.filter(|_| content.watched) {
            None => self.execute(effect, &statement.sql, &statement.params).await? > 0,
            Some(change) => {
                statement.text(" RETURNING coll, watched");
                let mut changes = self.collection_changes();
                changes.of(content.id, &content.namespace, change);
                !self.logged_collections(effect, None, statement, &changes).await?.is_empty()
            }
        };
        self.mistaken(&content.namespace);
        Ok(if is_changed { Checked::Current(()) } else { Checked::Stale })
    }

    /// The names of all databases, in order.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn databases(&mut self) -> Result<Vec<String>, Error> {
        let sql = "SELECT DISTINCT db FROM kecoa_mongo.collection WHERE db IS NOT NULL";
        let rows = self.rows(Effect::Read, sql, &[]).await?;
        let mut names = rows.iter().map(|row| read(row, 0)).collect::<Result<Vec<String>, _>>()?;
        names.sort();
        Ok(names)
    }

    /// The collections of a database, in order of their names.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn collections(&mut self, database: &str) -> Result<Vec<Collection>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM kecoa_mongo.collection WHERE db = $1");
        let rows = self.rows(Effect::Read, &sql, &[&database]).await?;
        let mut found = rows.iter().map(layout::collection).collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|left, right| left.namespace().cmp(right.namespace()));
        Ok(found)
    }

    /// How many documents a collection has, and their bytes. Reads all of it.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn statistics(&mut self, collection: &Collection) -> Result<Statistics, Error> {
        let sql = "SELECT count(*)::INT8, coalesce(sum(octet_length(doc)), 0)::INT8 \
             FROM kecoa_mongo.document WHERE coll = $1";
        let rows = self.rows(Effect::Read, sql, &[&collection.id()]).await?;
        let row = rows.first().ok_or_else(|| unexpected("no row of a sum"))?;
        let number = |column| read::<i64>(row, column).map(|found| found.try_into().unwrap_or(0));
        Ok(Statistics { documents: number(0)?, bytes: number(1)? })
    }

    /// Whether the catalogue says of a collection what it said; where it does not, what was known is forgotten.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn is_current(&mut self, collection: &Collection) -> Result<bool, Error> {
        let sql = "SELECT version FROM kecoa_mongo.collection WHERE coll = $1";
        let rows = self.rows(Effect::Read, sql, &[&collection.id()]).await?;
        let version = rows.first().map(|row| read::<i64>(row, 0)).transpose()?;
        let is_current = version == Some(collection.version());
        if !is_current {
            self.mistaken(collection.namespace());
        }
        Ok(is_current)
    }
}

fn changed(index: &Index, change: &IndexChange) -> Result<Index, Error> {
    let mut changed = index.clone();
    if let Some(hidden) = change.hidden {
        changed = changed.with_hidden(hidden)?;
    }
    if let Some(seconds) = change.expire_after_seconds {
        changed = changed.with_expire_after(seconds)?;
    }
    Ok(changed)
}

/// A name that a collection has already.
fn taken(failed: Failed, to: &Namespace) -> Error {
    match failed {
        Failed::Duplicate(_) => {
            Error::new(Code::NAMESPACE_EXISTS, format!("target namespace exists: {to}"))
        }
        failed => failed.into(),
    }
}
