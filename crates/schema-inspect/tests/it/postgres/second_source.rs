//! Facts are compared with those of an inspector that is not ours: `SQLAlchemy`'s, on the same database.

use std::path::Path;

use schema_inspect::InspectOptions;
use schema_model::{Column, PartTarget, Reading, Relation, RelationKind, UserType, UserTypeKind};
use serde_json::{Map, Value as Json, json};

use super::Sample;

#[test]
fn tables_are_told_as_sqlalchemy_tells_them() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default().only(["shop"])).await;
        let mut theirs = reflected(&sample, "shop").await;
        let tables = found.database.namespaces[0].relations.iter();
        let tables = tables.filter(|relation| relation.kind == RelationKind::Table);
        let types = &found.database.namespaces[0].types;
        let ours: Map<String, Json> = tables.map(|table| (table.name.clone(), told(table, types))).collect();
        // They list the parts of a table as tables, and a reference to the table once more for each part.
        theirs.retain(|name, _| ours.contains_key(name));
        for keys in theirs.values_mut().filter_map(|table| table["foreign_keys"].as_array_mut()) {
            keys.retain(|key| key["table"].as_str().is_some_and(|table| ours.contains_key(table)));
        }
        assert!(theirs.len() > 6, "{theirs:?}");
        for (name, table) in &theirs {
            assert_eq!(ours[name], *table, "{name}");
        }
        assert_eq!(ours.len(), theirs.len());
    });
}

/// A table in their words.
fn told(table: &Relation, types: &[UserType]) -> Json {
    let known = |reading: &Reading<String>| reading.known().cloned();
    // A domain's default is the column's to them.
    let of_domain = |column: &Column| {
        let name = &column.data_type.user_type.as_ref()?.name;
        match &types.iter().find(|user_type| user_type.name == *name)?.kind {
            UserTypeKind::Domain { default, .. } => default.as_ref().and_then(known),
            _ => None,
        }
    };
    let columns = table.columns.iter().map(|column| {
        let start = column.identity.as_ref().and_then(|identity| identity.options.as_ref());
        json!({
            "name": column.name,
            "nullable": column.nullable,
            "default": column.default.as_ref().and_then(known).or_else(|| of_domain(column)),
            "computed": column.generated.as_ref().and_then(|generated| known(&generated.expression)),
            "identity_start": start.map(|options| options.start.to_string()),
            "comment": column.comment,
        })
    });
    let foreign_keys = table.foreign_keys.iter().map(|key| {
        json!({
            "name": key.name,
            "columns": key.columns.iter().map(|pair| &pair.column).collect::<Vec<_>>(),
            "schema": key.references.namespace,
            "table": key.references.name,
            "referred": key.columns.iter().map(|pair| &pair.references).collect::<Vec<_>>(),
            "comment": key.comment,
        })
    });
    // The index of a primary key is none to them.
    let indexes = table.indexes.iter().filter(|index| {
        index.constraint.is_none()
            || index.constraint.as_ref() != table.primary_key.as_ref().and_then(|key| key.name.as_ref())
    });
    let indexes = indexes.map(|index| {
        let column = |part: &schema_model::IndexPart| match &part.target {
            PartTarget::Column(name) => Some(name.clone()),
            PartTarget::Expression(_) => None,
        };
        json!({
            "name": index.name,
            "unique": index.unique,
            "columns": index.parts.iter().map(column).collect::<Vec<_>>(),
            "include": index.include,
            "is_partial": index.predicate.is_some(),
            "method": index.method,
        })
    });
    json!({
        "comment": table.comment,
        "columns": columns.collect::<Vec<_>>(),
        "primary_key": table.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default(),
        "foreign_keys": foreign_keys.collect::<Vec<_>>(),
        "unique": table.unique.iter().map(|key| json!({ "name": key.name, "columns": key.columns })).collect::<Vec<_>>(),
        "indexes": indexes.collect::<Vec<_>>(),
        "checks": table.checks.iter().map(|check| json!({ "name": check.name })).collect::<Vec<_>>(),
    })
}

/// What they see of the tables of a namespace.
async fn reflected(sample: &Sample, namespace: &str) -> Map<String, Json> {
    let request = json!({ "url": testkit::sqlalchemy_url(&sample.database), "schema": namespace });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reflect_postgres.py");
    match testkit::ask_sqlalchemy(&script, &request).await {
        Json::Object(tables) => tables,
        other => panic!("no tables: {other}"),
    }
}
