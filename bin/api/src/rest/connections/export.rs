use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use registry_context::domain::ConnectionId;
use schema_export::Exporter;

use super::schema_query::{SchemaParams, SchemaQuery};
use super::{EXPORT, StoredConnections};
use crate::registry::{ExportFailure, Exports, Written};
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, content_tag};
use crate::rest::file_name::attachment;
use crate::rest::id::PathId;
use crate::rest::problem::{Fault, Problem, ProblemKind};
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// How many things are in the database and not in the file, which says so in their places where it can.
const OMISSIONS: &str = "bindery-omissions";

/// An SVG has its own styles; there is nothing else that it may load or do, even where a browser shows it by itself.
const SVG_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'; sandbox";

/// Export a connection's schema
///
/// As a file: SQL that makes the database anew, a picture, a diagram for another tool, a data dictionary, or the model itself. It is
/// made of what `readConnectionSchema` shows, and kept as long. Views are in no diagram, and parts of a table are the table.
/// `sql` is written for PostgreSQL, MySQL, MariaDB, SQLite and SQL Server; for the last one it is batches that end with a line of `GO`.
#[utoipa::path(
    get,
    path = EXPORT,
    operation_id = "exportConnectionSchema",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("format" = String, Query, description = "`json`, `sql`, `mermaid`, `dbml`, `plantuml`, `dot`, `markdown` or `svg`",
            pattern = "^[a-z0-9-]+$", example = "svg"),
        SchemaParams
    ),
    responses(
        (status = 200, description = "The file", content(
                (String = "application/json"), (String = "application/sql"), (String = "text/vnd.mermaid"),
                (String = "text/x-dbml"), (String = "text/x-plantuml"), (String = "text/vnd.graphviz"),
                (String = "text/markdown"), (String = "image/svg+xml")),
            headers(("ETag" = String, description = "The entity tag of the schema in this format, weak"),
                ("Age" = u64, description = "Seconds"),
                ("Content-Disposition" = String, description = "The name of the file"),
                ("Bindery-Omissions" = u64, description = "How many things could not be written"))),
        (status = 304, description = "The schema is the one that the caller has"),
        (status = 406, description = "The caller does not accept the format's media type",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The connection cannot be used as it is, its engine cannot be looked at, or the file would be \
                too large",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn export_schema(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request, &SchemaQuery::parameters(&["format"]));
    let exporter = exporter(&mut query, &connections.exports);
    let wanted = SchemaQuery::take(&mut query);
    query.finish()?;
    let exporter = exporter.ok_or_else(Problem::internal)?;
    accept::check(request.headers(), &[exporter.media_type()])?;
    let connection = connections.read.execute(id.0, &scope.0).await?;
    let (anew, part) = (wanted.anew, wanted.part(connection.definition(), &connections)?);
    let kept = connections.schemas.read(id.0, connection.version(), part, anew, &scope.0).await?;
    let file = SchemaFile::new(Source::Database, &exporter, &connections.exports, &kept.inspection.database.engine)?
        .of_model(&kept.fingerprint.to_string())
        .named(connection.definition().name.as_str());
    let age = (header::AGE, connections.schemas.age(&kept).to_string());
    if known.has_content(&file.digest) {
        return Ok(file.head(HttpResponse::NotModified()).insert_header(age).finish());
    }
    let made = connections.schemas.documents.apart(move || Exports::write(&*exporter, &kept.inspection.database));
    let written = made.await.ok_or_else(Problem::internal)?.map_err(|failure| file.problem(failure))?;
    let mut response = file.head(HttpResponse::Ok());
    response.insert_header(age);
    Ok(file.whole(response, written))
}

/// Who writes the format that is asked for.
pub(super) fn exporter(query: &mut Query, exports: &Exports) -> Option<Arc<dyn Exporter>> {
    let formats = || exports.formats().join(", ");
    if query.get("format").is_none() {
        query.fault("format", "required", &format!("`format` is required: one of {}", formats()));
    }
    query.with("format", "unknown_format", |format| {
        exports.exporter(format).ok_or_else(|| format!("the formats are {}", formats()))
    })
}

/// A file in the making: what is known of it before it is written.
pub(super) struct SchemaFile {
    format: String,
    media_type: String,
    extension: String,
    /// The formats that the engine's databases are written in.
    formats: String,
    edition: String,
    pub(super) digest: String,
    name: String,
    source: Source,
}

impl SchemaFile {
    /// A file in a format.
    ///
    /// # Errors
    /// `invalid-query` where databases of the engine are not written in it.
    pub(super) fn new(
        source: Source,
        exporter: &Arc<dyn Exporter>,
        exports: &Exports,
        engine: &str,
    ) -> Result<Self, Problem> {
        let (format, media_type) = (exporter.format().to_owned(), exporter.media_type());
        let formats = exports.formats_for(engine);
        let is_known = formats.contains(&format.as_str());
        let file = Self {
            // XML says by itself how it is encoded, and JSON is UTF-8.
            media_type: if media_type.ends_with("json") || media_type.ends_with("xml") {
                media_type.to_owned()
            } else {
                format!("{media_type}; charset=utf-8")
            },
            extension: exporter.file_extension().to_owned(),
            formats: formats.join(", "),
            edition: exporter.edition().to_owned(),
            digest: String::new(),
            name: String::new(),
            source,
            format,
        };
        if is_known { Ok(file) } else { Err(file.problem(ExportFailure::NotForEngine(engine.to_owned()))) }
    }

    /// Of the model of this fingerprint. Another edition of the exporter may write the same model differently.
    pub(super) fn of_model(self, fingerprint: &str) -> Self {
        Self { digest: format!("{fingerprint}-{}-{}", self.format, self.edition), ..self }
    }

    /// Called so, whatever letters are in it.
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: format!("{name}.{}", self.extension), ..self }
    }

    pub(super) fn head(&self, mut response: HttpResponseBuilder) -> HttpResponseBuilder {
        response.insert_header((header::ETAG, content_tag(&self.digest)));
        response
    }

    pub(super) fn whole(&self, mut response: HttpResponseBuilder, written: Written) -> HttpResponse {
        response.insert_header((header::CONTENT_DISPOSITION, attachment(&self.name)));
        response.insert_header((OMISSIONS, written.omissions.len().to_string()));
        if self.media_type.starts_with("image/svg") {
            response.insert_header((header::CONTENT_SECURITY_POLICY, SVG_POLICY));
        }
        response.content_type(self.media_type.as_str()).body(written.text)
    }

    pub(super) fn problem(&self, failure: ExportFailure) -> Problem {
        match failure {
            ExportFailure::NotForEngine(engine) => {
                let message =
                    format!("`{}` is not written for databases of `{engine}`; there are {}", self.format, self.formats);
                Problem::invalid_query(vec![Fault::parameter("format", "not_for_engine", message)])
            }
            failure => self.source.not_made(&failure),
        }
    }
}

