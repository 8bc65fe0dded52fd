use std::sync::Arc;

use registry_context::application::{ResealReport, ResealSecrets};
use registry_context::domain::{Given, GivenSecrets, Host, SecretsChange, SecretsWrite};
use shared_kernel::paging::Limit;
use testkit::Server;

use crate::fixture::{Fixture, Reversed, definition, password, password_of};

async fn secrets_are_kept_replaced_and_taken_away(server: Server) {
    let fixture = Fixture::new(server).await;
    let stored = fixture.store(definition("Sales"), password("one")).await;
    let kept = fixture.change(&stored, GivenSecrets::default(), |definition| definition.port = None).await;
    assert_eq!(password_of(&fixture.stored(kept.id()).await.expect("there")).as_deref(), Some("one"));
    let replaced = fixture.change(&kept, password("two"), |_| {}).await;
    assert_eq!(password_of(&fixture.stored(replaced.id()).await.expect("there")).as_deref(), Some("two"));
    let moved = fixture
        .change(&replaced, GivenSecrets::default(), |definition| definition.host = Host::parse("other.example").ok())
        .await;
    let read = fixture.stored(moved.id()).await.expect("there");
    assert_eq!((read.sealed(), read.held().password), (None, false));
    let given = fixture.change(&moved, password("three"), |_| {}).await;
    let removed = GivenSecrets { password: Given::Removed, ..GivenSecrets::default() };
    let removed = fixture.change(&given, removed, |_| {}).await;
    assert_eq!(fixture.stored(removed.id()).await, Some(removed));
}

async fn a_key_is_rotated_while_others_write(server: Server) {
    let fixture = Fixture::new(server).await;
    let mut stored = Vec::new();
    for number in 0..60 {
        stored.push(fixture.store(definition(&format!("Sales {number}")), password("canary")).await);
    }
    fixture.store(definition("Plain"), GivenSecrets::default()).await;
    let first = stored[0].clone();
    let reseal = ResealSecrets::new(fixture.repository.clone(), Arc::new(Reversed("two")));
    let report = reseal.execute(&fixture.context).await.expect("sealed anew");
    assert_eq!(report, ResealReport { resealed: 60, ..ResealReport::default() });
    for before in &stored {
        let now = fixture.stored(before.id()).await.expect("there");
        assert_eq!((now.version(), now.updated_at()), (before.version(), before.updated_at()));
        assert_eq!(now.sealed().map(|sealed| sealed.key_name.as_str()), Some("two"));
        assert_eq!(password_of(&now).as_deref(), Some("canary"));
    }
    // Whoever read before the rotation and changes nothing of the secrets does not put the old seal back.
    let mut late = first.clone();
    let mut renamed = late.definition().clone();
    renamed.name = definition("Late").name;
    assert!(late.replace(renamed, SecretsChange::Keep, first.updated_at()));
    let written = fixture.repository.update(&late, SecretsWrite::Leave, first.version(), &fixture.context).await;
    assert!(written.expect("the database answers"));
    let now = fixture.stored(late.id()).await.expect("there");
    assert_eq!(now.sealed().map(|sealed| sealed.key_name.as_str()), Some("two"));
    // One that was written meanwhile is not sealed anew out of what was there before.
    let sealed = first.sealed().expect("it has one");
    let over = fixture.repository.reseal(first.id(), first.version(), sealed, &fixture.context).await;
    assert!(!over.expect("the database answers"));
    let otherwise = fixture.repository.sealed_otherwise("two", None, Limit::default(), &fixture.context).await;
    assert_eq!(otherwise.expect("the database answers"), []);
}

testkit::on_every_engine!(secrets_are_kept_replaced_and_taken_away, a_key_is_rotated_while_others_write);
