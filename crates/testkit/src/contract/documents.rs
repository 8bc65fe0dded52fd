use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use shared_kernel::database::{
    Bounds, Collection, CollectionKind, DatabaseConnection, DatabaseErrorKind, Decimal128, Document, DocumentValue,
    Ending, Find, ObjectId, Replaced,
};
use shared_kernel::{IdGenerator, SystemIdGenerator};
use tokio::runtime::Handle;

use super::Target;
use super::target::{context, refused};

/// A collection that no other test uses, in the database of the connection.
fn collection(connection: &Arc<dyn DatabaseConnection>) -> Collection {
    let database = connection.documents().unwrap().database().expect("the settings of a target name a database");
    Collection::try_new(database, format!("contract_{}", SystemIdGenerator.next().simple())).unwrap()
}

fn id(id: i32) -> Document {
    Document::new().with("_id", id)
}

/// What every engine of documents keeps as it is. Words that are deprecated are left to the connector's own tests.
fn value() -> impl Strategy<Value = DocumentValue> {
    let text = "[^\0]{0,20}";
    let scalar = prop_oneof![
        Just(DocumentValue::Null),
        Just(DocumentValue::MinKey),
        Just(DocumentValue::MaxKey),
        any::<bool>().prop_map(DocumentValue::Boolean),
        any::<i32>().prop_map(DocumentValue::Int32),
        any::<i64>().prop_map(DocumentValue::Int64),
        any::<i64>().prop_map(DocumentValue::DateTime),
        any::<f64>().prop_filter("equal to itself", |number| !number.is_nan()).prop_map(DocumentValue::Double),
        any::<[u8; 12]>().prop_map(|bytes| DocumentValue::ObjectId(ObjectId(bytes))),
        // 12345.67 and an exponent: a number that every encoder writes in the same way.
        (0_u8..=99).prop_map(|digits| {
            let mut bytes = [0; 16];
            (bytes[0], bytes[14], bytes[15]) = (digits, 0x3c, 0x30);
            DocumentValue::Decimal128(Decimal128(bytes))
        }),
        text.prop_map(DocumentValue::String),
        // 2 is an old form with a length of its own.
        (prop_oneof![Just(0_u8), Just(4), Just(128)], proptest::collection::vec(any::<u8>(), 16))
            .prop_map(|(subtype, bytes)| DocumentValue::Binary { subtype, bytes }),
        // Both at zero is what a server fills in.
        (1_u32.., any::<u32>()).prop_map(|(seconds, increment)| DocumentValue::Timestamp { seconds, increment }),
        ("[a-z.*]{0,8}", "i?m?").prop_map(|(pattern, options)| DocumentValue::Regex { pattern, options }),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        let fields = proptest::collection::btree_map("[a-zäß ]{1,8}", inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(DocumentValue::Array),
            fields.prop_map(|fields| DocumentValue::Document(fields.into_iter().collect())),
        ]
    })
}

/// Whatever is written comes back, in its order and of its type.
pub async fn any_document_survives(target: Target) {
    let connection = target.open().await;
    let runtime = Handle::current();
    let work = tokio::task::spawn_blocking(move || documents_survive(&connection, &runtime));
    work.await.unwrap();
}

fn documents_survive(connection: &Arc<dyn DatabaseConnection>, runtime: &Handle) {
    let collection = collection(connection);
    TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() })
        .run(&(value(), value()), |(first, second)| {
            let document = Document::new().with("zuletzt", first).with("anfangs", second);
            runtime.block_on(async {
                let documents = connection.documents().unwrap();
                let id = documents.insert_one(&collection, &document, &context()).await.unwrap();
                let find = Find::filter(Document::new().with("_id", id.clone()));
                let found = documents.find(&collection, &find, Bounds::documents(2), &context()).await.unwrap();
                let fields = [("_id".to_owned(), id)].into_iter().chain(document);
                prop_assert_eq!(found.items, [fields.collect::<Document>()]);
                Ok(())
            })
        })
        .unwrap();
}