/// What a schema is of, and with it what else could be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A database, which can be looked at in parts.
    Database,
    /// A snapshot, which is as large as it was taken.
    Snapshot,
}

impl Source {
    /// Why nothing was made of a schema, whatever was asked for.
    pub(super) fn not_made(self, failure: &ExportFailure) -> Problem {
        match (failure, self) {
            (ExportFailure::TooLarge, Self::Database) => Problem::new(
                ProblemKind::LimitReached,
                format!("{failure}; ask for a part of the database, with `schema`"),
            ),
            (ExportFailure::TooLarge, Self::Snapshot) => Problem::new(
                ProblemKind::LimitReached,
                format!("{failure}; a snapshot of a part of the database is smaller, and is taken with `schema`"),
            ),
            (ExportFailure::NotForEngine(_) | ExportFailure::Failed(_), _) => {
                let cause = crate::telemetry::chain(failure);
                tracing::error!(event = "registry.export_failed", error = %cause, "a schema could not be exported");
                Problem::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_of_a_parameter_that_is_not_there() {
        let told = |source: Source| source.not_made(&ExportFailure::TooLarge).detail().to_owned();
        assert_eq!(
            told(Source::Database),
            "it would be larger than 64 MiB; ask for a part of the database, with `schema`"
        );
        assert_eq!(
            told(Source::Snapshot),
            "it would be larger than 64 MiB; a snapshot of a part of the database is smaller, and is taken with `schema`"
        );
    }
}
