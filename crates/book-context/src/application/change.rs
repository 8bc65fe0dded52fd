use shared_kernel::database::DatabaseError;
use shared_kernel::validation::Violations;
use shared_kernel::{RequestContext, Version};

use crate::domain::{Book, BookId, BookRepository, UpdateBookError};

/// Why a book was not changed; the same for replacing and patching.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeBookError {
    /// There is no book of this id.
    #[error("there is no book {0}")]
    NotFound(BookId),
    /// The book was written since the caller read it.
    #[error("book {id} is no longer at version {expected}")]
    Stale {
        /// Which book.
        id: BookId,
        /// The version that the caller knew.
        expected: Version,
    },
    /// The book would break a rule, which only shows together with its present details.
    #[error("the change does not fit the book: {0}")]
    Invalid(Violations),
    /// Another book has the ISBN.
    #[error("the ISBN is taken")]
    IsbnTaken,
    /// The database failed.
    #[error("the book could not be changed")]
    Database(#[from] DatabaseError),
}

impl From<UpdateBookError> for ChangeBookError {
    fn from(error: UpdateBookError) -> Self {
        match error {
            UpdateBookError::IsbnTaken => Self::IsbnTaken,
            UpdateBookError::Database(error) => Self::Database(error),
        }
    }
}

/// Loads the book at the version the caller knows, lets `change` change it, and writes it when it did.
pub(super) async fn change_book(
    books: &dyn BookRepository,
    id: BookId,
    expected: Version,
    change: impl FnOnce(&mut Book) -> Result<bool, Violations> + Send,
    context: &RequestContext,
) -> Result<Book, ChangeBookError> {
    let mut book = books.load(id, context).await?.ok_or(ChangeBookError::NotFound(id))?;
    if book.version() != expected {
        return Err(ChangeBookError::Stale { id, expected });
    }
    let changed = change(&mut book).map_err(ChangeBookError::Invalid)?;
    if !changed || books.update(&book, expected, context).await? {
        return Ok(book);
    }
    // Somebody wrote between the two statements: it matters to the caller whether there is still a book to read.
    match books.load(id, context).await? {
        Some(_) => Err(ChangeBookError::Stale { id, expected }),
        None => Err(ChangeBookError::NotFound(id)),
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::Clock;
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, Fault, ISBN, OTHER_ISBN, details};
    use crate::application::{PatchBook, PatchBookCommand, ReplaceBook, ReplaceBookCommand};
    use crate::domain::{BookChanges, Change, Isbn, PriceChange, Title};

    fn rename(book: &Book) -> PatchBookCommand {
        let title = Some(Title::parse("Renamed").expect("a title"));
        let changes = BookChanges { title, ..BookChanges::default() };
        PatchBookCommand { id: book.id(), expected: book.version(), changes }
    }

    fn patch_book(bench: &Bench) -> PatchBook {
        PatchBook::new(bench.books.clone(), bench.clock.clone())
    }

    #[tokio::test]
    async fn a_patch_changes_what_it_names() {
        let bench = Bench::default();
        let first = bench.first().await;
        bench.clock.advance(std::time::Duration::from_secs(1));
        let patched = patch_book(&bench).execute(rename(&first), &bench.context).await.expect("patched");
        assert_eq!(patched.details(), &details(ISBN, "Renamed"));
        assert_eq!((patched.version().get(), patched.updated_at()), (2, bench.clock.now()));
        assert_eq!(bench.books.load(first.id(), &bench.context).await.expect("a book"), Some(patched));
        assert_eq!(format!("{:?}", patch_book(&bench)), "PatchBook { .. }");
    }

    #[tokio::test]
    async fn a_replacement_that_changes_nothing_is_not_written() {
        let bench = Bench::default();
        let first = bench.first().await;
        let replace = ReplaceBook::new(bench.books.clone(), bench.clock.clone());
        let (id, expected) = (first.id(), first.version());
        // Whoever wrote would meet the one who overtook.
        bench.books.fail_with(Fault::Overtaken);
        let command = ReplaceBookCommand { id, expected, details: first.details().clone() };
        assert_eq!(replace.execute(command, &bench.context).await.expect("nothing to do"), first);
        let command = ReplaceBookCommand { id, expected, details: details(ISBN, "Late") };
        let overtaken = replace.execute(command, &bench.context).await;
        assert!(matches!(overtaken, Err(ChangeBookError::Stale { .. })), "{overtaken:?}");
        assert_eq!(format!("{replace:?}"), "ReplaceBook { .. }");
    }

    #[tokio::test]
    async fn whoever_comes_second_is_told_whether_there_is_something_left_to_read() {
        let bench = Bench::default();
        let first = bench.first().await;
        let patch = patch_book(&bench);
        bench.books.fail_with(Fault::Overtaken);
        let overtaken = patch.execute(rename(&first), &bench.context).await;
        assert!(matches!(overtaken, Err(ChangeBookError::Stale { id, .. }) if id == first.id()), "{overtaken:?}");
        let stale = patch.execute(rename(&first), &bench.context).await;
        assert!(matches!(stale, Err(ChangeBookError::Stale { expected, .. }) if expected == first.version()));
        let now = bench.books.load(first.id(), &bench.context).await.expect("a book").expect("it is there");
        bench.books.fail_with(Fault::Deleted);
        let deleted = patch.execute(rename(&now), &bench.context).await;
        assert!(matches!(deleted, Err(ChangeBookError::NotFound(id)) if id == first.id()), "{deleted:?}");
    }

    #[tokio::test]
    async fn refusals_say_what_stands_in_the_way() {
        let bench = Bench::default();
        let first = bench.first().await;
        let patch = patch_book(&bench);
        bench.create_book().execute(details(OTHER_ISBN, "Other"), None, &bench.context).await.expect("free");
        let changes = BookChanges { isbn: Isbn::parse(OTHER_ISBN).ok(), ..BookChanges::default() };
        let taken = patch.execute(PatchBookCommand { changes, ..rename(&first) }, &bench.context).await;
        assert!(matches!(taken, Err(ChangeBookError::IsbnTaken)), "{taken:?}");
        let changes = BookChanges { price: Change::Set(PriceChange::default()), ..BookChanges::default() };
        let invalid = patch.execute(PatchBookCommand { changes, ..rename(&first) }, &bench.context).await;
        assert!(matches!(&invalid, Err(ChangeBookError::Invalid(faults)) if faults.iter().count() == 2), "{invalid:?}");
        let absent = PatchBookCommand { id: BookId::new(Uuid::nil()), ..rename(&first) };
        let absent = patch.execute(absent, &bench.context).await;
        assert!(matches!(absent, Err(ChangeBookError::NotFound(_))), "{absent:?}");
        bench.books.fail_with(Fault::Away);
        let away = patch.execute(rename(&first), &bench.context).await;
        assert!(matches!(&away, Err(ChangeBookError::Database(error)) if error.is_unavailable()), "{away:?}");
        let cause = bench.books.load(first.id(), &bench.context).await.expect_err("away");
        let away = ChangeBookError::from(UpdateBookError::from(cause));
        assert_eq!(away.to_string(), "the book could not be changed");
    }
}
