use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{
    ConnectionName, DatabaseConnection, DatabaseError, Engine, EngineDescription, OptionDescription, OptionKind,
    Presence,
};

use crate::connector::{Connector, SettingFault, checks};
use crate::credentials::PasswordSource;
use crate::endpoint::Endpoint;
use crate::mongodb::{MongoDbConnection, MongoDbDriver, MongoDbOptions, Node, Servers};
use crate::settings::{ConnectionSettings, TlsMode};

/// MongoDB 4.2 and later: one server, a replica set, or what SRV records name. The native handle is [`MongoDbConnection`].
///
/// `database` is the one that callers mean when they name none; nothing is there or not there before it is written to. A login
/// is that of a user of the database `admin`, unless the option `auth_source` names another.
///
/// Options: `replica_set` names the set that `host` belongs to, whose servers are then found and whose primary is used; `nodes =
/// "host:port,host:port"` names further servers to ask when the one in `host` is away. `srv = "true"` (`mongodb+srv://…`) takes
/// `host` for a name with SRV records, which tell servers and ports. Without any of them the one server is spoken to.
///
/// Passwords may hold what `SASLprep` (RFC 4013) lets pass, which is not emoji; one that cannot is told apart from a wrong one.
///
/// Without `tls.ca_file` or authorities at hand Mozilla's list of authorities is trusted, which the driver has with it, and not the system's.
/// A client's certificate is shown where somebody from outside has defined the connection, since TLS is then spoken here and not by
/// the driver, which would read the key from a file. With the option `auth_source = "$external"` and no user, the certificate is the
/// login as well (`MONGODB-X509`).
/// `pool.keepalive` counts where somebody from outside has defined the connection; it does not reach the driver's own sockets, which
/// ask after two minutes.
#[derive(Debug, Clone, Copy, Default)]
pub struct MongoDbConnector;

const OPTIONS: [&str; 4] = ["auth_source", "nodes", "replica_set", "srv"];
const PORT: u16 = crate::mongodb::PORT;

fn is_srv(settings: &ConnectionSettings) -> bool {
    checks::is_on(settings, "srv", false)
}

fn servers(settings: &ConnectionSettings) -> Result<Servers, SettingFault> {
    let host = settings.host.clone().unwrap_or_default();
    if is_srv(settings) {
        return Ok(Servers::Srv(host));
    }
    let first = Node { host, port: settings.port.unwrap_or(PORT) };
    let further = settings.options.get("nodes").map(String::as_str).unwrap_or_default();
    let further = further.split(',').filter(|text| !text.trim().is_empty()).map(|text| {
        text.parse().map_err(|error| SettingFault::new("options.nodes", format!("`{}`: {error}", text.trim())))
    });
    let nodes: Result<Vec<Node>, SettingFault> = std::iter::once(Ok(first)).chain(further).collect();
    nodes.map(Servers::Listed)
}

/// What SRV records make of the other settings.
fn srv_faults(settings: &ConnectionSettings, faults: &mut Vec<SettingFault>) {
    if cfg!(not(feature = "mongodb-srv")) {
        faults.push(SettingFault::new("options.srv", "was left out of this program (feature `mongodb-srv`)"));
    }
    if settings.port.is_some() {
        faults.push(SettingFault::new("port", "SRV records name the ports; remove it, or options.srv"));
    }
    if settings.options.contains_key("nodes") {
        faults.push(SettingFault::new("options.nodes", "SRV records name the servers; remove them, or options.srv"));
    }
    let fits = |name: &str| {
        name.split('.').count() >= 2
            && name.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            })
            && !name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    if settings.host.as_deref().is_some_and(|host| !host.is_empty() && !fits(host)) {
        let message = "expected a name with SRV records, such as `cluster0.example.com`";
        faults.push(SettingFault::new("host", message));
    }
}

