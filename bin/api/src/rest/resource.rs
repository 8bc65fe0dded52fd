//! Resources and their methods: the one table from which routes, `Allow` headers and the OpenAPI test are made.

use actix_web::guard;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Handler, HttpResponse, Responder, Route};

use super::audit;
use super::problem::{Problem, ProblemKind};
use crate::telemetry::metrics::Route as MeasuredRoute;

/// One path and what can be done with it.
pub struct Resource {
    path: &'static str,
    routes: Vec<(Method, Route)>,
    audited: bool,
}

impl Resource {
    /// A resource without methods; `path` is a template such as `/api/v1/users/{id}`.
    pub(crate) fn at(path: &'static str) -> Self {
        Self { path, routes: Vec::new(), audited: false }
    }

    /// Adds `GET`, which answers `HEAD` too.
    pub(crate) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(Method::GET, web::route().guard(guard::Any(guard::Get()).or(guard::Head())), handler)
    }

    /// Adds any other method.
    pub(crate) fn on<F, Args>(self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let route = web::method(method.clone());
        self.with(method, route, handler)
    }

    /// Has every call written down in the registry's audit log, those that are refused as well.
    pub(crate) fn audited(mut self) -> Self {
        self.audited = true;
        self
    }

    fn with<F, Args>(mut self, method: Method, route: Route, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.routes.push((method, route.to(handler)));
        self
    }

    /// The path's template.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The methods that were added; `HEAD` and `OPTIONS` come along with them.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().map(|(method, _)| method)
    }

    fn allow(&self) -> String {
        let mut names: Vec<&str> = self.methods().map(Method::as_str).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.join(", ")
    }

    /// Registers the routes, `OPTIONS`, and 405 with `Allow` for all other methods.
    pub(crate) fn register(self, config: &mut ServiceConfig) {
        let allow = HeaderValue::from_str(&self.allow()).unwrap_or(HeaderValue::from_static("OPTIONS"));
        let mut resource = web::resource(self.path).app_data(MeasuredRoute::new(self.path));
        for (_, route) in self.routes {
            resource = resource.route(route);
        }
        let allowed = allow.clone();
        let options = web::method(Method::OPTIONS).to(move || {
            let response = HttpResponse::NoContent().insert_header((header::ALLOW, allowed.clone())).finish();
            std::future::ready(response)
        });
        let refuse = web::route().to(move || {
            let problem = Problem::new(ProblemKind::MethodNotAllowed, "the methods are in the `Allow` header")
                .with_header(header::ALLOW, allow.clone());
            std::future::ready(Err::<HttpResponse, Problem>(problem))
        });
        let resource = resource.route(options).default_service(refuse);
        if self.audited {
            config.service(resource.wrap(from_fn(audit::audit)));
        } else {
            config.service(resource);
        }
    }
}

/// The answer for every path that is no resource.
pub(crate) async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("resource"))
}
