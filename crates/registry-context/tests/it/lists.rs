use registry_context::application::ListConnections;
use registry_context::domain::{ConnectionFilter, ConnectionList, ConnectionSort, GivenSecrets, LabelFilter};
use shared_kernel::database::Engine;
use shared_kernel::paging::{Direction, Limit};
use shared_kernel::text::SearchTerm;
use testkit::Server;

use crate::fixture::{Fixture, definition, labels};

/// The names of all pages of a list, one after the other.
async fn names(fixture: &Fixture, mut list: ConnectionList) -> Vec<String> {
    let use_case = ListConnections::new(fixture.repository.clone());
    let mut names = Vec::new();
    loop {
        let page = use_case.execute(&list, &fixture.context).await.expect("the list is read");
        assert!(page.items.len() <= usize::from(list.limit.get()));
        names.extend(page.items.iter().map(|connection| connection.definition().name.to_string()));
        match page.next {
            Some(position) => list.after = Some(position),
            None => return names,
        }
    }
}

fn filtered(filter: ConnectionFilter) -> ConnectionList {
    ConnectionList { filter, ..ConnectionList::default() }
}

async fn a_few(fixture: &Fixture) {
    for (name, engine, pairs) in [
        ("beta", Engine::POSTGRES, &[("team", "sales"), ("stage", "prod")][..]),
        ("Alpha", Engine::MYSQL, &[("team", "Sales")]),
        ("\u{e9}psilon 100%", Engine::MYSQL, &[("team", "sales"), ("stage", "")]),
        ("Gamma [1]", Engine::POSTGRES, &[]),
        ("\u{1f600}", Engine::POSTGRES, &[("stage", "prod")]),
    ] {
        let mut definition = definition(name);
        definition.engine = engine;
        definition.labels = labels(pairs);
        fixture.store(definition, GivenSecrets::default()).await;
        fixture.clock.advance(std::time::Duration::from_micros(1));
    }
}

async fn lists_are_in_order_page_by_page(server: Server) {
    let fixture = Fixture::new(server).await;
    a_few(&fixture).await;
    let by_name = ["Alpha", "beta", "Gamma [1]", "\u{e9}psilon 100%", "\u{1f600}"];
    let by_age = ["beta", "Alpha", "\u{e9}psilon 100%", "Gamma [1]", "\u{1f600}"];
    for limit in [1, 2, 200] {
        let limit = Limit::try_new(limit).expect("a limit");
        for (sort, expected) in
            [(ConnectionSort::Name, by_name), (ConnectionSort::CreatedAt, by_age), (ConnectionSort::UpdatedAt, by_age)]
        {
            let list = ConnectionList { sort, limit, ..ConnectionList::default() };
            assert_eq!(names(&fixture, list.clone()).await, expected);
            let descending = ConnectionList { direction: Direction::Descending, ..list };
            let reversed: Vec<&str> = expected.into_iter().rev().collect();
            assert_eq!(names(&fixture, descending).await, reversed);
        }
    }
}

async fn filters_leave_what_fits(server: Server) {
    let fixture = Fixture::new(server).await;
    a_few(&fixture).await;
    let q = |text: &str| filtered(ConnectionFilter { q: SearchTerm::parse(text).ok(), ..ConnectionFilter::default() });
    assert_eq!(names(&fixture, q("ETA")).await, ["beta"]);
    assert_eq!(names(&fixture, q("00%")).await, ["\u{e9}psilon 100%"]);
    assert_eq!(names(&fixture, q("[1")).await, ["Gamma [1]"]);
    assert_eq!(names(&fixture, q("\u{1f600}")).await, ["\u{1f600}"]);
    assert_eq!(names(&fixture, q("%")).await, ["\u{e9}psilon 100%"]);
    let label = |text: &str| ConnectionFilter { label: LabelFilter::parse(text).ok(), ..ConnectionFilter::default() };
    assert_eq!(names(&fixture, filtered(label("team"))).await, ["Alpha", "beta", "\u{e9}psilon 100%"]);
    assert_eq!(names(&fixture, filtered(label("team=sales"))).await, ["beta", "\u{e9}psilon 100%"]);
    assert_eq!(names(&fixture, filtered(label("stage="))).await, ["\u{e9}psilon 100%"]);
    let none: [&str; 0] = [];
    assert_eq!(names(&fixture, filtered(label("team=sales "))).await, ["beta", "\u{e9}psilon 100%"], "it is trimmed");
    assert_eq!(names(&fixture, filtered(label("nobody"))).await, none);
    let mysql = ConnectionFilter { engine: Some(Engine::MYSQL), ..label("team=sales") };
    assert_eq!(names(&fixture, filtered(mysql)).await, ["\u{e9}psilon 100%"]);
}

async fn labels_that_were_changed_are_found_as_they_are(server: Server) {
    let fixture = Fixture::new(server).await;
    let mut sales = definition("Sales");
    sales.labels = labels(&[("team", "sales"), ("stage", "prod")]);
    let stored = fixture.store(sales, GivenSecrets::default()).await;
    let label =
        |text: &str| filtered(ConnectionFilter { label: LabelFilter::parse(text).ok(), ..ConnectionFilter::default() });
    let new = labels(&[("team", "people")]);
    let stored = fixture.change(&stored, GivenSecrets::default(), |definition| definition.labels = new).await;
    assert_eq!(fixture.stored(stored.id()).await.as_ref(), Some(&stored));
    assert_eq!(names(&fixture, label("team=people")).await, ["Sales"]);
    for gone in ["team=sales", "stage"] {
        assert!(names(&fixture, label(gone)).await.is_empty(), "{gone}");
    }
    let stored = fixture.change(&stored, GivenSecrets::default(), |definition| definition.labels = labels(&[])).await;
    assert!(names(&fixture, label("team")).await.is_empty());
    let removed = fixture.repository.remove(stored.id(), stored.version(), &fixture.context).await;
    assert!(removed.expect("the database answers"));
}

testkit::on_every_engine!(
    lists_are_in_order_page_by_page,
    filters_leave_what_fits,
    labels_that_were_changed_are_found_as_they_are,
);
