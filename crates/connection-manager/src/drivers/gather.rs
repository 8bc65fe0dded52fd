use futures_util::TryStreamExt as _;
use sqlx::Row as _;

use crate::egress::Room;

/// The rows of one result; of a server that may answer with so many bytes, as many as there is room for.
pub(super) async fn gather<'c, C, D, Q>(connection: C, query: Q, answer: Option<usize>) -> sqlx::Result<Vec<D::Row>>
where
    C: sqlx::Executor<'c, Database = D>,
    D: sqlx::Database,
    Q: sqlx::Execute<'c, D> + 'c,
{
    let Some(answer) = answer else { return connection.fetch_all(query).await };
    let mut room = Room::new(answer);
    let mut coming = connection.fetch(query);
    let mut rows = Vec::new();
    while let Some(row) = coming.try_next().await? {
        room.row(row.len())?;
        rows.push(row);
    }
    Ok(rows)
}
