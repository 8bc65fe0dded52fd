//! What was found, beside what the server says when it is asked in other ways.

use connection_manager::mongodb::driver_crate::IndexModel;
use connection_manager::mongodb::driver_crate::bson::{Bson, Document, doc};
use connection_manager::mongodb::{MongoDbConnection, driver_crate};
use schema_inspect::InspectOptions;
use schema_model::{Index, Observed, ObservedField, PartTarget, SortDirection};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;
use testkit::mongodb::run;

use super::Sample;

/// The indexes as the driver reads them into its own type.
async fn indexes(connection: &dyn DatabaseConnection, database: &str, collection: &str) -> Vec<IndexModel> {
    let native = connection.native_as::<MongoDbConnection>().expect("the native handle");
    let work = |client: driver_crate::Client| async move {
        let mut cursor = client.database(database).collection::<Document>(collection).list_indexes().await?;
        let mut models = Vec::new();
        while cursor.advance().await? {
            models.push(cursor.deserialize_current()?);
        }
        Ok(models)
    };
    native.with_client(work, &RequestContext::system()).await.expect("listed")
}

#[test]
fn the_driver_reads_the_same_indexes() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await;
        let theirs = indexes(&*sample.connection, &sample.name, "goods").await;
        let ours = sample.collection(&found, "goods").indexes.clone();
        sample.remove().await;
        assert_eq!(ours.len(), theirs.len());
        for index in &ours {
            let is_it = |model: &&IndexModel| {
                model.options.as_ref().and_then(|options| options.name.as_deref()) == Some(index.name.as_str())
            };
            same(index, theirs.iter().find(is_it).unwrap_or_else(|| panic!("there is no {}", index.name)));
        }
    });
}

#[track_caller]
fn same(index: &Index, model: &IndexModel) {
    let options = model.options.clone().unwrap_or_default();
    assert_eq!(index.unique, options.unique.unwrap_or_default() || index.name == "_id_", "{}", index.name);
    let seconds = options.expire_after.map(|after| after.as_secs());
    assert_eq!(index.native.get("expireAfterSeconds").and_then(serde_json::Value::as_u64), seconds, "{}", index.name);
    let sparse = index.native.get("sparse").and_then(serde_json::Value::as_bool);
    assert_eq!(sparse, options.sparse, "{}", index.name);
    assert_eq!(index.predicate.is_some(), options.partial_filter_expression.is_some(), "{}", index.name);
    let keys: Vec<(String, String)> = if index.method == "text" {
        let weights = options.weights.expect("weights");
        weights.keys().map(|field| (field.clone(), "text".to_owned())).collect()
    } else {
        let order = |value: &Bson| match value {
            Bson::String(word) => word.clone(),
            Bson::Int32(number) => number.to_string(),
            other => panic!("{other}"),
        };
        model.keys.iter().map(|(field, value)| (field.clone(), order(value))).collect()
    };
    let parts = index.parts.iter().map(|part| {
        let PartTarget::Column(field) = &part.target else { panic!("an index is on fields") };
        let direction = part.direction.map(|direction| if direction == SortDirection::Ascending { "1" } else { "-1" });
        (field.clone(), part.operator_class.as_deref().or(direction).expect("an order").to_owned())
    });
    assert_eq!(parts.collect::<Vec<_>>(), keys, "{}", index.name);
}

/// All documents are in the sample, so that the server counts the same when it is asked for each field by itself.
#[test]
fn the_server_counts_the_same_fields_and_types() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await;
        let seen = sample.sample(&found, "goods");
        assert_eq!(seen.documents, 16);
        let mut questions = Vec::new();
        ask_for(&seen.fields, "", &mut questions);
        assert!(questions.len() > 30, "{questions:?}");
        let mut wrong = Vec::new();
        for (filter, expected) in questions {
            let count = doc! { "count": "goods", "query": filter.clone() };
            let answer = run(&*sample.connection, &sample.name, count).await.expect("counted");
            let counted = answer.get("n").and_then(|n| n.as_i64().or(n.as_i32().map(i64::from))).expect("a count");
            if u64::try_from(counted).expect("a count") != expected {
                wrong.push(format!("{filter}: {counted} and not {expected}"));
            }
        }
        sample.remove().await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

/// One question for each field and each of its types, but for what is within arrays, where a document counts once.
fn ask_for(fields: &[ObservedField], above: &str, questions: &mut Vec<(Document, u64)>) {
    for field in fields {
        let path = format!("{above}{}", field.name);
        questions.push((doc! { &path: { "$exists": true } }, field.presence.count));
        // A question for a type is one for that of the elements as well.
        let Observed { types, elements, fields, .. } = &field.values;
        for seen in types.iter().filter(|seen| elements.is_none() || seen.name == "array") {
            questions.push((doc! { &path: { "$type": &seen.name } }, seen.count));
        }
        ask_for(fields, &format!("{path}."), questions);
    }
}
