//! What servers tell of what they hold.

use connection_manager::egress::EgressConfig;
use shared_kernel::RequestContext;
use shared_kernel::database::{Collection, DatabaseErrorKind, Document};
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

mod on_documents {
    mod mongodb {
        #[test]
        fn databases_are_told_by_their_names() {
            testkit::run(super::super::databases_of_documents_are_told_by_their_names());
        }
    }
}

async fn databases_of_documents_are_told_by_their_names() {
    let context = RequestContext::system();
    let connection = testkit::connect(testkit::mongodb::database()).await.expect("connected");
    let documents = connection.documents().expect("an engine of documents");
    let own = documents.database().expect("a database").to_owned();
    let collection = Collection::try_new(&*own, "books").expect("a name");
    documents.insert_one(&collection, &Document::new(), &context).await.expect("written");
    // Whoever has come from outside asks through the relay.
    let outside = testkit::mongodb::shared().with_egress(EgressConfig::open().egress([]));
    let outside = testkit::connect(outside).await.expect("connected");
    for connection in [&connection, &outside] {
        let catalog = connection.catalog().expect("an engine with databases");
        let names = catalog.databases(1_000, &context).await.expect("the server tells");
        assert!(names.contains(&own) && names.is_sorted(), "{names:?}");
        let one = catalog.databases(1, &context).await.expect("the server tells");
        assert_eq!(one.len(), 1);
    }
    testkit::mongodb::drop_database(&*connection).await;
}

#[tokio::test]
async fn an_engine_without_names_lists_none() {
    let connection = testkit::connect(testkit::redis::shared()).await.expect("connected");
    let Err(error) = connection.catalog().map(|_| ()) else { panic!("Redis numbers its databases") };
    assert_eq!(*error.kind(), DatabaseErrorKind::Unsupported);
}
