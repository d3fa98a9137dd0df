//! The catalogue: which collections there are. A collection is a row, so that all of this is legal in transactions.

use std::sync::Arc;

use kecoa::types::Uuid as SqlUuid;
use uuid::Uuid;

use super::collection::{
    Collection, CollectionKind, Content, IndexChange, Modification, Namespace, NewCollection,
    Statistics,
};
use super::database::Effect;
use super::failure::{Failed, read, unexpected};
use super::handle::{Checked, Handle};
use super::layout::{self, COLUMNS};
use super::record::now;
use crate::error::{Code, Error};
use crate::index::Index;

/// A dropped collection has no name, and another version: every statement that believes in it finds nothing.
const DROP: &str = "UPDATE kecoa_mongo.collection SET db = NULL, name = NULL, dropped_at = $2, \
     version = version + 1 WHERE coll = $1 AND db IS NOT NULL";

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
        };
        let collection = Collection::new(content);
        if self.insert_row(&collection).await? {
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

    async fn insert_row(&mut self, collection: &Collection) -> Result<bool, Error> {
        let content = collection.content();
        let namespace = &content.namespace;
        let indexes = layout::store_indexes(content);
        let made = self
            .execute(
                Effect::WriteOnce,
                "INSERT INTO kecoa_mongo.collection (coll, db, name, kind, options, indexes, version, uuid) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                &[
                    &content.id,
                    &namespace.database(),
                    &namespace.collection(),
                    &layout::kind(content.kind),
                    &content.options.as_bytes(),
                    &indexes.as_bytes(),
                    &content.version,
                    &SqlUuid::from_bytes(content.uuid.into_bytes()),
                ],
            )
            .await?;
        Ok(made > 0)
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
        let dropped = self.execute(Effect::WriteOnce, DROP, &[&collection.id(), &now()]).await?;
        self.learn(collection.namespace(), None);
        Ok(dropped > 0)
    }

    /// Drop all collections of a database; how many there were.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn drop_database(&mut self, database: &str) -> Result<u64, Error> {
        let collections = self.collections(database).await?;
        let dropped = self
            .execute(
                Effect::WriteOnce,
                "UPDATE kecoa_mongo.collection SET db = NULL, name = NULL, dropped_at = $2, \
                 version = version + 1 WHERE db = $1",
                &[&database, &now()],
            )
            .await?;
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
        let rename = "UPDATE kecoa_mongo.collection SET db = $3, name = $4, version = version + 1 \
             WHERE coll = $1 AND version = $2";
        let (id, version) = (collection.id(), collection.version());
        let drop = "UPDATE kecoa_mongo.collection SET db = NULL, name = NULL, dropped_at = $3, \
             version = version + 1 WHERE db = $1 AND name = $2 AND EXISTS \
             (SELECT 1 FROM kecoa_mongo.collection c WHERE c.coll = $4 AND c.version = $5)";
        let now = now();
        let renamed = if drop_target {
            let statements: [(&str, &[&dyn kecoa::types::ToSql]); 2] = [
                (drop, &[&database, &name, &now, &id, &version]),
                (rename, &[&id, &version, &database, &name]),
            ];
            let (mut answers, slots) = match self.together(Effect::Write, &statements).await {
                Ok(answered) => answered,
                Err(failed) => return Err(taken(failed, to)),
            };
            let slot = slots.last().ok_or_else(|| unexpected("no answer"))?;
            answers.count(*slot).map_err(|error| unexpected(&error.to_string()))?
        } else {
            let renamed =
                self.execute(Effect::Write, rename, &[&id, &version, &database, &name]).await;
            renamed.map_err(|failed| taken(failed, to))?
        };
        self.mistaken(collection.namespace());
        self.mistaken(to);
        Ok(if renamed > 0 { Checked::Current(()) } else { Checked::Stale })
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
        self.store_catalogue(&content).await
    }

    /// Puts what a collection is from now on in the place of what it was, at the version of `content`.
    pub(super) async fn store_catalogue(
        &mut self,
        content: &Content,
    ) -> Result<Checked<()>, Error> {
        let indexes = layout::store_indexes(content);
        let changed = self
            .execute(
                Effect::Write,
                "UPDATE kecoa_mongo.collection SET kind = $3, options = $4, indexes = $5, version = version + 1 \
                 WHERE coll = $1 AND version = $2",
                &[
                    &content.id,
                    &content.version,
                    &layout::kind(content.kind),
                    &content.options.as_bytes(),
                    &indexes.as_bytes(),
                ],
            )
            .await?;
        self.mistaken(&content.namespace);
        Ok(if changed > 0 { Checked::Current(()) } else { Checked::Stale })
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
    pub(super) async fn is_current(&mut self, collection: &Collection) -> Result<bool, Error> {
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
