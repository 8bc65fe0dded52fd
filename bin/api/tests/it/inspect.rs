//! `api inspect`: a database looked at without a service.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use connection_manager::redis::driver_crate::cmd;
use connection_manager::{ConnectionSettings, PasswordSource};
use secrecy::ExposeSecret as _;
use shared_kernel::RequestContext;
use testkit::redis::OwnRedis;
use testkit::{Server, TestDatabase};

use crate::process::{api, error, folder};

mod on_servers {
    mod postgres {
        #[test]
        fn a_server_is_looked_at_by_its_url() {
            testkit::run(super::super::a_server_is_looked_at_by_its_url());
        }

        #[test]
        fn a_password_is_repeated_nowhere() {
            testkit::run(super::super::a_password_is_repeated_nowhere());
        }
    }

    mod dynamodb {
        #[test]
        fn a_table_is_looked_at_by_its_url() {
            testkit::run(super::super::a_table_is_looked_at_by_its_url());
        }
    }

    mod redis {
        #[test]
        fn keys_are_told_as_patterns() {
            testkit::run(super::super::keys_are_told_as_patterns());
        }
    }

    mod mysql {
        #[test]
        fn the_sql_of_a_database_is_written() {
            testkit::run(super::super::the_sql_of_a_database_is_written());
        }
    }
}

/// Runs the command, and gives what it wrote when it has done well.
fn inspect(folder: &Path, arguments: &[&str]) -> Output {
    api(folder).arg("inspect").args(arguments).output().expect("the binary starts")
}