/// A list ends at a number of documents or of bytes, and says which; sorted, skipped and projected as asked.
pub async fn a_list_of_documents_ends_at_its_bounds(target: Target) {
    let connection = target.open().await;
    let (documents, collection) = (connection.documents().unwrap(), collection(&connection));
    for number in 0..10 {
        let document = id(number).with("text", "x".repeat(1_000));
        documents.insert_one(&collection, &document, &context()).await.unwrap();
    }
    let find = Find { sort: Some(Document::new().with("_id", -1)), ..Find::default() };
    let context = context();
    let list = |bounds| documents.find(&collection, &find, bounds, &context);
    let ids = |items: &[Document]| -> Vec<i64> {
        items.iter().filter_map(|item| item.get("_id").and_then(DocumentValue::as_i64)).collect()
    };
    let all = list(Bounds::documents(10)).await.unwrap();
    assert_eq!((ids(&all.items), all.ending), ((0..10).rev().collect(), Ending::All));
    let some = list(Bounds::documents(3)).await.unwrap();
    assert_eq!((ids(&some.items), some.ending), (vec![9, 8, 7], Ending::Documents));
    let few = list(Bounds::documents(10).within(2_500)).await.unwrap();
    assert_eq!((ids(&few.items), few.ending), (vec![9, 8], Ending::Bytes));
    let none = list(Bounds::documents(10).within(10)).await.unwrap();
    assert_eq!((none.items.len(), none.ending), (0, Ending::Bytes));
    let find = Find {
        filter: Document::new().with("_id", Document::new().with("$gte", 5)),
        projection: Some(Document::new().with("_id", 1)),
        sort: Some(Document::new().with("_id", 1)),
        skip: 3,
    };
    let found = documents.find(&collection, &find, Bounds::documents(10), &context).await.unwrap();
    assert_eq!(found.items, [id(8), id(9)]);
    let sample = documents.sample(&collection, Bounds::documents(4), &context).await.unwrap();
    assert_eq!((sample.items.len(), sample.ending), (4, Ending::All));
    assert_eq!(connection.stats().in_use, 0);
}

/// One document is put in the place of another, inserted where there is none, and deleted, by what a filter selects.
pub async fn a_document_is_replaced_and_deleted_by_a_filter(target: Target) {
    let connection = target.open().await;
    let (documents, collection) = (connection.documents().unwrap(), collection(&connection));
    let by = Document::new().with("title", "Emma");
    let emma = Document::new().with("title", "Emma").with("pages", 400);
    let replace = |replacement: Document, or_insert| {
        let (collection, by) = (&collection, &by);
        async move { documents.replace_one(collection, by, &replacement, or_insert, &context()).await }
    };
    assert_eq!(replace(emma.clone(), false).await.unwrap(), Replaced::Nothing);
    assert_eq!(documents.count(&collection, &Document::new(), &context()).await.unwrap(), 0);
    assert_eq!(replace(emma.clone(), true).await.unwrap(), Replaced::Inserted);
    assert_eq!(replace(emma.with("read", true), true).await.unwrap(), Replaced::Replaced);
    let found = documents.find(&collection, &Find::filter(by.clone()), Bounds::documents(9), &context()).await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!(found.items[0].get("read"), Some(&DocumentValue::Boolean(true)), "{found:?}");
    let operator = Document::new().with("$set", Document::new().with("a", 1));
    refused(replace(operator, false).await, &DatabaseErrorKind::Query);
    assert_eq!(documents.count(&collection, &by, &context()).await.unwrap(), 1);
    assert_eq!(documents.estimated_count(&collection, &context()).await.unwrap(), 1);
    assert!(documents.delete_one(&collection, &by, &context()).await.unwrap());
    assert!(!documents.delete_one(&collection, &by, &context()).await.unwrap());
}

/// A key that is there already is told by its index, without its value, and costs no connection.
pub async fn a_unique_index_refuses_the_second_document_by_name(target: Target) {
    let connection = target.open().await;
    let (documents, collection) = (connection.documents().unwrap(), collection(&connection));
    let document = Document::new().with("_id", "hunter2");
    documents.insert_one(&collection, &document, &context()).await.unwrap();
    let opened = connection.stats().opened_total;
    let error = documents.insert_one(&collection, &document, &context()).await.unwrap_err();
    let DatabaseErrorKind::UniqueViolation { constraint } = error.kind() else { panic!("{error:?}") };
    assert!(constraint.as_deref().is_some_and(|name| name.contains("_id_")), "{error:?}");
    assert_eq!(error.code(), Some("11000"));
    assert_eq!(error.connection().map(ToString::to_string).as_deref(), Some("test"));
    assert!(!format!("{error} {error:?}").contains("hunter2"), "values stay out of errors: {error:?}");
    assert_eq!(connection.stats().opened_total, opened);
}

