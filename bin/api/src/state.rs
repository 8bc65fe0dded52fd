//! What every request needs to be at hand.

use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use connection_manager::ConnectionManager;
use shared_kernel::{Clock, IdGenerator};

use crate::rest::{AllowedHosts, Cors, Limits};

/// Shared by all workers; handed to the middleware and to the endpoints that ask for it.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) limits: Limits,
    pub(crate) hosts: AllowedHosts,
    pub(crate) cors: Cors,
    /// The header, if any, that answers depend on besides the host name and the path.
    pub(crate) vary: Option<HeaderValue>,
    /// Tells after a change how far the databases have come that were written to.
    pub(crate) manager: ConnectionManager,
}
