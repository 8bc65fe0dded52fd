//! What servers tell of what they hold.

use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseErrorKind;
use testkit::{Server, TestDatabase};

testkit::on_every_engine!(databases_are_told_by_their_names);

async fn databases_are_told_by_their_names(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = testkit::connect(database.settings()).await.expect("connected");
    let (catalog, context) = (connection.catalog().expect("an engine with databases"), RequestContext::system());
    let names = catalog.databases(1_000, &context).await.expect("the server tells");
    let own = database.settings().database.unwrap_or_else(|| "main".to_owned());
    assert!(names.contains(&own), "{names:?}");
    let one = catalog.databases(1, &context).await.expect("the server tells");
    assert_eq!(one, names[..1]);
}

#[tokio::test]
async fn an_engine_without_names_lists_none() {
    let connection = testkit::connect(testkit::redis::shared()).await.expect("connected");
    let Err(error) = connection.catalog().map(|_| ()) else { panic!("Redis numbers its databases") };
    assert_eq!(*error.kind(), DatabaseErrorKind::Unsupported);
}
