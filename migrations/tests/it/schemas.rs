//! The four texts of each migration make the same schema, in the eyes of an inspector that is not ours: `SQLAlchemy`'s.
//!
//! SQL Server is asked for its columns alone, through its information schema: `SQLAlchemy` reads the rest of it from
//! views that other engines of T-SQL do not have.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use shared_kernel::RequestContext;
use shared_kernel::database::RawStatement;
use testkit::{Server, TestDatabase};

async fn the_schema_is_the_same_as_elsewhere(server: Server) {
    // PostgreSQL has the most types, so it tells the most differences.
    let reference = if server == Server::Postgres { Server::Sqlite } else { Server::Postgres };
    let (schema, mut expected) = (inspect(server).await, inspect(reference).await);
    if server == Server::SqlServer {
        for table in expected.as_object_mut().unwrap().values_mut() {
            table.as_object_mut().unwrap().retain(|part, _| part == "columns");
        }
    }
    let differences = differences(&schema, &expected);
    assert!(differences.is_empty(), "{server} differs from {reference}:\n{}", differences.join("\n"));
    assert!(expected.as_object().is_some_and(|tables| tables.len() > 3), "{expected}");
}

testkit::on_every_engine!(the_schema_is_the_same_as_elsewhere);

/// What the inspector sees in a database with every context in it.
async fn inspect(server: Server) -> Json {
    let database = TestDatabase::create(server).await;
    for set in migrations::sets() {
        database.migrate(set.context()).await;
    }
    if server == Server::SqlServer {
        return information_schema(&database).await;
    }
    let request = json!({
        "url": testkit::sqlalchemy_url(&database),
        "ca": (server == Server::MySql).then(|| server.certificate_authority()),
    });
    testkit::ask_sqlalchemy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inspect_schema.py"), &request).await
}

/// The columns as SQL Server tells them, in the inspector's words.
async fn information_schema(database: &TestDatabase) -> Json {
    let connection = database.connection().await;
    let columns = RawStatement::everywhere(
        "SELECT",
        "SELECT c.TABLE_NAME AS of_table, c.COLUMN_NAME AS named, c.IS_NULLABLE AS nullable, c.DATA_TYPE AS kind \
         FROM INFORMATION_SCHEMA.COLUMNS AS c JOIN INFORMATION_SCHEMA.TABLES AS t \
         ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
         WHERE c.TABLE_SCHEMA = 'dbo' AND t.TABLE_TYPE = 'BASE TABLE'",
    );
    let mut schema = json!({});
    for row in connection.sql().unwrap().query(&columns.into(), &RequestContext::system()).await.unwrap() {
        let text = |column| row.get::<String>(column).unwrap().to_lowercase();
        let family = match text("kind").as_str() {
            "bigint" | "int" | "smallint" => "family:integer",
            "bit" => "family:boolean",
            "binary" | "uniqueidentifier" => "family:bytes",
            // The keys that texts are sorted by are their bytes in UTF-8 there, because no collation sorts by code point.
            "varbinary" => "family:text or bytes",
            "char" | "nchar" | "varchar" | "nvarchar" => "family:text",
            "datetime2" | "datetimeoffset" => "family:instant",
            "date" => "family:date",
            "decimal" | "numeric" => "family:decimal",
            other => panic!("no family for {} {other}", text("named")),
        };
        schema[text("of_table")]["columns"][text("named")] = json!({
            "nullable": text("nullable") == "yes",
            "type": if family == "family:text or bytes" { json!(["family:text", "family:bytes"]) } else { json!([family]) },
            // Lengths are counted in halves of UTF-16 there, not in characters.
            "length": "any length",
        });
    }
    schema
}

/// Where two schemas differ, one line each.
fn differences(left: &Json, right: &Json) -> Vec<String> {
    let (left, right) = (facts(left), facts(right));
    let mut lines = Vec::new();
    for key in left.keys().chain(right.keys().filter(|key| !left.contains_key(*key))) {
        match (left.get(key), right.get(key)) {
            (Some(one), Some(other)) if agree(one, other) => {}
            (one, other) => lines.push(format!("{key}: {} here, {} there", shown(one), shown(other))),
        }
    }
    lines
}

/// Every leaf of the schema by its path; a list is a leaf.
fn facts(schema: &Json) -> BTreeMap<String, &Json> {
    fn collect<'a>(path: &str, value: &'a Json, into: &mut BTreeMap<String, &'a Json>) {
        match value {
            Json::Object(members) => {
                for (name, value) in members {
                    collect(&format!("{path}/{name}"), value, into);
                }
            }
            leaf => {
                into.insert(path.to_owned(), leaf);
            }
        }
    }
    let mut facts = BTreeMap::new();
    collect("", schema, &mut facts);
    facts
}

/// Type families are lists, because one engine's TEXT may be another's instant: they agree when they share one. A
/// length that one engine does not have agrees with any.
fn agree(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Array(families), Json::Array(others)) if families.first().is_some_and(is_family) => {
            families.iter().any(|family| others.contains(family))
        }
        (Json::String(length), other) | (other, Json::String(length)) if length == "any length" => !other.is_array(),
        (one, other) => one == other,
    }
}

fn is_family(value: &Json) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("family:"))
}

fn shown(value: Option<&&Json>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

mod comparison {
    use serde_json::json;

    use super::differences;

    fn schema(column: &serde_json::Value) -> serde_json::Value {
        json!({"users": {"columns": {"name": column}, "primary_key": ["id"]}})
    }

    #[test]
    fn equal_schemas_have_no_differences() {
        let text = json!({"nullable": false, "type": ["family:text"], "length": 200});
        let loose = json!({"nullable": false, "type": ["family:text", "family:instant"], "length": "any length"});
        assert!(differences(&schema(&text), &schema(&loose)).is_empty());
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let base = json!({"nullable": false, "type": ["family:text"], "length": 200});
        for other in [
            json!({"nullable": true, "type": ["family:text"], "length": 200}),
            json!({"nullable": false, "type": ["family:integer"], "length": 200}),
            json!({"nullable": false, "type": ["family:text"], "length": 100}),
        ] {
            assert_eq!(differences(&schema(&base), &schema(&other)).len(), 1, "{other}");
        }
        let more =
            json!({"users": {"columns": {"name": base}, "primary_key": ["id", "name"], "indexes": {"x": ["y"]}}});
        let lines = differences(&schema(&base), &more);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.contains(&"/users/indexes/x: nothing here, [\"y\"] there".to_owned()), "{lines:?}");
    }
}
