use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared_kernel::TenantId;

use super::{ConnectionSettings, PoolSettings};
use crate::connector::SettingFault;
use crate::credentials::PasswordSource;

/// What stands for the tenant's name in a template.
pub const PLACEHOLDER: &str = "{tenant}";

/// How a connection that is kept per tenant is reached: each tenant has a database, a secret and a pool of its own.
///
/// In the template's host, database, path, user, options and place of the password, `{tenant}` stands for the tenant's name. A
/// [`TenantId`] has none of the characters that end a path's component, a host's label, a quoted identifier or a URL's
/// part, so what comes out is as safe as the template.
#[derive(Debug, Clone)]
pub struct PerTenantSettings {
    template: ConnectionSettings,
    overrides: BTreeMap<TenantId, ConnectionSettings>,
    /// How many tenants may have a pool at the same time; at least 1. One who comes when there are as many takes the place of
    /// the one who was idle longest.
    pub max_live: usize,
    /// How long a tenant's pool is kept while nobody uses it. `None`: until its place is needed.
    pub idle_evict: Option<Duration>,
}

impl PerTenantSettings {
    /// Settings with the usual limits.
    pub fn new(template: ConnectionSettings) -> Self {
        Self { template, overrides: BTreeMap::new(), max_live: 100, idle_evict: Some(Duration::from_mins(10)) }
    }

    /// The limits of one tenant's pool when nothing else is said: nothing in reserve, and few connections, because there are
    /// as many pools as tenants.
    pub fn usual_pool() -> PoolSettings {
        PoolSettings::sized(0, 10)
    }

    /// Sets how many tenants may have a pool at the same time.
    #[must_use]
    pub fn with_max_live(mut self, max_live: usize) -> Self {
        self.max_live = max_live;
        self
    }

    /// Sets how long a tenant's pool is kept while nobody uses it.
    #[must_use]
    pub fn with_idle_evict(mut self, idle_evict: Option<Duration>) -> Self {
        self.idle_evict = idle_evict;
        self
    }

    /// Gives one tenant settings of its own. `{tenant}` stands for its name here too.
    #[must_use]
    pub fn with_override(mut self, tenant: TenantId, settings: ConnectionSettings) -> Self {
        self.overrides.insert(tenant, settings);
        self
    }

    /// The settings of every tenant that has none of its own, with the placeholder.
    pub fn template(&self) -> &ConnectionSettings {
        &self.template
    }

    /// The tenants with settings of their own.
    pub fn overrides(&self) -> impl Iterator<Item = (&TenantId, &ConnectionSettings)> {
        self.overrides.iter()
    }

    /// Changes the template and what was made of it for single tenants.
    pub fn each_mut(&mut self, change: impl Fn(&mut ConnectionSettings)) {
        change(&mut self.template);
        self.overrides.values_mut().for_each(change);
    }

    /// The settings of one tenant.
    pub fn of(&self, tenant: &TenantId) -> ConnectionSettings {
        let mut settings = self.overrides.get(tenant).unwrap_or(&self.template).clone();
        let name = tenant.as_str();
        for text in [&mut settings.host, &mut settings.database, &mut settings.username].into_iter().flatten() {
            *text = filled(text, name);
        }
        settings.path = settings.path.map(|path| filled_path(&path, name));
        settings.password = match settings.password {
            PasswordSource::Environment(variable) => PasswordSource::Environment(filled(&variable, name)),
            PasswordSource::File(path) => PasswordSource::File(filled_path(&path, name)),
            PasswordSource::SecretsManager { id } => PasswordSource::SecretsManager { id: filled(&id, name) },
            other @ (PasswordSource::None | PasswordSource::Literal(_) | PasswordSource::RdsIam { .. }) => other,
        };
        settings.options.values_mut().for_each(|value| *value = filled(value, name));
        settings.tenant = Some(tenant.clone());
        settings
    }

