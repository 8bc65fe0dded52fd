use connection_manager::ConnectionFactory;
use schema_export::Exporters;
use schema_inspect::Inspectors;
use schema_lint::Lints;

/// What can be brought along from outside: how engines are connected to, and who looks at databases, writes models and
/// judges them. The service and its commands know no others than these.
///
/// A team's own program begins with [`Plugins::compiled`], registers what it has, and hands all of it to
/// [`Application::build_with`](crate::Application::build_with) or [`run`](crate::run).
#[derive(Debug, Clone)]
pub struct Plugins {
    /// How each engine is connected to. What is here is among the engines of `/api/v1/connections/engines` and of the
    /// configuration; what it offers stored connections is its [`describe`](connection_manager::Connector::describe)'s say.
    pub connectors: ConnectionFactory,
    /// Who looks at databases. An engine without one has no schema that could be read.
    pub inspectors: Inspectors,
    /// Who writes models in other formats.
    pub exporters: Exporters,
    /// Who judges models.
    pub lints: Lints,
}

impl Plugins {
    /// With what the crates have that this one was compiled with.
    pub fn compiled() -> Self {
        Self {
            connectors: ConnectionFactory::compiled(),
            inspectors: Inspectors::builtin(),
            exporters: Exporters::builtin(),
            lints: Lints::builtin(),
        }
    }
}

impl Default for Plugins {
    fn default() -> Self {
        Self::compiled()
    }
}
