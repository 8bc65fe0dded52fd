use registry_context::domain::{AuditAction, AuditEntry, AuditLog as _, ConnectionId};
use registry_context::infrastructure::SqlAuditLog;
use sea_query::{Order, Query};
use shared_kernel::database::{Access, Row};
use shared_kernel::{Clock as _, IdGenerator as _, SystemIdGenerator};
use testkit::Server;

use crate::fixture::Fixture;

async fn entries_are_kept_as_they_were_made(server: Server) {
    let fixture = Fixture::new(server).await;
    let log = SqlAuditLog::new(fixture.connections.clone(), "registry");
    let entry = |action, actor: Option<&str>, connection| AuditEntry {
        id: SystemIdGenerator.next(),
        occurred_at: fixture.clock.now(),
        actor: actor.map(str::to_owned),
        action,
        connection,
        outcome: "ok",
        status: 200,
        duration_ms: u64::MAX,
        trace_id: "0".repeat(32),
        calls: 3,
    };
    let id = ConnectionId::new(uuid::Uuid::from_u128(7));
    for entry in [entry(AuditAction::Read, Some("ann"), Some(id)), entry(AuditAction::List, None, None)] {
        log.append(&entry, &fixture.context).await.expect("it is kept");
    }
    let columns = ["actor", "action", "connection_id", "outcome", "status", "duration_ms", "trace_id", "calls"];
    let select = Query::select().columns(columns).from("connection_audit").order_by("id", Order::Asc).to_owned();
    let connection = fixture.connections.get("registry", Access::Read, &fixture.context).await.expect("connected");
    let rows = connection.sql().expect("SQL").query(&select.into(), &fixture.context).await.expect("the rows");
    let text = |row: &Row, column: &str| row.get::<Option<String>>(column).expect("a text");
    let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((text(first, "actor").as_deref(), text(first, "action").as_deref()), (Some("ann"), Some("read")));
    assert_eq!(first.get::<Option<uuid::Uuid>>("connection_id").expect("an id"), Some(id.uuid()));
    assert_eq!(first.get::<i64>("duration_ms").expect("a number"), i64::MAX);
    assert_eq!((first.get::<i64>("calls").expect("a number"), first.get::<i32>("status").expect("a number")), (3, 200));
    assert_eq!((text(second, "actor"), text(second, "action").as_deref()), (None, Some("list")));
    assert_eq!(second.get::<Option<uuid::Uuid>>("connection_id").expect("no id"), None);
}

testkit::on_every_engine!(entries_are_kept_as_they_were_made);
