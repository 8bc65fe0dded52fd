//! SQL Server's inspector against the scriptable TDS server: what it sends, and what it makes of answers. That the questions mean what
//! they are meant to, no test shows but those in `sqlserver`, where there is such a server.

mod answers;
mod hostile;
mod locks;
mod model;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use schema_inspect::{InspectError, InspectOptions, Inspectors};
use schema_model::Inspection;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, Engine};
use testkit::tds::{Matcher, Reply, TdsServer};

use self::answers::Answers;

/// A server with answers to every question.
struct Scripted {
    connection: Arc<dyn DatabaseConnection>,
    server: TdsServer,
}

impl Scripted {
    async fn new(answers: &Answers) -> Self {
        Self::with(answers, |settings| settings).await
    }

    async fn with(answers: &Answers, change: impl FnOnce(ConnectionSettings) -> ConnectionSettings) -> Self {
        let builder = TdsServer::builder().user("sa", "secret").database("sample");
        let builder = answers.questions().into_iter().fold(builder, |builder, (question, rows)| {
            // Behind what the setting says to it, which is nothing.
            builder.on(Matcher::contains(question), Reply::done().and(Reply::rows(rows)))
        });
        let server = builder.start().await.expect("a server");
        let settings = ConnectionSettings::new(Engine::SQLSERVER)
            .with_host("localhost")
            .with_port(server.address().port())
            .with_database("sample")
            .with_username("sa")
            .with_password(PasswordSource::Literal("secret".into()))
            .with_tls(TlsSettings::disabled())
            .with_pool(PoolSettings::sized(0, 1));
        Self { connection: testkit::connect(change(settings)).await.expect("a connection"), server }
    }

    async fn try_inspect(&self, options: &InspectOptions) -> Result<Inspection, InspectError> {
        let context = RequestContext::system().within(Duration::from_secs(20));
        Inspectors::builtin().inspect(&*self.connection, options, &context).await
    }

    async fn inspect(&self) -> Inspection {
        self.try_inspect(&InspectOptions::default()).await.expect("it is inspected")
    }
}
