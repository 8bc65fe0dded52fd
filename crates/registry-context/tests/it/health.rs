use registry_context::domain::{
    ConnectionHealth, ConnectionId, HealthRepository as _, ProbeFacts, ProbeFault, ProbeReport, ProbeStage, StageResult,
};
use registry_context::infrastructure::SqlHealthRepository;
use shared_kernel::Clock as _;
use testkit::Server;

use crate::fixture::{Fixture, definition, password};

fn report(fault: Option<ProbeFault>) -> ProbeReport {
    ProbeReport {
        stages: vec![
            StageResult { stage: ProbeStage::Policy, fault: None, duration_ms: Some(0) },
            StageResult { stage: ProbeStage::Tcp, fault, duration_ms: None },
        ],
        facts: ProbeFacts {
            server_version: Some("17.2 \u{1F600}".to_owned()),
            can_read: Some(true),
            can_write: Some(false),
            ..ProbeFacts::default()
        },
        duration_ms: 1_234,
    }
}

async fn the_last_result_is_kept_until_the_connection_goes(server: Server) {
    let fixture = Fixture::new(server).await;
    let repository = SqlHealthRepository::new(fixture.connections.clone(), "registry");
    let stored = fixture.store(definition("Sales"), password("secret")).await;
    let other = fixture.store(definition("Other"), password("secret")).await;
    let health = |id, fault| ConnectionHealth {
        connection: id,
        version: stored.version(),
        tested_at: fixture.clock.now(),
        report: report(fault),
    };
    let last = async |id| repository.last(id, &fixture.context).await.expect("the database answers");
    assert_eq!(last(stored.id()).await, None);
    for fault in [None, Some(ProbeFault::Unreachable), None] {
        let health = health(stored.id(), fault);
        assert!(repository.keep(&health, &fixture.context).await.expect("kept"));
        assert_eq!(last(stored.id()).await, Some(health));
    }
    assert_eq!(last(other.id()).await, None);
    let of_each = async |ids: &[ConnectionId]| repository.last_of_each(ids, &fixture.context).await.expect("read");
    assert_eq!(of_each(&[other.id(), stored.id()]).await, [health(stored.id(), None)]);
    assert_eq!((of_each(&[other.id()]).await, of_each(&[]).await), (Vec::new(), Vec::new()));
    let removed = fixture.repository.remove(stored.id(), stored.version(), &fixture.context).await;
    assert!(removed.expect("the database answers"));
    assert_eq!(last(stored.id()).await, None);
    for id in [stored.id(), ConnectionId::new(uuid::Uuid::from_u128(7))] {
        let kept = repository.keep(&health(id, None), &fixture.context).await.expect("the database answers");
        assert!(!kept, "nothing is kept of what is not there");
    }
}

testkit::on_every_engine!(the_last_result_is_kept_until_the_connection_goes);
