use std::fmt::Write;
use std::sync::{MutexGuard, PoisonError};

use shared_kernel::database::ConnectionName;
use testkit::tds::{Answer, Matcher, ServerMessage};

use super::*;

async fn outcome(reply: Reply) -> (DatabaseError, Arc<dyn DatabaseConnection>, TdsServer) {
    let server = server().on(Matcher::starts_with("INSERT"), reply).start().await.expect("a server");
    let connection = connect(&server).await;
    let error = execute(&connection, "INSERT INTO t VALUES (1)").await.expect_err("a refusal");
    (error, connection, server)
}

#[tokio::test]
async fn violations_are_told_by_their_constraint_and_keep_the_connection() {
    let unique = |name: &str| DatabaseErrorKind::UniqueViolation { constraint: Some(name.to_owned()) };
    let foreign = |name: &str| DatabaseErrorKind::ForeignKeyViolation { constraint: Some(name.to_owned()) };
    for (reply, code, kind) in [
        (Reply::unique_constraint("users_email_key", "dbo.users", "(a@b)"), "2627", unique("users_email_key")),
        (Reply::unique_index("users_email_key", "dbo.users", "(a@b)"), "2601", unique("users_email_key")),
        (Reply::foreign_key("parts_item_fkey", "dbo.items"), "547", foreign("parts_item_fkey")),
        (Reply::still_referenced("parts_item_fkey", "dbo.parts"), "547", foreign("parts_item_fkey")),
        (Reply::check_constraint("items_price_check", "dbo.items"), "547", DatabaseErrorKind::Query),
        (Reply::deadlock(), "1205", DatabaseErrorKind::SerializationConflict),
        (Reply::error(1222, "Lock request time out."), "1222", DatabaseErrorKind::SerializationConflict),
        (Reply::error(208, "Invalid object name 't'."), "208", DatabaseErrorKind::Query),
        (Reply::error(10929, "Too busy."), "10929", DatabaseErrorKind::Saturated),
    ] {
        let (error, connection, server) = outcome(reply).await;
        assert_eq!((error.kind(), error.code()), (&kind, Some(code)));
        assert_eq!(error.connection().map(ConnectionName::as_str), Some("test"));
        assert_serves(&connection).await;
        assert_eq!(server.connections().accepted, 1, "{code} costs no connection");
    }
}

#[tokio::test]
async fn a_fatal_message_costs_the_connection_and_not_the_pool() {
    let (error, connection, server) = outcome(Reply::error(596, "The session is in the kill state.")).await;
    assert_eq!((error.kind(), error.code()), (&DatabaseErrorKind::Unreachable, Some("596")));
    assert_serves(&connection).await;
    assert_eq!(server.connections().accepted, 2);
}

#[tokio::test]
async fn an_error_behind_rows_is_an_error() {
    let rows = one(TdsType::Int, 1);
    let reply = rows.and(Reply::error(8134, "Divide by zero error encountered."));
    let server = server().on("SELECT 1/0", reply).start().await.unwrap();
    let connection = connect(&server).await;
    let error = refused(query(&connection, "SELECT 1/0").await, &DatabaseErrorKind::Query);
    assert_eq!(error.code(), Some("8134"));
    assert_serves(&connection).await;
}

#[tokio::test]
async fn messages_that_are_no_errors_are_passed_over() {
    let notice = Reply::message(ServerMessage::new(5701, "Changed database context."));
    let server = server().on("UPDATE t SET a = 1", notice.and(Reply::changed(3))).start().await.unwrap();
    assert_eq!(execute(&connect(&server).await, "UPDATE t SET a = 1").await.unwrap(), 3);
}

#[tokio::test]
async fn changes_are_counted_over_statements_and_reads_are_not_counted() {
    let server = server()
        .on(Matcher::starts_with("UPDATE"), Reply::changed(2).and(Reply::changed(3)))
        .on(Matcher::starts_with("WITH"), one(TdsType::Int, 1))
        .on(Matcher::starts_with("DELETE"), one(TdsType::Int, 1))
        .start()
        .await
        .unwrap();
    let connection = connect(&server).await;
    assert_eq!(execute(&connection, "UPDATE t SET a = 1; UPDATE t SET b = 1").await.unwrap(), 5);
    assert_eq!(execute(&connection, "SELECT 1").await.unwrap(), 0);
    assert_eq!(execute(&connection, "WITH x AS (SELECT 1 AS n) SELECT n FROM x").await.unwrap(), 0);
    assert_eq!(execute(&connection, "DELETE FROM t OUTPUT deleted.id").await.unwrap(), 1);
}

/// Everything that is logged, as text.
#[derive(Clone, Default)]
struct Captured(Arc<std::sync::Mutex<String>>);

impl Captured {
    fn text(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl tracing::Subscriber for Captured {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        attributes.record(&mut Words(&mut self.text()));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Words(&mut self.text()));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = self.text();
        text.push_str(event.metadata().target());
        event.record(&mut Words(&mut text));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Words<'a>(&'a mut String);

impl tracing::field::Visit for Words<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let _ = writeln!(self.0, " {field}={value:?}");
    }
}

#[tokio::test]
async fn a_value_reaches_neither_the_error_nor_the_log() {
    let captured = Captured::default();
    let guard = tracing::subscriber::set_default(captured.clone());
    tracing::info!("the log works");
    for reply in [
        Reply::unique_constraint("users_email_key", "dbo.users", "(ada@private.example)"),
        Reply::error(245, "Conversion failed when converting the nvarchar value 'ada@private.example' to int."),
    ] {
        let (error, _connection, _server) = outcome(reply).await;
        let mut told = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let _ = write!(told, "{cause} {cause:?}");
            source = cause.source();
        }
        assert!(!told.contains("private"), "{told}");
    }
    drop(guard);
    let log = captured.text();
    assert!(log.contains("the log works"));
    assert!(!log.contains("private") && !log.contains("secret"), "{log}");
}

#[tokio::test]
async fn a_database_that_became_read_only_costs_the_pool_its_connections() {
    let refusal = Reply::error(3906, "Failed to update database \"books\" because the database is read-only.");
    let server =
        server().on("INSERT 1", Reply::changed(1)).on("INSERT 1", Answer::once(refusal)).start().await.unwrap();
    let connection = connect(&server).await;
    let error = execute(&connection, "INSERT 1").await.unwrap_err();
    assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget);
    assert!(error.retry_after().is_some(), "{error:?}");
    assert_eq!(execute(&connection, "INSERT 1").await.unwrap(), 1);
    assert_eq!(server.connections().accepted, 2);
}
