use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use sqlx::Row as _;

use crate::egress::Room;

/// The rows of one result; of a server that may answer with so many bytes, as many as there is room for.
pub(super) fn gather<'c, C, D, Q>(
    connection: C,
    query: Q,
    answer: Option<usize>,
) -> BoxFuture<'c, sqlx::Result<Vec<D::Row>>>
where
    C: sqlx::Executor<'c, Database = D>,
    D: sqlx::Database,
    Q: sqlx::Execute<'c, D> + 'c,
{
    let Some(answer) = answer else { return connection.fetch_all(query) };
    let mut coming = connection.fetch(query);
    Box::pin(async move {
        let mut room = Room::new(answer);
        let mut rows = Vec::new();
        while let Some(row) = coming.try_next().await? {
            room.row(row.len())?;
            rows.push(row);
        }
        Ok(rows)
    })
}
