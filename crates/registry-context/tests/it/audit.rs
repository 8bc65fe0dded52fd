use chrono::{DateTime, TimeDelta, Utc};
use registry_context::application::{ListAudit, PruneAudit};
use registry_context::domain::{
    AuditAction, AuditEntry, AuditFilter, AuditList, AuditLog as _, AuditRecord, ConnectionId,
};
use registry_context::infrastructure::SqlAuditLog;
use shared_kernel::paging::{Direction, Limit};
use shared_kernel::{Clock as _, IdGenerator as _, SystemIdGenerator};
use std::sync::Arc;
use std::time::Duration;
use testkit::Server;

use crate::fixture::Fixture;

fn entry(action: AuditAction, actor: Option<&str>, connection: Option<ConnectionId>, at: DateTime<Utc>) -> AuditEntry {
    AuditEntry {
        id: SystemIdGenerator.next(),
        occurred_at: at,
        actor: actor.map(str::to_owned),
        action,
        connection,
        outcome: "ok",
        status: 200,
        duration_ms: u64::MAX,
        trace_id: "0".repeat(32),
        calls: 3,
    }
}

fn id() -> ConnectionId {
    ConnectionId::new(uuid::Uuid::from_u128(7))
}

async fn entries_are_kept_as_they_were_made(server: Server) {
    let fixture = Fixture::new(server).await;
    let log = Arc::new(SqlAuditLog::new(fixture.connections.clone(), "registry"));
    let now = fixture.clock.now();
    let entries = [
        entry(AuditAction::Read, Some("ann"), Some(id()), now),
        entry(AuditAction::List, None, None, now + TimeDelta::microseconds(1)),
    ];
    for entry in &entries {
        log.append(entry, &fixture.context).await.expect("it is kept");
    }
    let page = ListAudit::new(log).execute(&AuditList::default(), &fixture.context).await.expect("a page");
    let expected = entries.map(|entry| AuditRecord {
        id: entry.id,
        occurred_at: entry.occurred_at,
        actor: entry.actor,
        action: entry.action.as_str().to_owned(),
        connection: entry.connection,
        outcome: "ok".to_owned(),
        status: 200,
        // No engine has unsigned numbers of 64 bits.
        duration_ms: i64::MAX.unsigned_abs(),
        trace_id: entry.trace_id,
        calls: 3,
    });
    assert_eq!(page.items, expected);
    assert_eq!(page.next, None);
}

async fn entries_are_found_by_who_what_which_and_when(server: Server) {
    let fixture = Fixture::new(server).await;
    let log = Arc::new(SqlAuditLog::new(fixture.connections.clone(), "registry"));
    let now = fixture.clock.now();
    let at = |second: i64| now + TimeDelta::seconds(second);
    let failed = AuditEntry { outcome: "not-found", ..entry(AuditAction::Read, Some("bob"), Some(id()), at(2)) };
    // The last two are of the same instant: the id tells them apart.
    let entries = [
        entry(AuditAction::List, Some("ann"), None, at(0)),
        entry(AuditAction::Read, Some("ann"), Some(id()), at(1)),
        failed,
        entry(AuditAction::Delete, Some("ann"), Some(id()), at(3)),
        entry(AuditAction::Other, None, None, at(3)),
    ];
    for entry in &entries {
        log.append(entry, &fixture.context).await.expect("it is kept");
    }
    let list = ListAudit::new(log);
    let found = async |filter: AuditFilter| {
        let list_of = AuditList { filter, ..AuditList::default() };
        let page = list.execute(&list_of, &fixture.context).await.expect("a page");
        let place = |record: &AuditRecord| entries.iter().position(|entry| entry.id == record.id).expect("one of them");
        page.items.iter().map(place).collect::<Vec<_>>()
    };
    let none = AuditFilter::default;
    assert_eq!(found(AuditFilter { actor: Some("ann".to_owned()), ..none() }).await, [0, 1, 3]);
    assert_eq!(found(AuditFilter { action: Some(AuditAction::Read), ..none() }).await, [1, 2]);
    assert_eq!(found(AuditFilter { connection: Some(id()), ..none() }).await, [1, 2, 3]);
    assert_eq!(found(AuditFilter { outcome: Some("not-found".to_owned()), ..none() }).await, [2]);
    assert_eq!(found(AuditFilter { from: Some(at(1)), before: Some(at(3)), ..none() }).await, [1, 2]);
    let of_ann = AuditFilter { actor: Some("ann".to_owned()), connection: Some(id()), ..none() };
    assert_eq!(found(AuditFilter { from: Some(at(2)), ..of_ann }).await, [3]);

    for direction in [Direction::Ascending, Direction::Descending] {
        let (mut after, mut pages) = (None, Vec::new());
        loop {
            let limit = Limit::try_new(2).expect("a limit");
            let list_of = AuditList { direction, after, limit, ..AuditList::default() };
            let page = list.execute(&list_of, &fixture.context).await.expect("a page");
            pages.extend(page.items.into_iter().map(|record| record.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        if direction == Direction::Descending {
            expected.reverse();
        }
        assert_eq!(pages, expected);
    }
}

async fn what_was_kept_long_enough_goes_and_nothing_else(server: Server) {
    let fixture = Fixture::new(server).await;
    let log = Arc::new(SqlAuditLog::new(fixture.connections.clone(), "registry"));
    let (now, day) = (fixture.clock.now(), TimeDelta::days(1));
    for at in [now - day - TimeDelta::microseconds(1), now - day, now] {
        log.append(&entry(AuditAction::Read, Some("ann"), None, at), &fixture.context).await.expect("it is kept");
    }
    let keep = Duration::from_hours(24);
    let prune = PruneAudit::new(log.clone(), log.clone(), fixture.clock.clone(), Arc::new(SystemIdGenerator), keep);
    assert_eq!(prune.execute(&fixture.context).await.expect("pruned"), 1);
    assert_eq!(prune.execute(&fixture.context).await.expect("pruned"), 0, "nothing more is old enough");
    let page = ListAudit::new(log).execute(&AuditList::default(), &fixture.context).await.expect("a page");
    let told: Vec<_> = page
        .items
        .iter()
        .map(|record| (record.occurred_at, record.action.as_str(), record.actor.as_deref(), record.calls))
        .collect();
    let (ann, service) = (Some("ann"), Some(PruneAudit::ACTOR));
    // Equal instants are in the order of ids, and the one about the deletion was written last.
    assert_eq!(told, [(now - day, "read", ann, 3), (now, "read", ann, 3), (now, "prune", service, 1)]);
}

testkit::on_every_engine!(
    entries_are_kept_as_they_were_made,
    entries_are_found_by_who_what_which_and_when,
    what_was_kept_long_enough_goes_and_nothing_else,
);
