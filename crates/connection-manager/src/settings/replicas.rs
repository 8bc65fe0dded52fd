//! Servers that follow the one a connection leads to.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use shared_kernel::database::Engine;

use super::ConnectionSettings;
use crate::connector::SettingFault;

/// The replicas that reads may go to. All else about them is as the connection's own settings say: user, password, database,
/// TLS, pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicasSettings {
    /// Where they are. Each has to be one server: a name that leads to several, such as a reader endpoint, may answer for one
    /// and read at another.
    pub hosts: Vec<ReplicaHost>,
    /// The oldest state that a read may see: a replica that lacks something older is left out.
    pub max_lag: Duration,
}

impl ReplicasSettings {
    /// The engines whose servers say how far they have come.
    const ENGINES: [Engine; 3] = [Engine::MYSQL, Engine::MARIADB, Engine::POSTGRES];

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// What cannot work about the replicas of a connection.
    pub(crate) fn faults(settings: &ConnectionSettings) -> Vec<SettingFault> {
        let Self { hosts, max_lag } = &settings.replicas;
        let mut faults = Vec::new();
        let mut fault = |key: &str, message: String| faults.push(SettingFault::new(format!("replicas.{key}"), message));
        if hosts.is_empty() {
            return faults;
        }
        if !Self::ENGINES.contains(&settings.engine) {
            fault("hosts", format!("{} has none here; mysql, mariadb and postgres have", settings.engine));
        }
        if max_lag.is_zero() {
            fault("max_lag", "must be longer than zero".to_owned());
        }
        for (index, host) in hosts.iter().enumerate() {
            if hosts[..index].contains(host) {
                fault("hosts", format!("`{host}` is there twice"));
            }
        }
        faults
    }
}

impl Default for ReplicasSettings {
    /// None, and ten seconds for those that are added.
    fn default() -> Self {
        Self { hosts: Vec::new(), max_lag: Duration::from_secs(10) }
    }
}

/// A replica's host, and its port where that is not the primary's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReplicaHost {
    /// Host name or address, in lower case.
    pub host: String,
    /// TCP port; `None` is the primary's.
    pub port: Option<u16>,
}

/// A text that is no [`ReplicaHost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a host, or a host and a port, such as \"db-2.example:5432\" or \"[::1]:5432\"")]
pub struct InvalidReplicaHost;

impl FromStr for ReplicaHost {
    type Err = InvalidReplicaHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or(InvalidReplicaHost)?)),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let in_brackets = text.starts_with('[');
        let plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || in_brackets && byte == b':'
        };
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(InvalidReplicaHost);
        }
        let port =
            port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or(InvalidReplicaHost)).transpose()?;
        Ok(Self { host: host.to_lowercase(), port })
    }
}

impl fmt::Display for ReplicaHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_with_and_without_a_port() {
        for (text, host, port) in [
            ("DB-2.example", "db-2.example", None),
            ("db-2.example:5433", "db-2.example", Some(5433)),
            ("[::1]:5433", "::1", Some(5433)),
            ("[::1]", "::1", None),
        ] {
            let read: ReplicaHost = text.parse().expect(text);
            assert_eq!((read.host.as_str(), read.port), (host, port));
            assert_eq!(read.to_string(), text.to_lowercase());
        }
        for text in ["", ":5432", "db:0", "db:x", "db:70000", "::1", "[::1]5432", "u@db", "db/x", "db 2", "[]"] {
            assert_eq!(text.parse::<ReplicaHost>(), Err(InvalidReplicaHost), "{text}");
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        let hosts = |hosts: &[&str]| hosts.iter().map(|host| host.parse().expect("a host")).collect();
        let settings = |engine, replicas| ConnectionSettings { replicas, ..ConnectionSettings::new(engine) };
        let faults = |engine, replicas| {
            ReplicasSettings::faults(&settings(engine, replicas)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let twice = ReplicasSettings { hosts: hosts(&["a", "b:1", "B:1"]), max_lag: Duration::ZERO };
        assert_eq!(
            faults(Engine::POSTGRES, twice),
            ["`replicas.max_lag`: must be longer than zero", "`replicas.hosts`: `b:1` is there twice"]
        );
        let one = ReplicasSettings { hosts: hosts(&["a"]), ..ReplicasSettings::default() };
        assert_eq!(
            faults(Engine::REDIS, one.clone()),
            ["`replicas.hosts`: redis has none here; mysql, mariadb and postgres have"]
        );
        assert!(faults(Engine::MARIADB, one).is_empty());
    }
}
