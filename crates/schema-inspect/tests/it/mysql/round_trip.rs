//! What `schema-export` writes makes the same database again, sent as the clients `mysql` and `mariadb` send it.

use schema_export::{Export, Exporters};
use schema_inspect::InspectOptions;
use schema_model::Database;
use shared_kernel::RequestContext;
use testkit::Server;

use super::{Sample, on_both};

on_both!(
    the_sample_is_made_again,
    what_is_made_under_other_settings_is_made_again,
    grants_are_made_again,
    what_could_not_be_read_leaves_a_script_that_runs,
    what_is_told_without_its_escapes_is_left_out,
);

/// Nothing is left aside: what a counter of `AUTO_INCREMENT` has come to, row counts and sizes are in no model.
async fn the_sample_is_made_again(server: Server) {
    let sample = Sample::new(server).await;
    let (expected, again) = made_again(server, &sample).await;
    // As texts, a difference is seen line by line.
    assert_eq!(pretty(&again), pretty(&expected));
    assert_eq!(again.fingerprint(), expected.fingerprint());
}

async fn what_is_made_under_other_settings_is_made_again(server: Server) {
    let sample = Sample::empty(server).await;
    sample.send(include_str!("odd.sql")).await;
    sample
        .send(match server {
            Server::MariaDb => include_str!("odd_mariadb.sql"),
            _ => include_str!("odd_mysql.sql"),
        })
        .await;
    let (expected, again) = made_again(server, &sample).await;
    assert_eq!(pretty(&again), pretty(&expected));
}