#[track_caller]
fn written(folder: &Path, arguments: &[&str]) -> String {
    let output = inspect(folder, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Makes what `script` says.
async fn made(settings: ConnectionSettings, script: &str) {
    let connection = testkit::connect(settings).await.expect("a connection");
    connection.sql().expect("SQL").run_script(script, &RequestContext::system()).await.expect("made");
    connection.close(Duration::from_secs(5)).await;
}

const SHELF: &str = "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL) STRICT; \
                     CREATE TABLE film (id INTEGER PRIMARY KEY, book INTEGER REFERENCES book (id)); \
                     CREATE TABLE \"a\u{1b}[2J\u{202e}b\" (x INTEGER)";

/// What is in a folder, whatever is in the files.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_written_in_every_format_and_stays_as_it_is() {
    let folder = folder();
    let folder = folder.path();
    made(ConnectionSettings::sqlite(folder.join("shelf.db")), SHELF).await;
    // A file with a write-ahead log gets its log's two files back, which whoever only reads may not take away.
    let own = |name: &String| !name.starts_with("shelf.db-");
    let seen = || {
        let names: Vec<String> = files(folder).into_iter().filter(own).collect();
        (names, std::fs::read(folder.join("shelf.db")).expect("the file"))
    };
    let before = seen();
    for (format, beginning) in [
        ("json", "{"),
        ("sql", "-- Made from a model of SQLite"),
        ("mermaid", "erDiagram\n"),
        ("dbml", "Project "),
        ("plantuml", "@startuml\n"),
        ("dot", "digraph "),
        ("markdown", "# "),
        ("svg", "<svg "),
        ("lint", "warning no-primary-key          main.a\\u{1b}[2J"),
        ("lint-json", "[\n"),
    ] {
        for target in ["sqlite:shelf.db", "sqlite://shelf.db?option.create=true"] {
            let text = written(folder, &[target, "--format", format]);
            assert!(text.starts_with(beginning) && text.contains("film"), "{format}: {text}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{format}: {text}");
        }
    }
    let output = inspect(folder, &["sqlite:shelf.db"]);
    assert!(output.stdout.starts_with(b"{"), "JSON, when nothing else is said: {output:?}");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(told.starts_with("sqlite 3.") && told.contains(": 3 relations in ") && told.lines().count() == 1, "{told}");
    assert!(seen() == before, "{:?}", files(folder));

    // What the file's name tells need not be said.
    for (file, beginning) in [("shelf.svg", "<svg "), ("shelf.md", "# "), ("shelf", "{"), ("shelf.SVG", "<svg ")] {
        assert_eq!(written(folder, &["sqlite:shelf.db", "-o", file]), "");
        assert!(std::fs::read_to_string(folder.join(file)).expect("written").starts_with(beginning), "{file}");
    }
    assert_eq!(written(folder, &["sqlite:shelf.db", "--output", "shelf.svg", "--format", "sql"]), "");
    assert!(std::fs::read_to_string(folder.join("shelf.svg")).expect("written").starts_with("-- Made"));
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_told_and_fail_where_it_is_wanted() {
    let folder = folder();
    let folder = folder.path();
    made(ConnectionSettings::sqlite(folder.join("shelf.db")), SHELF).await;
    let text = written(folder, &["sqlite:shelf.db", "--format", "lint"]);
    assert!(text.contains("        no index of `main.film` begins with the columns of `book`\n"), "{text}");
    assert!(text.contains("main.a\\u{1b}[2J\\u{202e}b") && !text.contains('\u{1b}'), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.starts_with("errors: 0, warnings: ")), "{text}");
    let found: Vec<schema_lint::Finding> =
        serde_json::from_str(&written(folder, &["sqlite:shelf.db", "--format", "lint-json"])).expect("findings");
    let warnings = found.iter().filter(|finding| finding.severity == schema_lint::Severity::Warning).count();
    assert!(warnings > 1 && text.contains(&format!("warnings: {warnings},")), "{found:?}");

    assert_eq!(written(folder, &["sqlite:shelf.db", "--format", "lint", "--fail-on", "error"]), text);
    let failed = inspect(folder, &["sqlite:shelf.db", "--fail-on", "warning"]);
    assert_eq!((failed.status.code(), String::from_utf8_lossy(&failed.stdout).as_ref()), (Some(1), text.as_str()));
    assert_eq!(error(&failed), format!("error: {warnings} findings are as bad as `warning`, or worse"));
    let written = inspect(folder, &["sqlite:shelf.db", "-o", "lint.txt", "--fail-on", "notice"]);
    assert!(error(&written).contains("are as bad as `notice`, or worse"));
    assert_eq!(std::fs::read_to_string(folder.join("lint.txt")).expect("written"), text);
    made(
        ConnectionSettings::sqlite(folder.join("tidy.db")),
        "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL)",
    )
    .await;
    assert!(inspect(folder, &["sqlite:tidy.db", "--fail-on", "notice"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_bounds_are_those_of_the_service() {
    let folder = folder();
    let folder = folder.path();
    made(ConnectionSettings::sqlite(folder.join("shelf.db")), SHELF).await;
    let whole = written(folder, &["sqlite:shelf.db"]);
    assert_eq!(written(folder, &["sqlite:shelf.db", "--database", "main", "--schema", "main"]), whole);
    let picture = written(folder, &["sqlite:shelf.db", "--format", "svg"]);
    assert!(picture.contains(">3 tables, 1 foreign key<"), "{picture}");
    let refused = error(&inspect(folder, &["sqlite:shelf.db", "--database", "shelf"]));
    assert!(refused.contains("leads to one database, which is called `main`"), "{refused}");
    let refused = error(&inspect(folder, &["sqlite:shelf.db", "--schema", "other"]));
    assert!(refused.contains("there is no schema `other` that the user may look at"), "{refused}");
    for (arguments, is_taken) in [(["--sample", "100"], true), (["--sample", "101"], false), (["--depth", "11"], false)]
    {
        let output = inspect(folder, &[&["sqlite:shelf.db"], &arguments[..]].concat());
        assert_eq!(output.status.success(), is_taken, "{arguments:?}: {output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_connection_is_looked_at_by_its_name() {
    let folder = folder();
    let folder = folder.path();
    assert!(api(folder).args(["migrate", "up"]).output().expect("it starts").status.success());
    let text = written(folder, &["users", "--format", "dbml"]);
    assert!(text.contains("Table \"main\".\"users\""), "{text}");
    made(ConnectionSettings::sqlite(folder.join("shelf.db")), SHELF).await;
    std::fs::write(folder.join("b.toml"), "connections.shelf = { engine = \"sqlite\", path = \"shelf.db\" }\n")
        .expect("written");
    assert!(written(folder, &["shelf", "--config", "b.toml", "--format", "sql"]).contains("CREATE TABLE book"));
    let refused = error(&inspect(folder, &["loans"]));
    assert!(refused.contains("there is no connection `loans`, only "), "{refused}");
}

#[test]
fn what_cannot_be_looked_at_or_written_is_told() {
    let folder = folder();
    let folder = folder.path();
    std::fs::write(folder.join("notes.db"), "no database, but a text that is longer than the head of one".repeat(9))
        .expect("written");
    for (arguments, told) in [
        (
            &["sqlite:shelf.db", "-o", "shelf.pdf"][..],
            "no format ends in `.pdf`: end the file's name in one of .json, .sql, .mmd, ",
        ),
        (&["sqlite:shelf.db", "-o", "shelf.pdf", "--fail-on", "error"], "no format ends in `.pdf`: "),
        (&["sqlite:shelf.db", "--format", "pdf"], "there is no format `pdf`, only json, sql, mermaid, "),
        (&["sqlite:missing.db"], "cannot open missing.db"),
        (&["sqlite::memory:"], "a database in memory has nothing in it"),
        (&["sqlite:notes.db"], "file is not a database"),
        (&["oracle://ann@db.example/sales"], "oracle"),
        (&["mysql://ann:can?ary@db.example/sales"], "the connection string cannot be read: expected `engine://"),
        (&["postgres://ann@127.0.0.1:1/sales"], "cannot connect to "),
        (&["sqlite:a\u{1b}[2J.db"], "cannot open a\\u{1b}[2J.db"),
        (&["sqlite:notes.db", "--format", "svg", "--fail-on", "error"], "`--fail-on` is about findings"),
        (&["sqlite:notes.db", "--tenant", "acme"], "`--tenant` goes with the name of a configured connection"),
    ] {
        let output = inspect(folder, arguments);
        let error = error(&output);
        assert!(error.contains(told), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty() && !error.contains("ary@"), "{output:?}");
    }
    assert_eq!(files(folder), ["notes.db"], "nothing was made");
}

/// The URL of a database, with or without the password.
fn url(database: &TestDatabase, with_password: bool) -> (String, String) {
    let settings = database.settings();
    let PasswordSource::Literal(password) = &settings.password else { panic!("it has one") };
    let password = password.expose_secret().to_owned();
    let mut encoded = String::new();
    for byte in password.bytes() {
        write!(encoded, "%{byte:02X}").expect("written");
    }
    let login =
        settings.username.clone().expect("a user") + &if with_password { format!(":{encoded}") } else { String::new() };
    let (host, port) = (settings.host.clone().expect("a host"), settings.port.expect("a port"));
    let name = settings.database.clone().expect("a database");
    (format!("{}://{login}@{host}:{port}/{name}?tls=required", settings.engine), password)
}

async fn a_server_is_looked_at_by_its_url() {
    let database = TestDatabase::create(Server::Postgres).await;
    let script = "CREATE TABLE book (id bigint PRIMARY KEY); CREATE SCHEMA \"old; stock\"; \
                  CREATE TABLE \"old; stock\".\"Bücher\" (id bigint REFERENCES book (id))";
    made(database.settings().clone(), script).await;
    let folder = folder();
    let folder = folder.path();
    let (with, _) = url(&database, true);
    let all = written(folder, &[&with, "--format", "svg"]);
    assert!(all.contains("<title>old; stock.Bücher</title>") && all.contains("<title>public.book</title>"), "{all}");
    let part = written(folder, &[&with, "--format", "sql", "--schema", "old; stock"]);
    assert!(
        part.contains("CREATE TABLE \"old; stock\".\"Bücher\"") && !part.contains("CREATE TABLE \"public\""),
        "{part}"
    );
    assert!(files(folder).is_empty());
}

async fn a_password_is_repeated_nowhere() {
    let database = TestDatabase::create(Server::Postgres).await;
    let folder = folder();
    let folder = folder.path();
    let (with, password) = url(&database, true);
    let (without, _) = url(&database, false);
    let is_silent = |output: &Output, secret: &str| {
        let all = [&output.stdout[..], &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains(secret), "{output:?}");
    };
    // By the environment, and by a file.
    let by_environment = ["inspect", &without, "--password-env", "SALES", "--format", "markdown"];
    let output = api(folder).env("SALES", &password).args(by_environment).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    is_silent(&output, &password);
    let file = folder.join("password");
    std::fs::write(&file, format!("{password}\n")).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its owner's");
    }
    let output = inspect(folder, &[&without, "--password-file", "password"]);
    assert!(output.status.success(), "{output:?}");
    is_silent(&output, &password);
    for target in [&with, &without] {
        is_silent(&inspect(folder, &[target, "--format", "pdf"]), &password);
        is_silent(&inspect(folder, &[target]), &password);
    }
    // A wrong one, and one that is not there.
    let output = api(folder).env("SALES", "canary").args(by_environment).output().expect("it starts");
    assert!(error(&output).contains("cannot connect to postgres"), "{output:?}");
    is_silent(&output, "canary");
    let output = api(folder).args(by_environment).output().expect("it starts");
    assert!(error(&output).contains("SALES"), "{output:?}");
}

async fn a_table_is_looked_at_by_its_url() {
    let table = testkit::dynamodb::table().await;
    let (host, port) = (table.host.expect("a host"), table.port.expect("a port"));
    let name = table.database.expect("a table");
    let url = |name: &str| {
        format!("dynamodb://AKIATESTKIT:testkit@{host}:{port}/{name}?tls=disabled&option.region=eu-central-1")
    };
    let folder = folder();
    let output = inspect(folder.path(), &[&url(&name)]);
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(told.starts_with("dynamodb API 2012-08-10: ") && told.contains(" in 4 statements and "), "{told}");
    let found: schema_model::Database = serde_json::from_slice(&output.stdout).expect("a model");
    let names: Vec<&str> = found.collections().map(|(_, table)| table.name.as_str()).collect();
    assert_eq!(names, [name.as_str()]);
    let text = written(folder.path(), &[&url(&name), "--format", "markdown"]);
    assert!(text.contains("Table of items"), "{text}");
    assert!(written(folder.path(), &[&url(&name), "--format", "lint"]).contains("errors: 0"));
    let refused = error(&inspect(folder.path(), &[&url(&name), "--format", "sql"]));
    let told = "format `sql` is not written for engine `dynamodb`; try one of json, mermaid, dbml, plantuml, dot, markdown, svg, lint, ";
    assert!(refused.contains(told), "{refused}");
    let missing = error(&inspect(folder.path(), &[&url("no-such-table")]));
    assert!(missing.contains("cannot connect to dynamodb"), "{missing}");
}

async fn keys_are_told_as_patterns() {
    let redis = OwnRedis::start(&[]).await;
    redis.tell::<()>(cmd("SET").arg("user:4711:name").arg("canary").take()).await;
    let folder = folder();
    let target = format!("redis://default@127.0.0.1:{}/0?tls=disabled", redis.port());
    let inspect = |format| {
        let arguments = ["inspect", &target, "--password-env", "CACHE", "--format", format];
        let output = api(folder.path()).env("CACHE", OwnRedis::PASSWORD).args(arguments).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        (String::from_utf8(output.stdout).expect("UTF-8"), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (samples, told) = inspect("samples");
    assert!(samples.contains("\"pattern\": \"user:{number}:name\"") && !samples.contains("canary"), "{samples}");
    assert!(told.starts_with("redis ") && told.contains(": 1 key pattern in ") && told.lines().count() == 1, "{told}");
    assert!(inspect("json").0.contains("\"db0\"") && inspect("markdown").0.contains("## db0"));
}

async fn the_sql_of_a_database_is_written() {
    let database = TestDatabase::create(Server::MySql).await;
    made(database.settings().clone(), "CREATE TABLE book (id bigint PRIMARY KEY)").await;
    let folder = folder();
    let (with, _) = url(&database, true);
    let text = written(folder.path(), &[&with, "--schema", database.name(), "--format", "sql"]);
    let table = format!(
        "CREATE TABLE `{}`.`book` (\n  `id` bigint NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE = InnoDB",
        database.name()
    );
    assert!(text.starts_with("-- Made from a model of MySQL ") && text.contains(&table), "{text}");
    let text = written(folder.path(), &[&with, "--schema", database.name(), "--format", "plantuml"]);
    assert!(text.contains(".book\" as e1 {"), "{text}");
}
