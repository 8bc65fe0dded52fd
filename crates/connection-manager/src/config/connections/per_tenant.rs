use std::path::Path;

use shared_kernel::TenantId;

use super::super::section::Section;
use super::values;
use crate::connector::Connector;
use crate::settings::{ConnectionSettings, PLACEHOLDER, PerTenantSettings};

/// What has a meaning only where a connection is kept per tenant.
const KEYS: [&str; 3] = ["max_live", "idle_evict", "tenants"];

/// Whether the table declares a connection that is kept per tenant.
pub(super) fn is_declared(section: &Section<'_>) -> bool {
    let declared = section.boolean("per_tenant").unwrap_or_default();
    for key in KEYS.into_iter().filter(|key| section.has(key) && !declared) {
        section.fault(key, "has a meaning only with per_tenant = true");
    }
    declared
}

/// A placeholder that nobody fills in would be part of a name.
pub(super) fn refuse_placeholders(section: &Section<'_>, settings: &ConnectionSettings) {
    let path = settings.path.as_deref().map(Path::to_string_lossy);
    let texts = [
        ("host", settings.host.as_deref()),
        ("database", settings.database.as_deref()),
        ("path", path.as_deref()),
        ("username", settings.username.as_deref()),
    ];
    for (key, _) in texts.into_iter().filter(|(_, text)| text.is_some_and(|text| text.contains(PLACEHOLDER))) {
        section.fault(key, format!("`{PLACEHOLDER}` has a meaning only with per_tenant = true"));
    }
}

/// The rest of such a table. The template is checked already.
pub(super) fn read(
    section: &Section<'_>,
    template: ConnectionSettings,
    connector: &dyn Connector,
) -> PerTenantSettings {
    let usual = PerTenantSettings::new(template);
    let idle_evict =
        section.duration("idle_evict").map_or(usual.idle_evict, |time| Some(time).filter(|t| !t.is_zero()));
    let max_live = section.integer("max_live").unwrap_or(usual.max_live);
    let mut settings = usual.with_idle_evict(idle_evict).with_max_live(max_live);
    for fault in settings.faults() {
        section.fault(&fault.key, fault.message);
    }
    let tenants = section.section("tenants");
    for key in tenants.keys() {
        let section = tenants.section(key);
        match key.parse::<TenantId>() {
            Ok(tenant) => {
                let own = values(&section, settings.template().clone());
                for fault in connector.validate(&own) {
                    section.fault(&fault.key, fault.message);
                }
                if section.has("replicas") {
                    section.fault("replicas.hosts", "a connection that is kept per tenant has none");
                }
                settings = settings.with_override(tenant, own);
            }
            Err(error) => tenants.fault(key, error.to_string()),
        }
    }
    settings
}

#[cfg(all(test, feature = "postgres", feature = "sqlite"))]
mod tests {
    use std::time::Duration;

    use super::super::super::{ConfigError, ConnectionsConfig, Document, Reader};
    use crate::credentials::PasswordSource;
    use crate::factory::ConnectionFactory;
    use crate::settings::TlsMode;

    fn read(text: &str) -> Result<ConnectionsConfig, ConfigError> {
        let document = Document::parse("bindery.toml", text)?;
        let reader = Reader::new(&document);
        let config = ConnectionsConfig::read(&reader.root(), &ConnectionFactory::compiled());
        reader.finish()?;
        Ok(config)
    }

    const ORDERS: &str = r#"
        [connections.orders]
        engine = "postgres"
        per_tenant = true
        host = "db.example"
        database = "orders_{tenant}"
        username = "svc_{tenant}"
        password = { secrets_manager = "prod/{tenant}/orders" }
        max_live = 20
        idle_evict = "1m"
        [connections.orders.tenants.acme]
        host = "127.0.0.1"
        pool = { max = 40 }
    "#;

    #[test]
    fn a_connection_per_tenant_is_read_with_what_is_different_for_one() {
        let config = read(ORDERS).unwrap();
        assert!(config.has("orders") && config.get("orders").is_none());
        let (_, orders) = config.iter_per_tenant().next().unwrap();
        assert_eq!((orders.max_live, orders.idle_evict), (20, Some(Duration::from_mins(1))));
        let of = |name: &str| orders.of(&name.parse().unwrap());
        let (acme, globex) = (of("acme"), of("globex"));
        assert_eq!(acme.host.as_deref(), Some("127.0.0.1"));
        assert_eq!(globex.host.as_deref(), Some("db.example"));
        assert_eq!([&acme, &globex].map(|settings| (settings.pool.min, settings.pool.max)), [(0, 40), (0, 10)]);
        assert_eq!([&acme, &globex].map(|settings| settings.tls.mode), [TlsMode::Disabled, TlsMode::VerifyFull]);
        assert_eq!(acme.database.as_deref(), Some("orders_acme"));
        assert!(matches!(&acme.password, PasswordSource::SecretsManager { id } if id == "prod/acme/orders"));
    }

    #[test]
    fn what_is_in_effect_reads_back() {
        let shown = read(ORDERS).unwrap().effective().to_string();
        assert!(shown.contains("[connections.orders.tenants.acme]\nhost = \"127.0.0.1\""), "{shown}");
        assert_eq!(read(&shown).unwrap().effective().to_string(), shown);
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "[connections.a]\nengine = \"sqlite\"\nper_tenant = true\npath = \"books.db\"\nmax_live = 0\n\
                    [connections.b]\nengine = \"sqlite\"\npath = \"data/{tenant}.db\"\nidle_evict = \"1m\"\n\
                    [connections.c]\nengine = \"sqlite\"\nper_tenant = true\npath = \"data/{tenant}.db\"\n\
                    [connections.c.tenants.\"../x\"]\npath = \"y\"\n[connections.c.tenants.acme]\npaht = \"y\"\n";
        let error = read(text).unwrap_err().to_string();
        for expected in [
            "bindery.toml:4: connections.a.path: the same for every tenant: write `{tenant}`",
            "bindery.toml:5: connections.a.max_live: must be at least 1",
            "bindery.toml:8: connections.b.path: `{tenant}` has a meaning only with per_tenant = true",
            "bindery.toml:9: connections.b.idle_evict: has a meaning only with per_tenant = true",
            "bindery.toml:14: connections.c.tenants.../x: a tenant's name has",
            "bindery.toml:17: connections.c.tenants.acme.paht: unknown key `paht`, expected one of: breaker",
        ] {
            assert!(error.contains(expected), "{expected} is not in\n{error}");
        }
    }
}
