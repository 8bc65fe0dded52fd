use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{
    ConnectionName, DatabaseConnection, DatabaseError, Engine, EngineDescription, OptionDescription, OptionKind,
    Presence,
};

use crate::connector::{Connector, SettingFault, checks};
use crate::endpoint::Endpoint;
use crate::redis::{Node, RedisConnection, RedisDriver, RedisOptions};
use crate::settings::ConnectionSettings;

/// Redis 7 and later, one server or a cluster. The native handle is [`RedisConnection`].
///
/// `database` is the database's number. Without `username` the login is that of the user `default`.
///
/// Options: `cluster = "true"` follows the redirections of a Redis Cluster; `nodes = "host:port,host:port"` names
/// further nodes of it to ask when the one in `host` is away, and implies it. A cluster has database 0 alone. Of a
/// cluster, `pool.max` counts sessions, each with one connection to every node it needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct RedisConnector;

const OPTIONS: [&str; 2] = ["cluster", "nodes"];
const PORT: u16 = 6379;

/// The number of the database.
fn database(settings: &ConnectionSettings) -> Result<u16, SettingFault> {
    let text = settings.database.as_deref().unwrap_or("0");
    text.parse()
        .map_err(|_| SettingFault::new("database", "Redis numbers its databases: expected a number such as \"0\""))
}

fn is_cluster(settings: &ConnectionSettings) -> Result<bool, SettingFault> {
    match settings.options.get("cluster").map(String::as_str) {
        None => Ok(settings.options.contains_key("nodes")),
        Some("true") => Ok(true),
        Some("false") if settings.options.contains_key("nodes") => {
            Err(SettingFault::new("options.nodes", "only a cluster has further nodes; remove them or options.cluster"))
        }
        Some("false") => Ok(false),
        Some(_) => Err(SettingFault::new("options.cluster", "expected \"true\" or \"false\"")),
    }
}

fn nodes(settings: &ConnectionSettings) -> Result<Vec<Node>, SettingFault> {
    let first = Node { host: settings.host.clone().unwrap_or_default(), port: settings.port.unwrap_or(PORT) };
    let further = settings.options.get("nodes").map(String::as_str).unwrap_or_default();
    let further = further.split(',').filter(|text| !text.trim().is_empty()).map(|text| {
        text.parse().map_err(|error| SettingFault::new("options.nodes", format!("`{}`: {error}", text.trim())))
    });
    std::iter::once(Ok(first)).chain(further).collect()
}

#[async_trait]
impl Connector for RedisConnector {
    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::REDIS;
        &ENGINE
    }

    fn default_port(&self) -> Option<u16> {
        Some(PORT)
    }

    fn describe(&self) -> EngineDescription {
        let cluster = OptionDescription::new(
            "cluster",
            OptionKind::Switch,
            "Whether the redirections of a Redis Cluster are followed.",
        );
        let nodes = OptionDescription::new(
            "nodes",
            OptionKind::Text,
            "Further nodes of the cluster to ask when the first is away: `host:port,host:port`.",
        );
        let server = EngineDescription::server(Engine::REDIS, "Redis", PORT).with(cluster).with(nodes);
        EngineDescription { username: Presence::Optional, ..server }
    }

    fn honours_egress(&self) -> bool {
        true
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = checks::unknown_options(settings, &OPTIONS);
        checks::server_faults(settings, &mut faults);
        // Every server has the user `default`.
        faults.retain(|fault| fault.key != "username");
        checks::refuse_tokens(settings, &mut faults);
        checks::pool_faults(settings, &mut faults);
        faults.extend(nodes(settings).err());
        match (is_cluster(settings), database(settings)) {
            (Ok(true), Ok(1..)) => {
                faults.push(SettingFault::new("database", "a cluster has database \"0\" alone"));
            }
            (cluster, database) => faults.extend(cluster.err().into_iter().chain(database.err())),
        }
        faults
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let misconfigured = |fault| checks::misconfigured(name, &[fault]);
        let options = RedisOptions {
            nodes: nodes(settings).map_err(misconfigured)?,
            cluster: is_cluster(settings).map_err(misconfigured)?,
            database: database(settings).map_err(misconfigured)?,
            tls: settings.tls.mode,
            authorities: super::authorities(name, &settings.tls).await?,
            client: settings.tls.client.clone(),
            connect_timeout: settings.pool.connect_timeout,
            keepalive: settings.pool.keepalive,
            egress: settings.egress.clone(),
        };
        let driver = RedisDriver::try_new(options).map_err(|error| error.on(name))?;
        Ok(Arc::new(RedisConnection::open(name.clone(), settings.pool.clone(), endpoint, driver).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ConnectionSettings {
        ConnectionSettings::new(Engine::REDIS).with_host("cache.example").with_database("0")
    }

    #[track_caller]
    fn refused(settings: &ConnectionSettings, expected: &[&str]) {
        let faults: Vec<String> = RedisConnector.validate(settings).iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_user_is_not_needed() {
        refused(&settings(), &[]);
    }

    #[test]
    fn a_database_is_a_number() {
        refused(
            &settings().with_database("users"),
            &["`database`: Redis numbers its databases: expected a number such as \"0\""],
        );
    }

    #[test]
    fn a_cluster_has_one_database_and_its_nodes_have_ports() {
        let cluster = settings().with_option("cluster", "true");
        refused(&cluster.clone(), &[]);
        refused(&cluster.clone().with_database("3"), &["`database`: a cluster has database \"0\" alone"]);
        refused(&cluster.with_option("nodes", "a:1, b"), &["`options.nodes`: `b`: expected host:port"]);
        refused(
            &settings().with_option("cluster", "false").with_option("nodes", "a:1"),
            &["`options.nodes`: only a cluster has further nodes; remove them or options.cluster"],
        );
        refused(&settings().with_option("cluster", "yes"), &["`options.cluster`: expected \"true\" or \"false\""]);
    }
}
