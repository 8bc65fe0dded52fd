use book_context::application::{ChangeBookError, DeleteBook, DeleteBookCommand, DeleteBookError};
use book_context::domain::BookDetails;
use testkit::Server;

use crate::fixture::{Fixture, authors, book, replacement};

async fn of_two_writers_exactly_one_wins(server: Server) {
    let fixture = Fixture::new(server).await;
    let replace = fixture.replace_book();
    let mut current = fixture.create(book(1, "First")).await;
    for round in 0..10 {
        // Different numbers of authors: the winner's, all of them and nobody else's, must be left.
        let one = BookDetails { authors: authors(&["One", "Two"]), ..book(1, &format!("One {round}")) };
        let other = BookDetails { authors: authors(&["One", "Two", "Three"]), ..book(1, &format!("Other {round}")) };
        let (one, other) = tokio::join!(
            replace.execute(replacement(&current, one), &fixture.context),
            replace.execute(replacement(&current, other), &fixture.context),
        );
        let (winner, loser) = if one.is_ok() { (one, other) } else { (other, one) };
        let winner = winner.unwrap_or_else(|error| panic!("round {round}: nobody won: {error:?}, {loser:?}"));
        assert!(matches!(loser, Err(ChangeBookError::Stale { .. })), "round {round}: {loser:?}");
        assert_eq!(fixture.stored(&current).await, Some(winner.clone()));
        let rows = i64::try_from(winner.details().authors.as_slice().len()).expect("a few");
        assert_eq!(fixture.count("book_authors").await, rows);
        current = winner;
    }
}

async fn a_stale_writer_changes_nothing(server: Server) {
    let fixture = Fixture::new(server).await;
    let first = fixture.create(book(1, "First")).await;
    let second = replacement(&first, BookDetails { authors: authors(&["A", "B"]), ..book(1, "Second") });
    let second = fixture.replace_book().execute(second, &fixture.context).await.expect("replaced");
    let refused = fixture.replace_book().execute(replacement(&first, book(1, "Late")), &fixture.context).await;
    assert!(matches!(refused, Err(ChangeBookError::Stale { expected, .. }) if expected == first.version()));
    let delete = DeleteBook::new(fixture.books.clone());
    let command = DeleteBookCommand { id: first.id(), expected: first.version() };
    let refused = delete.execute(command, &fixture.context).await;
    assert!(matches!(refused, Err(DeleteBookError::Stale { .. })), "{refused:?}");
    assert_eq!((fixture.stored(&first).await, fixture.count("book_authors").await), (Some(second.clone()), 2));
    let command = DeleteBookCommand { expected: second.version(), ..command };
    delete.execute(command, &fixture.context).await.expect("deleted");
    let refused = delete.execute(command, &fixture.context).await;
    assert!(matches!(refused, Err(DeleteBookError::NotFound(id)) if id == first.id()), "{refused:?}");
    let refused = fixture.replace_book().execute(replacement(&second, book(1, "Late")), &fixture.context).await;
    assert!(matches!(refused, Err(ChangeBookError::NotFound(_))), "{refused:?}");
    assert_eq!(fixture.count("book_authors").await, 0);
}

testkit::on_every_engine!(of_two_writers_exactly_one_wins, a_stale_writer_changes_nothing);