/// An explorer sees what there is.
pub async fn databases_collections_and_indexes_are_listed(target: Target) {
    let connection = target.open().await;
    let (documents, collection) = (connection.documents().unwrap(), collection(&connection));
    documents.insert_one(&collection, &id(1), &context()).await.unwrap();
    let bounds = Bounds::documents(10_000);
    let databases = documents.list_databases(bounds, &context()).await.unwrap();
    let this = databases.items.iter().find(|database| database.name == collection.database()).expect("it is there");
    assert_ne!(this.empty, Some(true));
    let collections = documents.list_collections(collection.database(), bounds, &context()).await.unwrap();
    let this = collections.items.iter().find(|other| other.name == collection.name()).expect("it is there");
    assert_eq!((&this.kind, this.read_only), (&CollectionKind::Collection, false));
    let indexes = documents.list_indexes(&collection, bounds, &context()).await.unwrap();
    assert_eq!(indexes.items.len(), 1, "{indexes:?}");
    assert_eq!(indexes.items[0].get("name").and_then(DocumentValue::as_str), Some("_id_"));
    let first = documents.list_databases(Bounds::documents(1), &context()).await.unwrap();
    assert!(first.items.len() == 1 && (first.ending == Ending::Documents || databases.items.len() == 1));
}

/// A pipeline is carried out by the server, and refused where it would write.
pub async fn a_pipeline_reads_and_does_not_write(target: Target) {
    let connection = target.open().await;
    let (documents, collection) = (connection.documents().unwrap(), collection(&connection));
    for number in 0..6 {
        let document = id(number).with("even", number % 2 == 0);
        documents.insert_one(&collection, &document, &context()).await.unwrap();
    }
    let group = Document::new().with("_id", "$even").with("n", Document::new().with("$sum", 1));
    let pipeline = [Document::new().with("$group", group)];
    let groups = documents.aggregate(&collection, &pipeline, Bounds::documents(9), &context()).await.unwrap();
    let counts: Vec<_> = groups.items.iter().map(|group| group.get("n").and_then(DocumentValue::as_i64)).collect();
    assert_eq!((counts, groups.ending), (vec![Some(3), Some(3)], Ending::All));
    let bounded = documents.aggregate(&collection, &[], Bounds::documents(4), &context()).await.unwrap();
    assert_eq!((bounded.items.len(), bounded.ending), (4, Ending::Documents));
    for stage in [Document::new().with("$out", "elsewhere"), Document::new().with("$merge", "elsewhere")] {
        let outcome = documents.aggregate(&collection, &[stage], Bounds::documents(9), &context()).await;
        let error = refused(outcome, &DatabaseErrorKind::Unsupported);
        assert!(error.to_string().contains("reads"), "{error}");
    }
    let unknown = [Document::new().with("$noSuchStage", 1)];
    let error = documents.aggregate(&collection, &unknown, Bounds::documents(9), &context()).await.unwrap_err();
    assert!(error.code().is_some() && *error.kind() == DatabaseErrorKind::Query, "{error:?}");
}

/// A collection or a database that nobody has written to holds nothing.
pub async fn what_is_not_there_is_empty_and_no_error(target: Target) {
    let connection = target.open().await;
    let (documents, collection) = (connection.documents().unwrap(), collection(&connection));
    let bounds = Bounds::documents(9);
    assert_eq!(documents.find(&collection, &Find::default(), bounds, &context()).await.unwrap().items, []);
    assert_eq!(documents.sample(&collection, bounds, &context()).await.unwrap().items, []);
    assert_eq!(documents.list_indexes(&collection, bounds, &context()).await.unwrap().items, []);
    assert_eq!(documents.estimated_count(&collection, &context()).await.unwrap(), 0);
    assert_eq!(documents.count(&collection, &Document::new(), &context()).await.unwrap(), 0);
    assert!(!documents.delete_one(&collection, &Document::new(), &context()).await.unwrap());
    let nowhere = format!("nowhere_{}", SystemIdGenerator.next().simple());
    assert_eq!(documents.list_collections(&nowhere, bounds, &context()).await.unwrap().items, []);
}
