use std::fmt::Write as _;
use std::sync::Arc;

use connection_manager::{PoolSettings, TlsMode};
use schema_inspect::{InspectOptions, Inspectors};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;
use testkit::proxy::Proxy;

use super::Sample;

#[test]
fn however_many_tables_there_are_as_many_statements_are_sent() {
    testkit::run(async {
        let sample = Sample::empty().await;
        let few = sample.inspect(&InspectOptions::default()).await;
        let mut script = String::new();
        for number in 0..200 {
            write!(
                script,
                "CREATE TABLE t{number} (id integer PRIMARY KEY, a text, b integer REFERENCES t{number}); \
                 CREATE INDEX ON t{number} (lower(a)); CREATE VIEW v{number} AS SELECT a FROM t{number};"
            )
            .expect("written");
        }
        sample.run(&script).await;
        let many = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(many.database.relations().count(), 400);
        assert_eq!(many.report.statements, few.report.statements);
        assert_eq!(many.report.statements, 11);
        let stages: Vec<&str> = many.report.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(
            stages,
            [
                "begin",
                "database",
                "relations",
                "columns",
                "constraints",
                "indexes",
                "triggers",
                "sequences",
                "types",
                "routines",
                "end"
            ]
        );
    });
}

/// Written down on the way to the server, so that it does not matter what the inspector says of itself.
#[test]
fn nothing_but_reads_is_sent() {
    testkit::run(async {
        let sample = Sample::new().await;
        let (connection, proxy) = overheard(&sample).await;
        let before = proxy.heard().len();
        let found = Inspectors::builtin()
            .inspect(&*connection, &InspectOptions::default(), &RequestContext::system())
            .await
            .expect("it is inspected");
        let statements = statements(&proxy.heard()[before..]);
        assert_eq!(statements.len(), usize::try_from(found.report.statements).expect("few"), "{statements:#?}");
        for statement in &statements {
            let bare = statement.lines().find(|line| !line.starts_with("--")).unwrap_or_default();
            let reads = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "ROLLBACK", "SELECT", "WITH locked AS"];
            assert!(reads.iter().any(|beginning| bare.starts_with(beginning)), "{statement}");
            assert!(!statement.contains("nextval") && !statement.contains("setval"), "{statement}");
        }
    });
}

#[test]
fn a_stamp_takes_one_statement() {
    testkit::run(async {
        let sample = Sample::new().await;
        let (connection, proxy) = overheard(&sample).await;
        let before = proxy.heard().len();
        let stamp = Inspectors::builtin()
            .stamp(&*connection, &InspectOptions::default(), &RequestContext::system())
            .await
            .expect("it is told");
        assert!(stamp.is_some());
        let statements = statements(&proxy.heard()[before..]);
        assert_eq!(statements.len(), 1, "{statements:#?}");
        assert!(statements[0].starts_with("WITH"), "{statements:#?}");
    });
}

/// A connection with one session, and what goes past on its way to the server.
async fn overheard(sample: &Sample) -> (Arc<dyn DatabaseConnection>, Proxy) {
    let mut settings = sample.database.settings().with_pool(PoolSettings::sized(1, 1));
    let upstream = format!("{}:{}", settings.host.clone().expect("a host"), settings.port.expect("a port"));
    let proxy = Proxy::start(upstream).await.expect("a port");
    settings = settings.with_host("127.0.0.1").with_port(proxy.port());
    settings.tls.mode = TlsMode::Disabled;
    let connection = testkit::connect(settings).await.expect("connected");
    // The pool's one session is open, and what was said for that is said.
    connection.ping(&RequestContext::system()).await.expect("a sign of life");
    (connection, proxy)
}

/// The texts in a stream of messages of the frontend: those of `Query` and of `Parse` (protocol 3.0, *Message Formats*).
fn statements(mut said: &[u8]) -> Vec<String> {
    let mut statements = Vec::new();
    while let [kind, a, b, c, d, ..] = *said {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("a length");
        let (message, rest) = said.split_at(1 + length);
        let body = &message[5..];
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.split(|byte| *byte == 0).next().expect("a part").to_vec()).expect("UTF-8")
        };
        match kind {
            b'Q' => statements.push(text(body)),
            b'P' => {
                let name = body.iter().position(|byte| *byte == 0).expect("a name");
                statements.push(text(&body[name + 1..]));
            }
            _ => {}
        }
        said = rest;
    }
    assert!(said.is_empty(), "a message was cut off");
    statements
}
