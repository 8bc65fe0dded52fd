use std::sync::Arc;

use book_context::application::CreateBookError;
use book_context::domain::{Book, BookDetails};
use shared_kernel::idempotency::{Creation, IdempotencyError, Idempotent};
use testkit::Server;

use crate::fixture::{Fixture, authors, book};

async fn create(fixture: &Fixture, details: BookDetails, digest: u8) -> Result<Creation<Book>, CreateBookError> {
    let key = "a-key".parse().expect("a key");
    let wish = Idempotent { key, digest: [digest; 32], render: &answer };
    fixture.create_book().execute(details, Some(&wish), &fixture.context).await
}

fn answer(book: &Book) -> Vec<u8> {
    book.id().to_string().into_bytes()
}

async fn of_many_twins_one_creates_and_all_agree(server: Server) {
    let fixture = Arc::new(Fixture::new(server).await);
    let mut twins = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let fixture = fixture.clone();
        let details = BookDetails { authors: authors(&["A", "B"]), ..book(1, "Twin") };
        twins.spawn(async move { create(&fixture, details, 1).await });
    }
    let mut created = Vec::new();
    let mut replayed = Vec::new();
    for outcome in twins.join_all().await {
        match outcome.expect("every twin has an answer") {
            Creation::Created(book) => created.push(answer(&book)),
            Creation::Replayed(answer) => replayed.push(answer),
        }
    }
    assert_eq!((created.len(), replayed.len()), (1, 5));
    assert!(replayed.iter().all(|answer| *answer == created[0]));
    assert_eq!((fixture.count("books").await, fixture.count("book_authors").await), (1, 2));
}

async fn a_refused_creation_leaves_no_receipt(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture.create(book(1, "First")).await;
    let refused = create(&fixture, book(1, "Same ISBN"), 1).await;
    assert!(matches!(refused, Err(CreateBookError::IsbnTaken)), "{refused:?}");
    assert_eq!((fixture.count("book_receipts").await, fixture.count("book_authors").await), (0, 1));
    create(&fixture, book(2, "Another"), 2).await.expect("the key is free");
    let refused = create(&fixture, book(3, "Another still"), 3).await;
    assert!(matches!(refused, Err(CreateBookError::Idempotency(IdempotencyError::Mismatch))), "{refused:?}");
}

testkit::on_every_engine!(of_many_twins_one_creates_and_all_agree, a_refused_creation_leaves_no_receipt);
