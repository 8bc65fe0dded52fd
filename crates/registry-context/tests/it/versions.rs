use registry_context::application::{
    ChangeConnectionError, DeleteConnection, DeleteConnectionCommand, DeleteConnectionError, ReplaceConnectionCommand,
};
use registry_context::domain::{ConnectionId, GivenSecrets, StoredConnection};
use shared_kernel::validation::Violations;
use testkit::Server;

use crate::fixture::{Fixture, definition, labels, password};

fn replacement(stored: &StoredConnection, name: &str) -> ReplaceConnectionCommand {
    let mut definition = definition(name);
    definition.labels = labels(&[("writer", name)]);
    ReplaceConnectionCommand {
        id: stored.id(),
        expected: stored.version(),
        definition,
        secrets: GivenSecrets::default(),
        found: Violations::new(),
    }
}

async fn of_two_writers_exactly_one_wins(server: Server) {
    let fixture = Fixture::new(server).await;
    let replace = fixture.replace();
    let mut stored = fixture.store(definition("Sales"), password("canary")).await;
    for round in 0..10 {
        let (one, other) = tokio::join!(
            replace.execute(replacement(&stored, &format!("One {round}")), &fixture.context),
            replace.execute(replacement(&stored, &format!("Other {round}")), &fixture.context),
        );
        let (winner, loser) = if one.is_ok() { (one, other) } else { (other, one) };
        let winner = winner.expect("one of them wins");
        let is_conflict = |error: &ChangeConnectionError| {
            matches!(error, ChangeConnectionError::Stale { .. }) || matches!(error, ChangeConnectionError::Database(_))
        };
        assert!(loser.as_ref().is_err_and(is_conflict), "{loser:?}");
        assert_eq!(fixture.stored(stored.id()).await.as_ref(), Some(&winner));
        stored = winner;
    }
}

async fn versions_tell_of_changes_and_deletions(server: Server) {
    let fixture = Fixture::new(server).await;
    let one = fixture.store(definition("One"), GivenSecrets::default()).await;
    let two = fixture.store(definition("Two"), GivenSecrets::default()).await;
    let absent = ConnectionId::new(uuid::Uuid::from_u128(7));
    let versions = async |ids: &[ConnectionId]| {
        let mut versions = fixture.repository.versions(ids, &fixture.context).await.expect("the database answers");
        versions.sort_unstable();
        versions
    };
    assert_eq!(versions(&[]).await, []);
    let ids = [one.id(), absent, two.id()];
    assert_eq!(versions(&ids).await, [(one.id(), one.version()), (two.id(), two.version())]);
    let one = fixture.change(&one, password("x"), |_| {}).await;
    let delete = DeleteConnection::new(fixture.repository.clone());
    let stale = DeleteConnectionCommand { id: one.id(), expected: two.version() };
    let refused = delete.execute(stale, &fixture.context).await;
    assert!(matches!(refused, Err(DeleteConnectionError::Stale { .. })), "{refused:?}");
    let command = DeleteConnectionCommand { id: two.id(), expected: two.version() };
    delete.execute(command, &fixture.context).await.expect("deleted");
    assert_eq!(versions(&ids).await, [(one.id(), one.version())]);
}

testkit::on_every_engine!(of_two_writers_exactly_one_wins, versions_tell_of_changes_and_deletions);
