use std::time::Instant;

use connection_manager::{PoolSettings, TlsMode};
use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Column, Database, Inspection, PartTarget, ReferentialAction, Relation, SortDirection};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement, Statement};
use testkit::Server;

use crate::figures::{Facts, Figures};
use crate::made::Made;
use crate::{Failure, processor};

/// Reads the schema over a pool of one connection, which is open beforehand.
pub(crate) async fn read(made: &Made, port: Option<u16>) -> Result<Figures, Failure> {
    let mut settings = made.database.settings().with_pool(PoolSettings::sized(1, 1));
    if let Some(port) = port {
        settings = settings.with_host("127.0.0.1").with_port(port);
        settings.tls.mode = TlsMode::Disabled;
    }
    let connection = testkit::connect(settings).await?;
    let thread = thread(&*connection, made.database.server()).await?;
    let (inspectors, context) = (Inspectors::builtin(), RequestContext::system());
    let mut options = InspectOptions::default();
    if made.database.server() == Server::MariaDb {
        // A server's databases are its namespaces, and the peers are asked for one.
        options = options.only([made.database.name()]);
    }
    let computed = || thread.and_then(processor::of);
    let (before, began) = (computed(), Instant::now());
    let found = inspectors.inspect(&*connection, &options, &context).await?;
    let (seconds, after) = (began.elapsed().as_secs_f64(), computed());
    Ok(Figures {
        statements: found.report.statements.into(),
        seconds,
        processor: before.zip(after).map(|(before, after)| after - before),
        facts: facts(&found),
    })
}

/// The server's thread that answers this connection.
async fn thread(connection: &dyn DatabaseConnection, server: Server) -> Result<Option<u64>, Failure> {
    let text = match server {
        Server::Postgres => "SELECT pg_backend_pid()::int8",
        Server::MariaDb => "SELECT CAST(TID AS SIGNED) FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()",
        _ => return Ok(None),
    };
    let statement: Statement = RawStatement::everywhere("SELECT", text).into();
    let row = connection.sql()?.query_one(&statement, &RequestContext::system()).await?;
    Ok(row.ok_or("the server does not say")?.get::<i64>(0)?.try_into().ok())
}

fn facts(found: &Inspection) -> Facts {
    let count = |of: &dyn Fn(&Relation) -> usize| relations(&found.database).map(of).sum();
    Facts {
        columns: count(&|relation| relation.columns.iter().filter(|column| is_right(column)).count()),
        primary_keys: count(&|relation| {
            usize::from(relation.primary_key.as_ref().is_some_and(|key| key.columns == ["id"]))
        }),
        foreign_keys: count(&|relation| {
            let cascading = |key: &&schema_model::ForeignKey| key.on_delete == ReferentialAction::Cascade;
            relation.foreign_keys.iter().filter(cascading).count()
        }),
        unique: count(&|relation| relation.unique.iter().filter(|key| key.columns == ["code"]).count()),
        checks: count(&|relation| {
            let amount =
                |check: &&schema_model::Check| check.expression.known().is_some_and(|text| text.contains("amount"));
            relation.checks.iter().filter(amount).count()
        }),
        descending: count(&|relation| {
            relation
                .indexes
                .iter()
                .flat_map(|index| &index.parts)
                .filter(|part| part.direction == Some(SortDirection::Descending))
                .count()
        }),
        partial_values: count(&|relation| {
            let partial = |part: &&schema_model::IndexPart| {
                part.prefix_length.is_some() || matches!(part.target, PartTarget::Expression(_))
            };
            relation.indexes.iter().flat_map(|index| &index.parts).filter(partial).count()
        }),
        conditions: count(&|relation| relation.indexes.iter().filter(|index| index.predicate.is_some()).count()),
        comments: count(&|relation| usize::from(relation.comment.is_some())),
    }
}

fn relations(database: &Database) -> impl Iterator<Item = &Relation> {
    database.namespaces.iter().flat_map(|namespace| &namespace.relations)
}

/// Of the right name, and NULL where it may be.
fn is_right(column: &Column) -> bool {
    match column.name.as_str() {
        "id" | "code" | "name" | "amount" | "made" | "flag" => !column.nullable,
        "parent" | "note" | "body" | "position" => column.nullable,
        _ => false,
    }
}
