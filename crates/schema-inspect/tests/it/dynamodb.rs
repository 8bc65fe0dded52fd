//! DynamoDB, on what plays it, and on endpoints that are made up where it does not do what is to be seen.

mod endpoint;
mod hostile;
mod limits;
mod model;
mod sample;
mod second_source;

use std::sync::Arc;

use schema_inspect::{InspectOptions, Inspectors, SamplingOptions};
use schema_model::{Collection, Gap, Inspection, ObjectName, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;
use testkit::dynamodb::shared;

/// A table with the sample in it. It stays until [`Sample::remove`].
struct Sample {
    connection: Arc<dyn DatabaseConnection>,
    name: String,
}

impl Sample {
    async fn new() -> Self {
        let name = sample::create().await;
        let connection = testkit::connect(shared().with_database(&name)).await.expect("connected");
        let sample = Self { connection, name };
        for number in 0..8 {
            sample::put(&sample, sample::order(number)).await;
        }
        sample
    }

    async fn inspect(&self, options: &InspectOptions) -> Inspection {
        inspect(&*self.connection, options).await
    }

    async fn remove(self) {
        sample::remove(&self).await;
    }

    #[track_caller]
    fn collection<'a>(&self, found: &'a Inspection) -> &'a Collection {
        found.database.collection(&object(&self.name)).expect("the table")
    }

    /// What differs from one run to the next is called otherwise.
    fn plain(&self, text: &str) -> String {
        text.replace(&self.name, "orders")
    }
}

async fn inspect(connection: &dyn DatabaseConnection, options: &InspectOptions) -> Inspection {
    Inspectors::builtin().inspect(connection, options, &RequestContext::system()).await.expect("it is inspected")
}

fn options(sampling: SamplingOptions) -> InspectOptions {
    InspectOptions { sampling, ..InspectOptions::default() }
}

fn object(table: &str) -> ObjectName {
    ObjectName::new("default", table)
}

fn gap(table: Option<&str>, part: &str, reason: Unavailable) -> Gap {
    Gap { object: table.map(object), part: part.to_owned(), reason }
}