#[async_trait]
impl Connector for MongoDbConnector {
    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::MONGODB;
        &ENGINE
    }

    fn default_port(&self) -> Option<u16> {
        Some(PORT)
    }

    /// SRV records lead elsewhere.
    fn address<'a>(&self, settings: &'a ConnectionSettings) -> Option<(&'a str, u16)> {
        let host = settings.host.as_deref().filter(|_| !is_srv(settings))?;
        Some((host, settings.port.unwrap_or(PORT)))
    }

    /// The driver dials by itself: it is given a relay, for which Unix sockets are needed.
    fn honours_egress(&self) -> bool {
        cfg!(unix)
    }

    fn describe(&self) -> EngineDescription {
        let auth_source = OptionDescription::new(
            "auth_source",
            OptionKind::Text,
            "The database that knows the user; without it `admin`, or what the TXT record of `srv` says. `$external` without a \
             user has the client certificate be the login.",
        )
        .harmless();
        let nodes = OptionDescription::new(
            "nodes",
            OptionKind::Text,
            "Further servers of the replica set to ask when the first is away: `host:port,host:port`.",
        );
        let replica_set = OptionDescription::new(
            "replica_set",
            OptionKind::Text,
            "The name of the replica set, whose servers are then found and whose primary is used.",
        );
        let described = EngineDescription::server(Engine::MONGODB, "MongoDB", PORT);
        let described = described.with(auth_source).with(nodes).with(replica_set);
        let srv = OptionDescription::new(
            "srv",
            OptionKind::Switch,
            "Whether `host` is a name with SRV records (`mongodb+srv`), which tell servers and ports; `port` is then left out.",
        );
        let described = if cfg!(feature = "mongodb-srv") { described.with(srv) } else { described };
        EngineDescription { username: Presence::Optional, ..described }
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = checks::unknown_options(settings, &OPTIONS);
        checks::server_faults(settings, &mut faults);
        // A server may trust whoever reaches it.
        faults.retain(|fault| fault.key != "username");
        checks::refuse_tokens(settings, &mut faults);
        if settings.tls.client.is_some() && settings.egress.is_none() {
            // Authorities are everybody's to know and are put into one; a key is not.
            let message = "mongodb's driver reads a client's key from a file, and none is written here; remove it";
            faults.push(SettingFault::new("tls.client_certificate", message));
        }
        checks::pool_faults(settings, &mut faults);
        checks::switch_fault(settings, "srv", &mut faults);
        let has_password = !matches!(settings.password, PasswordSource::None);
        match &settings.username {
            Some(_) if !has_password => {
                faults.push(SettingFault::new("password", "missing: the user logs in with one"));
            }
            None if has_password && !settings.password.holds_login() => {
                faults.push(SettingFault::new("username", "missing: the password is a user's"));
            }
            _ => {}
        }
        for key in ["auth_source", "replica_set"] {
            if settings.options.get(key).is_some_and(String::is_empty) {
                faults.push(SettingFault::new(format!("options.{key}"), "must not be empty"));
            }
        }
        if is_srv(settings) {
            srv_faults(settings, &mut faults);
            return faults;
        }
        match servers(settings) {
            Ok(Servers::Listed(nodes)) if nodes.len() > 1 && !settings.options.contains_key("replica_set") => {
                let message = "only a replica set has further servers; name it in options.replica_set";
                faults.push(SettingFault::new("options.nodes", message));
            }
            Ok(_) => {}
            Err(fault) => faults.push(fault),
        }
        faults
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let servers = servers(settings).map_err(|fault| checks::misconfigured(name, &[fault]))?;
        let option = |key: &str| settings.options.get(key).cloned();
        let authorities = match settings.tls.mode {
            TlsMode::Disabled => None,
            _ => super::authorities(name, &settings.tls).await?,
        };
        // Authorities at hand come before those of the file.
        let ca_file = settings.tls.ca_file.clone().filter(|_| settings.tls.authorities.is_none());
        let driver = MongoDbDriver::try_new(MongoDbOptions {
            database: settings.database.clone(),
            auth_source: option("auth_source"),
            replica_set: option("replica_set"),
            tls: settings.tls.mode,
            authorities,
            ca_file,
            client: settings.tls.client.clone(),
            egress: settings.egress.clone(),
            ..MongoDbOptions::new(servers, &settings.pool)
        })
        .map_err(|error| error.on(name))?;
        Ok(Arc::new(MongoDbConnection::open(name.clone(), settings.pool.clone(), endpoint, driver).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ClientIdentity, TlsSettings};

    fn settings() -> ConnectionSettings {
        ConnectionSettings::new(Engine::MONGODB).with_host("db.example").with_database("library")
    }

    #[track_caller]
    fn refused(settings: &ConnectionSettings, expected: &[&str]) {
        let faults: Vec<String> = MongoDbConnector.validate(settings).iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_login_has_both_its_halves_or_none() {
        refused(&settings(), &[]);
        refused(&settings().with_username("ann"), &["`password`: missing: the user logs in with one"]);
        let password = PasswordSource::Literal("secret".into());
        refused(&settings().with_password(password.clone()), &["`username`: missing: the password is a user's"]);
        refused(&settings().with_username("ann").with_password(password), &[]);
    }

    #[test]
    fn further_servers_are_those_of_a_replica_set() {
        let nodes = settings().with_option("nodes", "b.example:27018, [::1]:1");
        refused(&nodes, &["`options.nodes`: only a replica set has further servers; name it in options.replica_set"]);
        let set = nodes.with_option("replica_set", "rs0");
        refused(&set, &[]);
        let Ok(Servers::Listed(nodes)) = servers(&set) else { panic!("they are listed") };
        let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        assert_eq!(nodes, ["db.example:27017", "b.example:27018", "[::1]:1"]);
        refused(&settings().with_option("nodes", "b"), &["`options.nodes`: `b`: expected host:port"]);
        refused(&settings().with_option("replica_set", ""), &["`options.replica_set`: must not be empty"]);
    }

    #[cfg(feature = "mongodb-srv")]
    #[test]
    fn what_srv_records_tell_is_not_told_twice() {
        let srv = settings().with_option("srv", "true");
        refused(&srv, &[]);
        assert_eq!(servers(&srv), Ok(Servers::Srv("db.example".to_owned())));
        assert_eq!(MongoDbConnector.address(&srv), None);
        refused(
            &srv.clone().with_port(27017).with_option("nodes", "b:1"),
            &[
                "`port`: SRV records name the ports; remove it, or options.srv",
                "`options.nodes`: SRV records name the servers; remove them, or options.srv",
            ],
        );
        for host in ["127.0.0.1", "localhost", "a.example/?tls=false", "a@b.example", "a..b", "[::1]"] {
            let expected = "`host`: expected a name with SRV records, such as `cluster0.example.com`";
            refused(&srv.clone().with_host(host), &[expected]);
        }
        refused(&settings().with_option("srv", "yes"), &["`options.srv`: expected \"true\" or \"false\""]);
    }

    #[test]
    fn a_client_s_certificate_is_refused_where_the_driver_would_read_its_key() {
        let client = ClientIdentity::new("certificate", "key".into());
        let tls =
            TlsSettings { client: Some(client), authorities: Some("authorities".into()), ..TlsSettings::default() };
        let message = "`tls.client_certificate`: mongodb's driver reads a client's key from a file, and none is written here; \
                       remove it";
        refused(&settings().with_tls(tls.clone()), &[message]);
        // TLS is spoken here where a policy is asked about every dial.
        let egress = crate::egress::EgressConfig::open().egress([]);
        refused(&settings().with_tls(tls).with_egress(egress), &[]);
    }

    #[test]
    fn no_option_of_the_driver_is_reached_by_another_name() {
        for option in
            ["tlsCAFile", "tlsCertificateKeyFile", "tlsInsecure", "authMechanism", "proxyHost", "srvServiceName"]
        {
            let faults = MongoDbConnector.validate(&settings().with_option(option, "/etc/passwd"));
            assert_eq!(faults.len(), 1, "{option}: {faults:?}");
            assert_eq!(faults[0].key, format!("options.{option}"));
        }
    }
}
