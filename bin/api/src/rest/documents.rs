//! The API's description for programs and for people: `/openapi.json`, `/docs`, `/redoc` and the pages of `/problems`, and the
//! index at `/` that leads to them.
//!
//! Everything that a browser needs comes out of this binary.

use std::sync::Arc;

use actix_web::http::header::{self, ContentType, HeaderValue};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::accept;
use super::problem::{Problem, ProblemKind};
use super::query::Query;
use super::resource::Resource;
use crate::registry::Exports;

/// Scripts and styles of our own origin; Swagger UI sets styles from its script and shows images from `data:`.
const SWAGGER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// As above; ReDoc also searches in a worker that it makes from a `blob:`.
const REDOC_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; worker-src blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const REDOC_SCRIPT: &[u8] = include_bytes!("../../assets/redoc/redoc.standalone.js");
const REDOC_PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Bindery API reference</title>
  <style>body { margin: 0; }</style>
</head>
<body>
  <redoc spec-url="/openapi.json"></redoc>
  <script src="/redoc/redoc.standalone.js"></script>
</body>
</html>
"#;

/// The description as it is served: made once, when the application is built.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    json: Bytes,
    tag: HeaderValue,
}

impl Description {
    /// The description of this binary's API.
    pub(crate) fn new(exports: &Exports) -> Self {
        let json = Bytes::from(super::openapi::document_text_with(exports));
        let tag = content_tag(&json);
        Self { json, tag }
    }
}

/// The resources of this module.
pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/").get(index),
        Resource::at("/openapi.json").get(openapi),
        Resource::at("/docs").get(to_swagger),
        Resource::at("/docs/{file:.*}").get(swagger),
        Resource::at("/redoc").get(redoc),
        Resource::at("/redoc/redoc.standalone.js").get(redoc_script),
    ]
}

/// The pages behind the type URIs of problems; they stay when the documentation is switched off.
pub(crate) fn problem_pages() -> Resource {
    Resource::at("/problems/{kind}").get(explain_problem)
}

/// Where everything is, for whoever begins at the root.
#[derive(Debug, Serialize)]
struct Index {
    service: &'static str,
    links: Links,
}

#[derive(Debug, Serialize)]
struct Links {
    documentation: &'static str,
    reference: &'static str,
    openapi: &'static str,
    health: &'static str,
}

const INDEX: Index = Index {
    service: "Bindery",
    links: Links { documentation: "/docs/", reference: "/redoc", openapi: "/openapi.json", health: "/health" },
};

/// Who would rather have HTML is a browser, and is led to the pages for people.
async fn index(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let vary = (header::VARY, "accept");
    if accept::prefers(request.headers(), "text/html", "application/json") {
        let location = (header::LOCATION, INDEX.links.documentation);
        return Ok(HttpResponse::Found().insert_header(location).insert_header(vary).finish());
    }
    accept::json(&request)?;
    Ok(HttpResponse::Ok().insert_header(vary).json(INDEX))
}

async fn openapi(request: HttpRequest, description: Data<Description>) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    Ok(asset(&request, description.json.clone(), "application/json", &description.tag, None))
}

async fn to_swagger() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn swagger(request: HttpRequest, file: Path<String>) -> Result<HttpResponse, Problem> {
    let config = utoipa_swagger_ui::Config::from("/openapi.json").validator_url("none");
    match utoipa_swagger_ui::serve(&file, Arc::new(config)) {
        Ok(Some(found)) => {
            let bytes = Bytes::from(found.bytes.into_owned());
            let tag = content_tag(&bytes);
            Ok(asset(&request, bytes, &found.content_type, &tag, Some(SWAGGER_POLICY)))
        }
        Ok(None) => Err(Problem::not_found("page")),
        Err(error) => {
            tracing::error!(event = "docs.failed", error = %error, "a page of the documentation cannot be made");
            Err(Problem::internal())
        }
    }
}

async fn redoc(request: HttpRequest) -> HttpResponse {
    let bytes = Bytes::from_static(REDOC_PAGE.as_bytes());
    let tag = content_tag(&bytes);
    asset(&request, bytes, ContentType::html().0.as_ref(), &tag, Some(REDOC_POLICY))
}

async fn redoc_script(request: HttpRequest) -> HttpResponse {
    static TAG: std::sync::OnceLock<HeaderValue> = std::sync::OnceLock::new();
    let tag = TAG.get_or_init(|| content_tag(REDOC_SCRIPT));
    asset(&request, Bytes::from_static(REDOC_SCRIPT), "text/javascript; charset=utf-8", tag, None)
}

/// A file with its tag: a browser that has it gets 304.
fn asset(
    request: &HttpRequest,
    bytes: Bytes,
    content_type: &str,
    tag: &HeaderValue,
    policy: Option<HeaderValue>,
) -> HttpResponse {
    let known = request.headers().get_all(header::IF_NONE_MATCH).any(|line| {
        line.to_str().is_ok_and(|line| line.split(',').any(|item| item.trim().trim_start_matches("W/") == *tag))
    });
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag.clone()));
    if let Some(policy) = policy {
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    }
    if known { response.finish() } else { response.content_type(content_type).body(bytes) }
}

fn content_tag(bytes: &[u8]) -> HeaderValue {
    let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12]);
    HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// What a kind of problem means.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemPage {
    /// The type URI that problems of this kind carry.
    #[schema(format = "uri-reference", example = "/problems/validation")]
    r#type: String,
    /// The kind in words.
    #[schema(example = "The content breaks rules")]
    title: &'static str,
    /// The status code that goes with it.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    status: u16,
    /// What to do about it.
    #[schema(example = "Correct every value in `errors`; all faults are listed at once.")]
    remedy: &'static str,
}

/// The kinds by the last segment of their type URIs.
struct Slug;

impl PartialSchema for Slug {
    fn schema() -> RefOr<Schema> {
        let slugs = ProblemKind::ALL.map(ProblemKind::slug);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(slugs)).examples(["validation"]).into()
    }
}

impl ToSchema for Slug {}

/// Explain a kind of problem
///
/// The `type` of every error of this service points here.
#[utoipa::path(
    get,
    path = "/problems/{kind}",
    operation_id = "explainProblem",
    tag = "Operation",
    params(("kind" = inline(Slug), Path, description = "The last segment of a problem's `type`")),
    responses((status = 200, description = "What the kind means", body = ProblemPage)),
)]
pub(crate) async fn explain_problem(request: HttpRequest, kind: Path<String>) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let kind = ProblemKind::ALL.into_iter().find(|known| known.slug() == kind.as_str());
    let kind = kind.ok_or_else(|| Problem::not_found("kind of problem"))?;
    Ok(HttpResponse::Ok().json(ProblemPage {
        r#type: kind.type_uri(),
        title: kind.title(),
        status: kind.status().as_u16(),
        remedy: kind.remedy(),
    }))
}
