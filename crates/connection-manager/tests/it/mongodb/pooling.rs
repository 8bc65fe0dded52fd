use super::*;

#[tokio::test]
async fn a_caller_who_leaves_frees_the_place_and_the_server() {
    let connection = open(shared().with_pool(sized(0, 1))).await;
    let caller = Arc::clone(&connection);
    let call = tokio::spawn(async move { run_for(caller.as_ref(), "admin", slow(60), &context()).await });
    eventually(SOON, || connection.stats().in_use == 1).await;
    call.abort();
    eventually(SOON, || connection.stats().in_use == 0).await;
    assert_serves(&connection).await;
}

#[tokio::test]
async fn the_server_is_told_how_long_somebody_waits() {
    let connection = open(shared()).await;
    let opened = connection.stats().opened_total;
    let (documents, collection) = (connection.documents().unwrap(), collection());
    for number in 0..40 {
        documents.insert_one(&collection, &Document::new().with("n", number), &context()).await.unwrap();
    }
    let limited = context().within(Duration::from_secs(20));
    let found = documents.find(&collection, &Find::default(), Bounds::documents(100), &limited).await.unwrap();
    assert_eq!(found.items.len(), 40);
    let outcome = documents.count(&collection, &Document::new(), &context().within(Duration::ZERO)).await;
    refused(outcome, &DatabaseErrorKind::Timeout);
    assert_eq!(connection.stats().opened_total, opened, "nothing was sent: the session is as good as before");
}

#[tokio::test]
async fn a_list_longer_than_an_answer_is_followed() {
    let connection = open(shared()).await;
    let (documents, collection) = (connection.documents().unwrap(), collection());
    let native = native(&connection);
    let work = |client: connection_manager::mongodb::driver_crate::Client| {
        let collection = &collection;
        async move {
            let numbers = (0..2_500).map(|number| doc! { "_id": number });
            let target = client.database(collection.database()).collection::<TheirDocument>(collection.name());
            target.insert_many(numbers).await.map(drop)
        }
    };
    native.with_client(work, &context()).await.unwrap();
    let all = documents.find(&collection, &Find::default(), Bounds::documents(5_000), &context()).await.unwrap();
    assert_eq!(all.items.len(), 2_500);
    let some = documents.find(&collection, &Find::default(), Bounds::documents(1_500), &context()).await.unwrap();
    assert_eq!(some.items.len(), 1_500);
    assert_eq!(documents.count(&collection, &Document::new(), &context()).await.unwrap(), 2_500);
}

#[tokio::test]
async fn a_pool_s_sessions_share_a_client_that_ends_with_them() {
    let pool = PoolSettings { idle_timeout: Some(Duration::from_millis(100)), ..sized(0, 8) };
    let connection = open(shared().with_pool(pool)).await;
    // Nobody gets his answer before all of them have a place.
    let (all_are_here, context) = (tokio::sync::Barrier::new(8), context());
    let native = native(&connection);
    let work = |client: connection_manager::mongodb::driver_crate::Client| {
        let all_are_here = &all_are_here;
        async move {
            all_are_here.wait().await;
            client.database("admin").run_command(doc! { "ping": 1 }).await
        }
    };
    let calls = (0..8).map(|_| native.with_client(work, &context));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert!(connection.stats().opened_total >= 8, "{:?}", connection.stats());
    // Idle sessions go, the client with the last of them; the next caller has a new one.
    eventually(SOON, || connection.stats().open == 0).await;
    assert_serves(&connection).await;
    let report = connection.close(SOON).await;
    assert_eq!(report.cut, 0);
    refused(connection.ping(&context).await, &DatabaseErrorKind::Closed);
}
