use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{EXPORT, PathIds};
use crate::registry::Exports;
use crate::rest::accept;
use crate::rest::connections::StoredConnections;
use crate::rest::connections::errors::unreadable;
use crate::rest::connections::export::{SchemaFile, Source, exporter};
use crate::rest::etag::IfNoneMatch;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Export a snapshot
///
/// As `exportConnectionSchema` has it, of what was kept. No database is asked but the registry's own.
#[utoipa::path(
    get,
    path = EXPORT,
    operation_id = "exportSnapshot",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("snapshot" = uuid::Uuid, Path, description = "Which of its snapshots"),
        ("format" = String, Query, description = "`json`, `sql`, `mermaid`, `dbml`, `plantuml`, `dot`, `markdown` or `svg`",
            pattern = "^[a-z0-9-]+$", example = "sql"),
    ),
    responses(
        (status = 200, description = "The file", content(
                (String = "application/json"), (String = "application/sql"), (String = "text/vnd.mermaid"),
                (String = "text/x-dbml"), (String = "text/x-plantuml"), (String = "text/vnd.graphviz"),
                (String = "text/markdown"), (String = "image/svg+xml")),
            headers(("ETag" = String, description = "The entity tag of the schema in this format, weak"),
                ("Content-Disposition" = String, description = "The name of the file"),
                ("Bindery-Omissions" = u64, description = "How many things could not be written"))),
        (status = 304, description = "The schema is the one that the caller has"),
        (status = 406, description = "The caller does not accept the format's media type",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The file would be too large",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn export_snapshot(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    ids: PathIds,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request, &["format"]);
    let exporter = exporter(&mut query, &connections.exports);
    query.finish()?;
    let exporter = exporter.ok_or_else(Problem::internal)?;
    accept::check(request.headers(), &[exporter.media_type()])?;
    let read = &connections.snapshots.read;
    let snapshot = read.facts(ids.connection, ids.snapshot, &scope.0).await?;
    let file = SchemaFile::new(Source::Snapshot, &exporter, &connections.exports, &snapshot.record().engine)?
        .of_model(&snapshot.record().fingerprint)
        .named(&format!("snapshot {}", snapshot.id()));
    if known.has_content(&file.digest) {
        return Ok(file.head(HttpResponse::NotModified()).finish());
    }
    let (_, document) = read.execute(ids.connection, ids.snapshot, &scope.0).await?;
    let write = move |found: schema_model::Inspection| Exports::write(&*exporter, &found.database);
    let written = connections.schemas.documents.unpacked(document, write).await.map_err(|error| unreadable(&error))?;
    Ok(file.whole(file.head(HttpResponse::Ok()), written.map_err(|failure| file.problem(failure))?))
}
