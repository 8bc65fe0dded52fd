//! `/api/v1/books`: one endpoint a file.

pub(crate) mod create;
pub(crate) mod delete;
mod errors;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod read;
pub(crate) mod replace;
pub(crate) mod statistics;
pub(crate) mod wire;

use std::sync::Arc;

use actix_web::http::Method;
use book_context::application::{CreateBook, DeleteBook, ListBooks, PatchBook, ReadBook, ReadStatistics, ReplaceBook};
use book_context::domain::BookRepository;
use shared_kernel::{Clock, IdGenerator};

use super::resource::Resource;

const COLLECTION: &str = "/api/v1/books";
const STATISTICS: &str = "/api/v1/books/statistics";
const ITEM: &str = "/api/v1/books/{id}";

/// The use cases behind the endpoints.
#[derive(Debug, Clone)]
pub struct Books {
    pub(crate) create: CreateBook,
    pub(crate) read: ReadBook,
    pub(crate) list: ListBooks,
    pub(crate) replace: ReplaceBook,
    pub(crate) patch: PatchBook,
    pub(crate) delete: DeleteBook,
    pub(crate) statistics: ReadStatistics,
}

impl Books {
    /// The use cases over their ports.
    pub fn new(books: &Arc<dyn BookRepository>, clock: &Arc<dyn Clock>, ids: &Arc<dyn IdGenerator>) -> Self {
        Self {
            create: CreateBook::new(books.clone(), clock.clone(), ids.clone()),
            read: ReadBook::new(books.clone()),
            list: ListBooks::new(books.clone()),
            replace: ReplaceBook::new(books.clone(), clock.clone()),
            patch: PatchBook::new(books.clone(), clock.clone()),
            delete: DeleteBook::new(books.clone()),
            statistics: ReadStatistics::new(books.clone()),
        }
    }
}

/// The resources of this module. The statistics come first: their path would be an item's otherwise.
pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::at(COLLECTION).get(list::list_books).on(Method::POST, create::create_book),
        Resource::at(STATISTICS).get(statistics::book_statistics),
        Resource::at(ITEM)
            .get(read::read_book)
            .on(Method::PUT, replace::replace_book)
            .on(Method::PATCH, patch::patch_book)
            .on(Method::DELETE, delete::delete_book),
    ]
}
