//! The table `book_authors`: one row an author, only there to find books by author through an index. What a book shows
//! of its authors stands in `books.authors`, so that no read needs a join.

use sea_query::{Expr, ExprTrait, Query, SelectStatement};
use shared_kernel::database::{Dialect, Statement, text_key, uuid_key};
use shared_kernel::text::fold_key;

use crate::domain::{AuthorName, Book, BookId};

const TABLE: &str = "book_authors";
const BOOK_ID: &str = "book_id";
const POSITION: &str = "position";
const NAME_KEY: &str = "name_key";

pub(super) fn insert(book: &Book, dialect: Dialect) -> Statement {
    let mut insert = Query::insert().into_table(TABLE).columns([BOOK_ID, POSITION, NAME_KEY]).to_owned();
    for (position, name) in (1_i16..).zip(&book.details().authors) {
        insert.values_panic([
            Expr::from(uuid_key(dialect, book.id().uuid())),
            position.into(),
            text_key(dialect, &fold_key(name.as_str())).into(),
        ]);
    }
    insert.into()
}

pub(super) fn delete(id: BookId, dialect: Dialect) -> Statement {
    Query::delete().from_table(TABLE).and_where(Expr::col(BOOK_ID).eq(uuid_key(dialect, id.uuid()))).to_owned().into()
}

/// The ids of the books that an author of this name has a part in.
pub(super) fn books_by(author: &AuthorName, dialect: Dialect) -> SelectStatement {
    Query::select()
        .column(BOOK_ID)
        .from(TABLE)
        .and_where(Expr::col(NAME_KEY).eq(text_key(dialect, &fold_key(author.as_str()))))
        .to_owned()
}
