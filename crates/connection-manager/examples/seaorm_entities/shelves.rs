use std::error::Error;

use connection_manager::sea_orm::on;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, TransactionSession, TransactionTrait};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seaorm_shelf")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) places: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What SeaORM reads in the end, and how many rows the kernel's own statement counts.
pub(crate) async fn arrange(connection: &dyn DatabaseConnection) -> Result<(Vec<Model>, i64), Box<dyn Error>> {
    let context = RequestContext::system();
    let sql = connection.sql()?;
    sql.run_script("DROP TABLE IF EXISTS seaorm_shelf", &context).await?;
    let table =
        "CREATE TABLE seaorm_shelf (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL, places INTEGER NOT NULL)";
    sql.run_script(table, &context).await?;

    // Entities on the pool.
    let orm = on(connection, &context)?;
    for (id, name) in [(1, "north"), (2, "south")] {
        ActiveModel { id: Set(id), name: Set(name.to_owned()), places: Set(10) }.insert(&orm).await?;
    }

    // A transaction that is committed, and one nested in it that is dropped and so undone.
    let transaction = orm.begin().await?;
    let north = Entity::find_by_id(1).one(&transaction).await?.ok_or("the northern shelf is gone")?;
    ActiveModel { places: Set(12), ..north.into() }.update(&transaction).await?;
    let nested = transaction.begin().await?;
    Entity::delete_many().exec(&nested).await?;
    drop(nested);
    transaction.commit().await?;

    // One that is dropped whole.
    let transaction = orm.begin().await?;
    Entity::delete_many().exec(&transaction).await?;
    drop(transaction);

    // And one in a callback.
    orm.transaction::<_, (), DbErr>(|transaction| {
        Box::pin(async move {
            let west = ActiveModel { id: Set(3), name: Set("west".to_owned()), places: Set(5) };
            west.insert(transaction).await.map(drop)
        })
    })
    .await?;

    let shelves = Entity::find().filter(Column::Places.gte(10)).order_by_asc(Column::Id).all(&orm).await?;
    let count = RawStatement::everywhere("SELECT", "SELECT COUNT(*) AS shelves FROM seaorm_shelf");
    let counted = match sql.query_one(&count.into(), &context).await? {
        Some(row) => row.get("shelves")?,
        None => 0,
    };
    sql.run_script("DROP TABLE seaorm_shelf", &context).await?;
    Ok((shelves, counted))
}