async fn grants_are_made_again(server: Server) {
    let sample = Sample::empty(server).await;
    let name = sample.database.name().to_owned();
    let user = format!("'u{}'@'%'", &name[1..]);
    sample
        .run(&format!(
            "CREATE TABLE makers (id int, name varchar(10)); CREATE VIEW named AS SELECT name FROM makers; \
             CREATE USER {user} IDENTIFIED BY 'hush, hush'; GRANT SELECT, CREATE VIEW ON {name}.* TO {user}; \
             GRANT INSERT, DELETE ON {name}.makers TO {user} WITH GRANT OPTION; GRANT SELECT ON {name}.named TO {user}; \
             GRANT SELECT (name), UPDATE (name, id) ON {name}.makers TO {user}"
        ))
        .await;
    let (expected, again) = made_again(server, &sample).await;
    sample.run(&format!("DROP USER {user}")).await;
    assert_eq!(pretty(&again), pretty(&expected));
    assert_eq!(pretty(&again).matches(r#""grantee""#).count(), 5, "on the database, two relations and two columns");
}

/// What the exporter leaves out is not in the new database, and everything else is.
async fn what_could_not_be_read_leaves_a_script_that_runs(server: Server) {
    let sample = Sample::new(server).await;
    let options = InspectOptions { longest_definition: 12, ..sample.options() };
    let found = sample.inspect(&options).await;
    assert!(!found.report.gaps.is_empty());
    let other = Sample::empty(server).await;
    let (expected, export) = exported(&found.database, &sample, &other);
    for gap in &found.report.gaps {
        let name = gap.object.as_ref().map(|object| &object.name);
        let is_told = |told: Option<&String>| told == name;
        assert!(
            export.omissions.iter().any(|omission| is_told(omission.object.as_ref().map(|object| &object.name))),
            "{gap:?}"
        );
    }
    sample.send(&export.text).await;
    let again = sample.inspect(&other.options()).await.database;
    let tables = |database: &Database| {
        let tables = database.relations().filter(|(_, relation)| relation.definition.is_none());
        tables.map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(tables(&again), tables(&expected));
}

/// Neither product tells the text of a program as it was written.
async fn what_is_told_without_its_escapes_is_left_out(server: Server) {
    let sample = Sample::empty(server).await;
    sample.send(r"CREATE PROCEDURE plain() SELECT 'a\\b', 'c';").await;
    sample
        .send(match server {
            Server::MariaDb => r"CREATE PROCEDURE odd() SELECT 'one\ntwo', 'one\\ntwo';",
            _ => r"CREATE PROCEDURE odd() SELECT 'it''s', 'its';",
        })
        .await;
    let found = sample.inspect(&sample.options()).await.database;
    let (expected, export) = exported(&found, &sample, &sample);
    let left_out: Vec<&str> =
        export.omissions.iter().filter_map(|omission| Some(omission.object.as_ref()?.name.as_str())).collect();
    assert_eq!((left_out, expected.namespaces[0].routines.len()), (vec!["odd"], 2));
    sample.run("DROP PROCEDURE plain").await;
    sample.send(&export.text).await;
    // `a\b` and `c`.
    let text = sample.inspect(&sample.options()).await.database.namespaces[0].routines[1].definition.clone();
    assert_eq!(text.as_ref().and_then(|text| text.known()).map(String::as_str), Some(r"SELECT 'a\b', 'c'"));
}

/// A database of what was found, which was not there before, and what is found in it; and what is to be found.
async fn made_again(server: Server, sample: &Sample) -> (Database, Database) {
    let found = sample.inspect(&sample.options()).await.database;
    let other = Sample::empty(server).await;
    let (expected, export) = exported(&found, sample, &other);
    assert_eq!(export.omissions, []);
    sample.run(&format!("DROP DATABASE {}", other.database.name())).await;
    // The session begins in a database with nothing in it.
    Sample::empty(server).await.send(&export.text).await;
    let mut again = sample.inspect(&other.options()).await.database;
    again.name.clone_from(&expected.name);
    (expected, again)
}

/// What was found in the one database as it is in the other, and its text.
fn exported(found: &Database, one: &Sample, other: &Sample) -> (Database, Export) {
    let text = found.canonical_json().replace(one.database.name(), other.database.name());
    let expected: Database = serde_json::from_str(&text).expect("JSON of a model");
    let export = Exporters::builtin().export("sql", &expected).expect("it is written");
    (expected, export)
}

impl Sample {
    /// Sends a text to one session, statement by statement.
    async fn send(&self, text: &str) {
        let context = RequestContext::system();
        let sql = self.connection.sql().expect("SQL");
        let session = sql.session(&context).await.expect("a session");
        for statement in statements(text) {
            let done = session.run_script(&statement, &context).await;
            done.unwrap_or_else(|error| panic!("{error:?}\n{statement}"));
        }
    }
}

/// The statements of a text, cut as the clients cut them: at what the last line with `DELIMITER` says, outside of quotes and
/// comments.
fn statements(text: &str) -> Vec<String> {
    let (mut statements, mut current, mut delimiter) = (Vec::new(), String::new(), ";".to_owned());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let line = rest.lines().next().unwrap_or_default();
        let taken = if current.trim().is_empty() && line.starts_with("DELIMITER ") {
            line["DELIMITER ".len()..].trim().clone_into(&mut delimiter);
            rest = &rest[line.len()..];
            continue;
        } else if rest.starts_with(&delimiter) {
            statements.push(std::mem::take(&mut current));
            rest = &rest[delimiter.len()..];
            continue;
        } else if rest.starts_with("-- ") || first == '#' {
            line.len()
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if matches!(first, '\'' | '"' | '`') {
            quoted(rest, first)
        } else {
            first.len_utf8()
        };
        current.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    statements.push(current);
    let is_more =
        |statement: &String| statement.lines().any(|line| !line.trim().is_empty() && !line.starts_with("-- "));
    statements.into_iter().filter(is_more).collect()
}

/// How long what is in quotes is. A backslash escapes, but not in the quotes of names.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let is_end = |(at, one): &(usize, char)| {
        let is_end = *at > 0 && *one == quote && !escaped;
        escaped = *one == '\\' && !escaped && quote != '`';
        is_end
    };
    text.char_indices().find(is_end).map_or(text.len(), |(at, _)| at + 1)
}

fn pretty(database: &Database) -> String {
    serde_json::to_string_pretty(database).expect("JSON")
}
