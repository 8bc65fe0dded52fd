use std::fmt;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    Builder, Credentials as Identity, SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use secrecy::ExposeSecret;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect};
use tokio::sync::OnceCell;
use url::Url;

use super::bounded::Bounded;
use super::only_reads::OnlyReads;
use super::session::DynamoDbSession;
use crate::credentials::Credentials;
use crate::egress::Egress;
use crate::pool::Driver;

/// How DynamoDB is reached.
#[derive(Debug, Clone, Default)]
pub struct DynamoDbOptions {
    /// The region; `None` leaves it to the SDK's usual places (`AWS_REGION`, the profile, the instance).
    pub region: Option<String>,
    /// Another address than AWS's own, such as that of an emulator or a private endpoint.
    pub endpoint_url: Option<String>,
    /// The authorities to trust, as PEM, in place of those of the system.
    pub authorities: Option<Vec<u8>>,
    /// The table of the key-value capability.
    pub table: Option<String>,
    /// Where the endpoint may be. With it, the process's own identity and region are never used, and no
    /// operation is sent but those that read.
    pub egress: Option<Egress>,
}

impl DynamoDbOptions {
    fn port(&self) -> u16 {
        let url = self.endpoint_url.as_deref().and_then(|url| Url::parse(url).ok());
        url.and_then(|url| url.port_or_known_default()).unwrap_or(443)
    }
}

/// Opens sessions of DynamoDB. They share the HTTP connections, which the SDK keeps; a session is the right to have one
/// call under way, with the identity that it was opened with.
pub struct DynamoDbDriver {
    options: DynamoDbOptions,
    http: SharedHttpClient,
    /// What the SDK finds out about the process, asked for when it is first needed.
    ambient: OnceCell<SdkConfig>,
}

impl DynamoDbDriver {
    /// A driver for these options.
    ///
    /// # Errors
    /// `Misconfigured` when the authorities are no certificates.
    pub fn try_new(options: DynamoDbOptions) -> Result<Self, DatabaseError> {
        let mut trusted = TrustStore::default();
        if let Some(authorities) = &options.authorities {
            trusted = TrustStore::empty().with_pem_certificate(authorities.clone());
        }
        let context = TlsContext::builder().with_trust_store(trusted).build().map_err(|cause| {
            DatabaseError::new(DatabaseErrorKind::Misconfigured, "TLS cannot be prepared").with_source(cause)
        })?;
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::rustls(CryptoMode::AwsLc));
        let http = http.tls_context(context);
        let http = match &options.egress {
            Some(egress) => http.build_with_resolver(Guarded { egress: egress.clone(), port: options.port() }),
            None => http.build_https(),
        };
        Ok(Self { options, http, ambient: OnceCell::new() })
    }

    pub(super) fn options(&self) -> &DynamoDbOptions {
        &self.options
    }

    async fn ambient(&self) -> &SdkConfig {
        let load = || async {
            let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(self.http.clone());
            match &self.options.region {
                Some(region) => loader.region(Region::new(region.clone())).load().await,
                None => loader.load().await,
            }
        };
        self.ambient.get_or_init(load).await
    }

    /// Whether the address that was given may be connected to, as it is written and with its port. Of a name, the client asks
    /// again before each connection.
    async fn may_go_there(&self) -> Result<(), DatabaseError> {
        let (Some(egress), Some(url)) = (&self.options.egress, &self.options.endpoint_url) else { return Ok(()) };
        let unreachable = |message: &str| DatabaseError::new(DatabaseErrorKind::Unreachable, message);
        let parsed = Url::parse(url).ok();
        let target = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
        let (host, port) = target.ok_or_else(|| unreachable("connecting: the address is no URL"))?;
        let found = egress.resolve(host, port).await;
        found.map(drop).map_err(|error| unreachable("connecting: the server cannot be reached").with_source(error))
    }

    /// The SDK's own tries and time limits are off: the pool limits every call, and who may try again decides above it.
    async fn client(&self, credentials: &Credentials) -> Result<aws_sdk_dynamodb::Client, DatabaseError> {
        let named = !credentials.username.is_empty();
        if self.options.egress.is_some() && !(named && self.options.region.is_some()) {
            let message = "an access key and a region are needed: the service does not lend its own";
            return Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, message));
        }
        let mut config = if named && self.options.region.is_some() {
            Builder::new().behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        } else {
            Builder::from(self.ambient().await)
        };
        if let Some(region) = &self.options.region {
            config = config.region(Region::new(region.clone()));
        } else if self.ambient().await.region().is_none() {
            let message = "no AWS region is known; set `options.region`, or AWS_REGION";
            return Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, message));
        }
        if named {
            let key = credentials.password.expose_secret();
            let identity = Identity::new(&credentials.username, key, None, None, "connection-manager");
            config = config.credentials_provider(SharedCredentialsProvider::new(identity));
        }
        if let Some(url) = &self.options.endpoint_url {
            config = config.endpoint_url(url);
        }
        if let Some(egress) = &self.options.egress {
            config = config.interceptor(OnlyReads).interceptor(Bounded(egress.limits().answer));
        }
        let config = config
            .http_client(self.http.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Ok(aws_sdk_dynamodb::Client::from_conf(config.build()))
    }
}

/// Finds the addresses of the names that the SDK's client connects to. A host that is an address already it never sees.
#[derive(Debug, Clone)]
struct Guarded {
    egress: Egress,
    port: u16,
}

impl ResolveDns for Guarded {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let address = self.egress.one_address(name, self.port).await.map_err(ResolveDnsError::new)?;
            Ok(vec![address.ip()])
        })
    }
}

impl Driver for DynamoDbDriver {
    type Session = DynamoDbSession;

    /// Statements are never rendered for it, because it offers no SQL.
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn system_name(&self) -> &'static str {
        "aws.dynamodb"
    }

    async fn connect(&self, credentials: &Credentials) -> Result<DynamoDbSession, DatabaseError> {
        self.may_go_there().await?;
        crate::tls::install_provider();
        DynamoDbSession::open(self.client(credentials).await?, self.options.table.as_deref()).await
    }
}

impl fmt::Debug for DynamoDbDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbDriver")
            .field("region", &self.options.region)
            .field("endpoint_url", &self.options.endpoint_url)
            .field("table", &self.options.table)
            .finish_non_exhaustive()
    }
}
