use super::{exported, mariadb, mysql, postgres, sqlite, sqlserver};

/// The text, and what is not in it.
fn shown(format: &str, database: &schema_model::Database) -> String {
    let found = exported(format, database);
    let omissions: Vec<String> = found
        .omissions
        .iter()
        .map(|omission| format!("{:?}\n", serde_json::to_string(omission).expect("JSON")))
        .collect();
    format!("{}\n=== left out\n{}", found.text, omissions.concat())
}

#[test]
fn the_sample_of_postgres_is_written_as_it_was() {
    for format in ["sql", "mermaid", "dbml", "plantuml", "dot", "markdown", "svg"] {
        insta::assert_snapshot!(format!("postgres-{format}"), shown(format, &postgres()));
    }
}

#[test]
fn the_sample_of_sqlite_is_written_as_it_was() {
    for format in ["sql", "mermaid", "dbml", "markdown"] {
        insta::assert_snapshot!(format!("sqlite-{format}"), shown(format, &sqlite()));
    }
}

#[test]
fn the_samples_of_mysql_and_mariadb_are_written_as_they_were() {
    insta::assert_snapshot!("mysql-sql", shown("sql", &mysql()));
    insta::assert_snapshot!("mariadb-sql", shown("sql", &mariadb()));
}

#[test]
fn the_sample_of_sql_server_is_written_as_it_was() {
    insta::assert_snapshot!("sqlserver-sql", shown("sql", &sqlserver()));
}

#[test]
fn json_comes_back_as_the_model() {
    for database in [postgres(), sqlite(), mysql(), mariadb(), sqlserver()] {
        let back: schema_model::Database = serde_json::from_str(&exported("json", &database).text).expect("a model");
        assert_eq!(back, database);
    }
}
