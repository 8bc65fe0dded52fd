//! MongoDB, or what plays it (ADR 0033). Time series, capped and clustered collections, collations and hidden indexes it does not have:
//! how these are told is tested beside the code.

mod between;
mod limits;
mod model;
mod sample;
mod second_source;

use std::sync::Arc;

use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Collection, Inspection, ObjectName};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;

/// A database with the sample in it. It stays until [`Sample::remove`].
struct Sample {
    connection: Arc<dyn DatabaseConnection>,
    name: String,
}

impl Sample {
    async fn new() -> Self {
        let sample = Self::empty().await;
        sample::fill(&sample).await;
        sample
    }

    async fn empty() -> Self {
        let settings = testkit::mongodb::database();
        let name = settings.database.clone().expect("a database");
        Self { connection: testkit::connect(settings).await.expect("connected"), name }
    }

    async fn inspect(&self, options: &InspectOptions) -> Inspection {
        inspect(&*self.connection, options).await
    }

    async fn remove(self) {
        testkit::mongodb::drop_database(&*self.connection).await;
    }

    fn object(&self, name: &str) -> ObjectName {
        ObjectName::new(&self.name, name)
    }

    #[track_caller]
    fn collection<'a>(&self, found: &'a Inspection, name: &str) -> &'a Collection {
        found.database.collection(&self.object(name)).unwrap_or_else(|| panic!("there is no {name}"))
    }

    #[track_caller]
    fn sample<'a>(&self, found: &'a Inspection, name: &str) -> &'a schema_model::Sample {
        let name = self.object(name);
        let sample = found.samples.iter().find(|sample| sample.collection == name);
        sample.unwrap_or_else(|| panic!("there is no sample of {name}"))
    }
}

async fn inspect(connection: &dyn DatabaseConnection, options: &InspectOptions) -> Inspection {
    Inspectors::builtin().inspect(connection, options, &RequestContext::system()).await.expect("it is inspected")
}