    /// What is wrong with the settings as a template: above all, that nothing in it tells the tenants' databases apart.
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        if self.max_live == 0 {
            faults.push(SettingFault::new("max_live", "must be at least 1"));
        }
        if self.idle_evict.is_some_and(|time| time.is_zero()) {
            faults.push(SettingFault::new("idle_evict", "must be longer than zero"));
        }
        if self.overrides.values().chain([&self.template]).any(|settings| !settings.replicas.is_empty()) {
            let message = "a connection that is kept per tenant has none: each tenant reads where it writes";
            faults.push(SettingFault::new("replicas.hosts", message));
        }
        let ConnectionSettings { host, database, path, password, .. } = &self.template;
        let path = path.as_deref().map(Path::to_string_lossy);
        if path.as_deref() == Some(":memory:") {
            // Each pool has a database of its own in memory.
            return faults;
        }
        let secret = match password {
            // Its secret says which database it is, where the settings do not.
            PasswordSource::SecretsManager { id } if database.is_none() || host.is_none() => Some(id.as_str()),
            _ => None,
        };
        let places = [host.as_deref(), database.as_deref(), path.as_deref(), secret];
        if !places.into_iter().flatten().any(|place| place.contains(PLACEHOLDER)) {
            let key = if path.is_some() { "path" } else { "database" };
            let message = format!(
                "the same for every tenant: write `{PLACEHOLDER}` where the tenant's name belongs, in the host, the database, \
                 the path or the name of a secret that says where the database is"
            );
            faults.push(SettingFault::new(key, message));
        }
        faults
    }
}

fn filled(text: &str, tenant: &str) -> String {
    text.replace(PLACEHOLDER, tenant)
}

fn filled_path(path: &Path, tenant: &str) -> PathBuf {
    // A path that is not UTF-8 holds no placeholder that somebody could have written into a configuration.
    path.to_str().map_or_else(|| path.to_owned(), |text| PathBuf::from(filled(text, tenant)))
}

#[cfg(test)]
mod tests {
    use shared_kernel::database::Engine;

    use super::*;
    use crate::settings::ReplicasSettings;

    fn tenant(name: &str) -> TenantId {
        name.parse().expect("a tenant's name")
    }

    #[test]
    fn the_tenants_name_is_filled_in_everywhere() {
        let template = ConnectionSettings::new(Engine::POSTGRES)
            .with_host("{tenant}.db.example")
            .with_database("books_{tenant}")
            .with_username("svc_{tenant}")
            .with_password(PasswordSource::SecretsManager { id: "prod/{tenant}/books".to_owned() })
            .with_option("application_name", "books of {tenant}");
        let acme = PerTenantSettings::new(template).of(&tenant("acme"));
        assert_eq!(acme.host.as_deref(), Some("acme.db.example"));
        assert_eq!(acme.database.as_deref(), Some("books_acme"));
        assert_eq!(acme.username.as_deref(), Some("svc_acme"));
        assert!(matches!(acme.password, PasswordSource::SecretsManager { id } if id == "prod/acme/books"));
        assert_eq!(acme.options["application_name"], "books of acme");
        assert_eq!(acme.tenant, Some(tenant("acme")));
    }

    #[test]
    fn replicas_are_refused() {
        let replicas = ReplicasSettings { hosts: vec!["b".parse().expect("a host")], ..ReplicasSettings::default() };
        let template = ConnectionSettings::new(Engine::MYSQL).with_host("a").with_database("{tenant}");
        let settings = PerTenantSettings::new(template.clone());
        assert!(settings.faults().is_empty());
        let with_override = settings.with_override(tenant("acme"), template.clone().with_replicas(replicas.clone()));
        for settings in [with_override, PerTenantSettings::new(template.with_replicas(replicas))] {
            assert_eq!(settings.faults()[0].key, "replicas.hosts");
        }
    }

    #[test]
    fn what_is_said_for_one_tenant_is_said_for_it_alone() {
        let template = ConnectionSettings::sqlite("data/{tenant}/books.db");
        let settings = PerTenantSettings::new(template)
            .with_override(tenant("acme"), ConnectionSettings::sqlite("elsewhere/{tenant}.db"));
        assert_eq!(settings.of(&tenant("acme")).path, Some("elsewhere/acme.db".into()));
        assert_eq!(settings.of(&tenant("globex")).path, Some("data/globex/books.db".into()));
    }

    #[test]
    fn a_template_that_leads_everybody_to_one_database_is_refused() {
        let server = || ConnectionSettings::new(Engine::MYSQL).with_host("db.example").with_username("svc_{tenant}");
        let faults = |settings| PerTenantSettings::new(settings).faults();
        assert_eq!(faults(ConnectionSettings::sqlite("books.db"))[0].key, "path");
        assert_eq!(faults(server().with_database("books"))[0].key, "database");
        assert!(faults(server().with_database("books_{tenant}")).is_empty());
        assert!(faults(ConnectionSettings::sqlite(":memory:")).is_empty());
        let secret = |id: &str| PasswordSource::SecretsManager { id: id.to_owned() };
        assert!(faults(server().with_password(secret("prod/{tenant}"))).is_empty());
        assert_eq!(faults(server().with_password(secret("prod/books")))[0].key, "database");
        assert_eq!(faults(server().with_database("books").with_password(secret("prod/{tenant}")))[0].key, "database");
    }
}
