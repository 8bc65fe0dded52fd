//! Facts are compared with those of an inspector that is not ours: `SQLAlchemy`'s, which reads what `SHOW CREATE TABLE` says.

use std::path::Path;

use schema_model::{Column, PartTarget, Reading, ReferentialAction, Relation, RelationKind, TypeFamily};
use serde_json::{Map, Value as Json, json};
use testkit::Server;

use super::{Sample, on_both};

on_both!(tables_are_told_as_sqlalchemy_tells_them);

/// What they cannot read: expressions in indexes and as periods, types and names of several lines.
const NOT_READ: [&str; 3] = ["news", "dated", "ta.ble ` \" -- ';\n名"];

async fn tables_are_told_as_sqlalchemy_tells_them(server: Server) {
    let sample = Sample::new(server).await;
    let found = sample.inspect(&sample.options()).await;
    let mut theirs = reflected(&sample).await;
    let tables = sample.namespace(&found).relations.iter();
    let tables = tables.filter(|relation| relation.kind == RelationKind::Table);
    let mut ours: Map<String, Json> = tables.map(|table| (table.name.clone(), told(table))).collect();
    for name in NOT_READ {
        ours.remove(name);
        theirs.remove(name);
    }
    assert!(theirs.len() > 6, "{theirs:?}");
    for (name, table) in &mut theirs {
        for (column, own) in table["columns"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .zip(ours[name]["columns"].as_array().into_iter().flatten())
        {
            // Figures are no type to them.
            if column["type"] == "null" {
                column["type"] = own["type"].clone();
            }
            // Bytes and bits they do not read, or write otherwise.
            if own["type"] == "bit" || own["type"] == "varbinary" {
                column["default"] = Json::Null;
            }
            column["default"] = bare(&column["default"]);
            column["computed"] = bare(&column["computed"]);
        }
        for check in table["checks"].as_array_mut().into_iter().flatten() {
            check["text"] = bare(&check["text"]);
            // They leave a name as it is quoted.
            check["name"] = check["name"].as_str().map(|name| name.replace("``", "`")).into();
        }
        assert_eq!(ours[name], *table, "{name}");
    }
    assert_eq!(ours.len(), theirs.len());
}

/// An expression without the brackets and quotation marks around it, of which one or the other writes more.
fn bare(text: &Json) -> Json {
    text.as_str().map(|text| text.trim_matches(['(', ')', '\''])).into()
}

fn known(reading: &Reading<String>) -> Json {
    bare(&reading.known().cloned().into())
}

/// A table in their words.
fn told(table: &Relation) -> Json {
    let foreign_keys = table.foreign_keys.iter().map(|key| {
        json!({
            "name": key.name,
            "columns": key.columns.iter().map(|pair| &pair.column).collect::<Vec<_>>(),
            "schema": key.references.namespace,
            "table": key.references.name,
            "referred": key.columns.iter().map(|pair| &pair.references).collect::<Vec<_>>(),
            "on_update": action(key.on_update),
            "on_delete": action(key.on_delete),
        })
    });
    // The index of a primary key is none to them.
    let indexes = table.indexes.iter().filter(|index| index.name != "PRIMARY").map(|index| {
        let column = |part: &schema_model::IndexPart| match &part.target {
            PartTarget::Column(name) => Some(name.clone()),
            PartTarget::Expression(_) => None,
        };
        let length = |part: &schema_model::IndexPart| Some((column(part)?, Json::from(part.prefix_length?)));
        json!({
            "name": index.name,
            "unique": index.unique,
            "columns": index.parts.iter().filter_map(column).collect::<Vec<_>>(),
            "lengths": index.parts.iter().filter_map(length).collect::<Map<_, _>>(),
            "prefix": Some(&index.method).filter(|method| *method != "BTREE"),
        })
    });
    // A condition that MariaDB keeps with its column has the column's name, and they do not read it.
    let named =
        table.checks.iter().filter(|check| check.name.as_deref().is_none_or(|name| table.column(name).is_none()));
    json!({
        "comment": table.comment,
        "engine": table.native["engine"],
        "columns": table.columns.iter().map(column).collect::<Vec<_>>(),
        "primary_key": table.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default(),
        "foreign_keys": foreign_keys.collect::<Vec<_>>(),
        "unique": table.unique.iter().map(|key| json!({ "name": key.name, "columns": key.columns })).collect::<Vec<_>>(),
        "indexes": indexes.collect::<Vec<_>>(),
        "checks": named.map(|check| json!({ "name": check.name, "text": known(&check.expression) })).collect::<Vec<_>>(),
    })
}

fn column(column: &Column) -> Json {
    let is_compared = !matches!(column.data_type.family, TypeFamily::Bits | TypeFamily::Binary);
    let default = column.default.as_ref().filter(|_| is_compared).and_then(Reading::known);
    let default = default.map(|default| match column.native.get("on_update").and_then(Json::as_str) {
        Some(update) => format!("{default} ON UPDATE {update}"),
        None => default.clone(),
    });
    let name = column.data_type.text.split(['(', ' ']).next();
    json!({
        "name": column.name,
        "type": name,
        "nullable": column.nullable,
        "default": bare(&default.into()),
        "computed": column.generated.as_ref().map_or(Json::Null, |generated| known(&generated.expression)),
        "stored": column.generated.as_ref().map(|generated| generated.storage == schema_model::GenerationStorage::Stored),
        "autoincrement": column.identity.is_some(),
        "comment": column.comment,
    })
}

/// What is usual they do not tell.
fn action(action: ReferentialAction) -> Option<&'static str> {
    match action {
        ReferentialAction::NoAction | ReferentialAction::Restrict => None,
        ReferentialAction::Cascade => Some("CASCADE"),
        ReferentialAction::SetNull => Some("SET NULL"),
        ReferentialAction::SetDefault => Some("SET DEFAULT"),
    }
}

async fn reflected(sample: &Sample) -> Map<String, Json> {
    let request = json!({ "url": testkit::sqlalchemy_url(&sample.database), "schema": sample.database.name() });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reflect_mysql.py");
    match testkit::ask_sqlalchemy(&script, &request).await {
        Json::Object(tables) => tables,
        other => panic!("no tables: {other}"),
    }
}
