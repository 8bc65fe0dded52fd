use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::mongodb::driver_crate::bson::doc;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounds, Collection, DatabaseConnection, DatabaseError, DatabaseErrorKind, Document, DocumentValue, Engine, Find,
};

use super::{Subject, Target};
use crate::{mongodb, redis};

/// MongoDB, asked for documents.
#[derive(Debug, Clone, Copy)]
struct MongoDbSubject;

impl Target {
    /// The MongoDB that tests share.
    ///
    /// # Panics
    /// When there is none.
    pub fn mongodb() -> Self {
        Self::new(MongoDbSubject, mongodb::shared(), ())
    }
}

#[async_trait]
impl Subject for MongoDbSubject {
    fn engine(&self) -> Engine {
        Engine::MONGODB
    }

    async fn ask(
        &self,
        connection: &dyn DatabaseConnection,
        number: i32,
        context: &RequestContext,
    ) -> Result<i32, DatabaseError> {
        let documents = connection.documents()?;
        let collection = Collection::try_new(documents.database().unwrap_or("bindery_tests"), "asked")?;
        let asked = Document::new().with("digits", number.to_string());
        let id = documents.insert_one(&collection, &asked, context).await?;
        let this = Document::new().with("_id", id);
        let found = documents.find(&collection, &Find::filter(this.clone()), Bounds::documents(1), context).await?;
        documents.delete_one(&collection, &this, context).await?;
        let digits = found.items.first().and_then(|found| found.get("digits")).and_then(DocumentValue::as_str);
        let number = digits.and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| DatabaseError::new(DatabaseErrorKind::Decode, "no number"))
    }

    /// MongoDB's command for tests, which a `mongod` has with `enableTestCommands`.
    async fn linger(
        &self,
        connection: &dyn DatabaseConnection,
        time: Duration,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let command = doc! { "sleep": 1, "millis": millis, "lock": "none" };
        mongodb::run_for(connection, "admin", command, context).await.map(drop)
    }

    fn certificate_authority(&self) -> Option<PathBuf> {
        Some(redis::authority())
    }
}
