use std::fmt::Write as _;
use std::sync::Arc;

use connection_manager::egress::EgressConfig;
use connection_manager::{ConnectionSettings, PoolSettings, TlsMode};
use schema_inspect::{InspectOptions, Inspectors, Look};
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

/// As the service looks, on a session that only reads because somebody from outside has said where it leads.
#[test]
fn a_look_at_what_has_not_changed_asks_one_question() {
    testkit::run(async {
        let sample = Sample::new().await;
        let guarded = |settings: ConnectionSettings| settings.with_egress(EgressConfig::open().egress([]));
        for guard in [std::convert::identity, guarded as fn(ConnectionSettings) -> ConnectionSettings] {
            let (connection, proxy) = overheard_by(&sample, guard).await;
            let (inspectors, options, context) =
                (Inspectors::builtin(), InspectOptions::default(), RequestContext::system());
            let before = proxy.heard().len();
            let look = inspectors.look(&*connection, &options, None, &context).await.expect("it is looked at");
            let Look::Found { inspection, stamp } = look else { panic!("nothing was known: {look:?}") };
            let sent = statements(&proxy.heard()[before..]);
            assert_eq!((sent.len(), inspection.report.statements), (12, 12), "{sent:#?}");
            // Another session, as what one has prepared is not sent again.
            let (connection, proxy) = overheard_by(&sample, guard).await;
            let before = proxy.heard().len();
            let look = inspectors.look(&*connection, &options, stamp, &context).await.expect("it is looked at");
            let Look::Unchanged(report) = look else { panic!("nothing has changed: {look:?}") };
            let sent = statements(&proxy.heard()[before..]);
            assert_eq!((sent.len(), report.statements), (3, 3), "{sent:#?}");
            assert!(sent[1].starts_with("WITH"), "{sent:#?}");
        }
    });
}

/// A connection with one session, and what goes past on its way to the server.
async fn overheard(sample: &Sample) -> (Arc<dyn DatabaseConnection>, Proxy) {
    overheard_by(sample, std::convert::identity).await
}

async fn overheard_by(
    sample: &Sample,
    further: impl FnOnce(ConnectionSettings) -> ConnectionSettings,
) -> (Arc<dyn DatabaseConnection>, Proxy) {
    let mut settings = sample.database.settings().with_pool(PoolSettings::sized(1, 1));
    let upstream = format!("{}:{}", settings.host.clone().expect("a host"), settings.port.expect("a port"));
    let proxy = Proxy::start(upstream).await.expect("a port");
    settings = settings.with_host("127.0.0.1").with_port(proxy.port());
    settings.tls.mode = TlsMode::Disabled;
    let connection = testkit::connect(further(settings)).await.expect("connected");
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
