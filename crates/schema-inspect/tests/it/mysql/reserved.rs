//! The words that `schema-lint` takes for reserved are those that the server refuses as names.

use std::collections::BTreeSet;

use schema_lint::{Findings, Lints};
use schema_model::{Column, DataType, Database, Namespace, Native, Relation, RelationKind, TypeFamily};

use super::*;

on_both!(reserved_words_are_those_that_are_refused_as_names);

pub(super) async fn reserved_words_are_those_that_are_refused_as_names(server: Server) {
    let sample = Sample::empty(server).await;
    let (engine, reserved, listed) = match server {
        Server::MariaDb => ("mariadb", "NULL", "10.11."),
        _ => ("mysql", "reserved", "9.7."),
    };
    let sql = sample.connection.sql().expect("SQL");
    let version = sample.connection.ping(&RequestContext::system()).await.expect("a sign of life").server_version;
    let is_listed = version.is_some_and(|version| version.starts_with(listed));
    let keywords = format!("SELECT LOWER(word), {reserved} FROM information_schema.keywords");
    let keywords = RawStatement::everywhere("SELECT", keywords).into();
    let rows = sql.query(&keywords, &RequestContext::system()).await.expect("the server's keywords");
    let told: Vec<(String, Option<i64>)> =
        rows.iter().map(|row| (row.get(0).expect("a word"), row.get(1).expect("a number"))).collect();
    let is_word =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let words: Vec<&str> = told.iter().map(|(word, _)| word.as_str()).filter(|word| is_word(word)).collect();
    assert!(words.len() > 500, "only {} keywords", words.len());

    // A script would have a session of its own, and there are hundreds.
    let session = sql.session(&RequestContext::system()).await.expect("a session");
    let run = async |text: String| {
        session.execute(&RawStatement::everywhere("TABLE", text).into(), &RequestContext::system()).await
    };
    let mut refused = BTreeSet::new();
    for word in &words {
        match run(format!("CREATE TEMPORARY TABLE t (x INT, {word} INT)")).await {
            Ok(_) => drop(run("DROP TEMPORARY TABLE t".to_owned()).await.expect("dropped")),
            Err(_) => drop(refused.insert(*word)),
        }
    }
    session.release().await.expect("released");
    let found = judged(engine, &words);
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let overlooked: Vec<_> = refused.difference(&found).collect();
    assert!(overlooked.is_empty(), "{overlooked:?}");
    // Versions before those reserve fewer words, and MySQL does not tell each.
    if !is_listed {
        return;
    }
    assert_eq!(found, refused);
    let said: BTreeSet<&str> =
        told.iter().filter(|(_, reserved)| *reserved == Some(1)).map(|(word, _)| word.as_str()).collect();
    if server == Server::MySql {
        assert_eq!(said, refused, "MySQL says so itself");
    }
}

/// Which of the words are reserved, as the lint says of a table with such columns.
fn judged(engine: &str, words: &[&str]) -> BTreeSet<String> {
    let mut table = Relation::new("t", RelationKind::Table);
    let integer = || DataType::new("int", TypeFamily::Integer);
    table.columns = words.iter().map(|word| Column::new(*word, 1, integer())).collect();
    let mut namespace = Namespace::new("shop");
    namespace.relations = vec![table];
    let database = Database {
        engine: engine.to_owned(),
        version: "1".to_owned(),
        name: "shop".to_owned(),
        comment: None,
        character_set: None,
        collation: None,
        namespaces: vec![namespace],
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native: Native::new(),
    };
    let lints = Lints::builtin();
    let mut found = Findings::unbounded();
    let lint = lints.all().find(|lint| lint.id() == "name-quoting").expect("the rule");
    lint.check(&database, &mut found).expect("there is room");
    let names = found.into_vec().into_iter().flat_map(|finding| {
        finding.evidence["names"].as_array().cloned().unwrap_or_default().into_iter().filter_map(|name| {
            let is_reserved = name["reason"] == "reserved word";
            name["name"].as_str().filter(|_| is_reserved).map(str::to_owned)
        })
    });
    names.collect()
}
