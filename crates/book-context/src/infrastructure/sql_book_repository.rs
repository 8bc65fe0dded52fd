use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError, SqlConnection, TransactionMode};
use shared_kernel::idempotency::{Receipt, ReceiptTable, StoreError, Stored, store};
use shared_kernel::paging::Page;
use shared_kernel::{RequestContext, Version};

use super::{authors, rows, statements, statistics};
use crate::domain::{
    AddBookError, Book, BookId, BookList, BookRepository, BookStatistics, StatisticsGroup, UpdateBookError,
};

/// Books in the tables `books` and `book_authors` of a SQL database.
///
/// The only unique key of `books` beside the primary key is the ISBN, so that every unique violation is a taken ISBN:
/// engines do not agree on whether and how they tell a constraint's name.
#[derive(Clone)]
pub struct SqlBookRepository {
    connections: Arc<dyn Connections>,
    connection: Arc<str>,
}

impl SqlBookRepository {
    /// Where the receipts of creations are kept, for whoever sweeps them.
    pub const RECEIPTS: ReceiptTable = ReceiptTable::named("book_receipts");

    /// A repository over the connection of the given name.
    pub fn new(connections: Arc<dyn Connections>, connection: &str) -> Self {
        Self { connections, connection: connection.into() }
    }

    async fn connection(
        &self,
        access: Access,
        context: &RequestContext,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        self.connections.get(&self.connection, access, context).await
    }

    async fn read(&self, id: BookId, access: Access, context: &RequestContext) -> Result<Option<Book>, DatabaseError> {
        let connection = self.connection(access, context).await?;
        let sql = connection.sql()?;
        let row = sql.query_one(&statements::select_by_id(id, sql.dialect()), context).await?;
        row.as_ref().map(rows::book).transpose()
    }
}

#[async_trait]
impl BookRepository for SqlBookRepository {
    async fn find(&self, id: BookId, context: &RequestContext) -> Result<Option<Book>, DatabaseError> {
        self.read(id, Access::Read, context).await
    }

    async fn load(&self, id: BookId, context: &RequestContext) -> Result<Option<Book>, DatabaseError> {
        self.read(id, Access::Write, context).await
    }

    async fn list(&self, list: &BookList, context: &RequestContext) -> Result<Page<Book>, DatabaseError> {
        let connection = self.connection(Access::Read, context).await?;
        let sql = connection.sql()?;
        let dialect = sql.dialect();
        let select = statements::select_list(&list.filter, dialect);
        let rows = statements::keyset(list).read(sql, &select, list.after.as_ref(), list.limit, context).await?;
        Page::cut(rows, list.limit, |last| rows::position(last, list.sort, dialect)).try_map(|row| rows::book(&row))
    }

    async fn statistics(&self, context: &RequestContext) -> Result<BookStatistics, DatabaseError> {
        let connection = self.connection(Access::Read, context).await?;
        let rows = connection.sql()?.query(&statistics::statement(), context).await?;
        let groups = rows.iter().map(statistics::group).collect::<Result<Vec<StatisticsGroup>, _>>()?;
        Ok(BookStatistics::of(groups))
    }

    async fn add(
        &self,
        book: &Book,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddBookError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        let dialect = sql.dialect();
        let rows = [statements::insert(book, dialect), authors::insert(book, dialect)];
        let receipt = receipt.map(|receipt| (Self::RECEIPTS, receipt));
        store(sql, receipt, &rows, context).await.map_err(|error| match error {
            StoreError::Database(error) if error.is_unique_violation() => AddBookError::IsbnTaken,
            StoreError::Database(error) => error.into(),
            StoreError::Idempotency(error) => error.into(),
        })
    }

    async fn update(&self, book: &Book, expected: Version, context: &RequestContext) -> Result<bool, UpdateBookError> {
        let connection = self.connection(Access::Write, context).await?;
        match update(connection.sql()?, book, expected, context).await {
            Ok(written) => Ok(written),
            Err(error) if error.is_unique_violation() => Err(UpdateBookError::IsbnTaken),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, id: BookId, expected: Version, context: &RequestContext) -> Result<bool, DatabaseError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        Ok(sql.execute(&statements::delete(id, expected, sql.dialect()), context).await? > 0)
    }
}

/// The book first: its row is locked from then on, and nobody else replaces its authors meanwhile.
async fn update(
    sql: &dyn SqlConnection,
    book: &Book,
    expected: Version,
    context: &RequestContext,
) -> Result<bool, DatabaseError> {
    let dialect = sql.dialect();
    let transaction = sql.begin(TransactionMode::ReadWrite, context).await?;
    if transaction.execute(&statements::update(book, expected, dialect), context).await? == 0 {
        transaction.rollback(context).await?;
        return Ok(false);
    }
    transaction.execute(&authors::delete(book.id(), dialect), context).await?;
    transaction.execute(&authors::insert(book, dialect), context).await?;
    transaction.commit(context).await?;
    Ok(true)
}

impl fmt::Debug for SqlBookRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlBookRepository").field("connection", &self.connection).finish_non_exhaustive()
    }
}
