//! Connections from one TOML file and the environment.
//!
//! ```toml
//! [connections.users]
//! engine = "mysql"                        # dynamodb, mongodb, mysql, mariadb, postgres, redis, sqlite, sqlserver, or what is registered
//! host = "db.example"
//! port = 3306                             # the engine's usual one when left out
//! database = "users"
//! username = "svc_users"
//! password = { env = "USERS_PASSWORD" }   # or { file = "/run/secrets/users" }, readable by its owner alone, or
//!                                         # { secrets_manager = "prod/users" }, which also has user, host and database, or
//!                                         # { rds_iam = true, region = "eu-central-1" }, a token of AWS for RDS's own host
//! tls = { mode = "verify-full", ca_file = "/etc/ssl/db-ca.pem" }   # verify-full, required or disabled
//! pool = { min = 10, max = 100, acquire_timeout = "5s", connect_timeout = "5s", idle_timeout = "10m", max_lifetime = "30m", statement_timeout = "30s", validate_after = "30s", leak_after = "1m", keepalive = "30s" }
//! breaker = { failures = 5, open_for = "1s", open_for_max = "3s", probes = 2 }
//! retry = { attempts = 3, base = "50ms", cap = "1s", budget_percent = 20 }
//!
//! [connections.books]
//! engine = "sqlite"
//! path = "data/books.db"
//! options = { synchronous = "full", busy_timeout = "5s" }
//! ```
//!
//! All connections to one server, by its host and port as they are written there, can be given a number that they share,
//! whatever the maximums of their pools are. A pool that needs a connection then has one back from a pool that can spare it:
//!
//! ```toml
//! [servers."db.example:3306"]
//! connections = 60              # all that there may be; left out, as many as the pools may have
//! instances = 4                 # of this service, each with an equal part of them
//! ```
//!
//! Where a password is `{ secrets_manager = … }`, a further section says how AWS Secrets Manager is reached and how long its
//! answers are kept; all of it may be left out:
//!
//! ```toml
//! [secrets]
//! region = "eu-central-1"       # also of tokens that name none; otherwise the SDK's usual places: AWS_REGION, the profile, the instance
//! endpoint_url = "http://127.0.0.1:5000"   # an emulator, or a private endpoint; http on this machine alone
//! allow_plain_http = false      # true: http to other machines too, where passwords can be read on the way
//! ttl = "1h"                    # how long an answer is kept, less up to a tenth
//! stale_limit = "24h"           # how long after that it serves while AWS is away; never when AWS refuses
//! timeout = "5s"                # of one question, with all tries
//! pause = "1s"                  # between two questions about one secret that failed, or whose known versions a server rejects
//!
//! [secrets.shared]              # sealed copies in Redis, so that a fleet asks once; left out, each process asks for itself
//! connection = "cache"          # one of [connections] with engine = "redis"
//! key = "2026-11"               # the key that seals; may be left out when there is one
//! prefix = "bindery:secret:"    # what every key in Redis begins with
//! timeout = "250ms"             # of one question to Redis, connecting included; when it is over, a process asks for itself
//! lease = "10s"                 # how long one process may be the one that asks AWS; longer than secrets.timeout
//!
//! [secrets.shared.keys]         # 32 random bytes in base64 each, as `openssl rand -base64 32` prints them; all of them open
//! 2026-11 = { file = "/run/secrets/bindery-2026-11" }   # readable by its owner alone, or
//! 2026-05 = { env = "BINDERY_SEALING_KEY_OLD" }
//! ```
//!
//! To change the key of the shared level, add the new one to `keys` in every process, then let `key` name it everywhere, and
//! take the old one out when its last copies have ended, which is after `ttl` and `stale_limit`. The connection may be used
//! for other things as well; for sealed copies the service opens it a second time, and where its own password is in AWS
//! Secrets Manager, that one secret is read there by each process for itself and never from the level that it opens.
//!
//! Processes that share their circuits tell each other which servers are out of reach, and probe them together:
//!
//! ```toml
//! [circuits]                    # left out, each process keeps its circuits to itself
//! connection = "cache"          # one of [connections] with engine = "redis"; no request waits for it
//! prefix = "bindery:circuit:"   # what every key in it begins with
//! ```
//!
//! A connection that is **kept per tenant** has `{tenant}` where the tenant's name belongs, in the host, the database, the path,
//! the user, an option, or the place of the password:
//!
//! ```toml
//! [tenants]
//! names = ["acme", "globex"]    # who they are; nobody else gets a connection
//! file = "/etc/bindery/tenants" # further ones, one a line
//! reload = "10s"                # how often the file is looked at again; "0s" is never
//!
//! [connections.orders]
//! engine = "postgres"
//! per_tenant = true
//! host = "db.example"
//! database = "orders_{tenant}"
//! username = "svc_{tenant}"
//! password = { secrets_manager = "prod/{tenant}/orders" }
//! pool = { min = 0, max = 10 }  # of each tenant; these are the limits when nothing else is said
//! max_live = 100                # how many tenants may have a pool at the same time
//! idle_evict = "10m"            # how long a pool is kept that nobody uses; "0s" is until its place is needed
//!
//! [connections.orders.tenants.acme]        # what is different for one of them
//! host = "db7.example"
//! ```
//!
//! A variable such as `BINDERY_CONNECTIONS__USERS__HOST` or `BINDERY_CONNECTIONS__USERS__POOL__MAX` takes the place of
//! one value, or adds it. Without `tls`, a server on a loopback address is reached without TLS and any other with full
//! verification. SQLite's pool has 0 to 10 connections when nothing else is said. A time of `"0s"` switches `idle_timeout`, `max_lifetime`,
//! `statement_timeout`, `leak_after` or `keepalive` off. `keepalive` is for SQL Server and Redis, whose sockets are ours.
//!
//! A larger file embeds the sections: read it as a [`Document`], take what is its own through [`Reader::root`], hand
//! the same root to [`ConnectionsConfig::read`], [`TenantsConfig::read`] and then to [`SecretsConfig::read`] and
//! [`CircuitsConfig::read`], and let [`Reader::finish`] tell every fault at once.

mod circuits;
mod connections;
mod document;
pub mod duration;
mod effective;
mod fault;
mod own_connection;
mod sealing;
mod secrets;
mod section;
mod servers;
pub mod suggest;
mod tenants;

pub use circuits::CircuitsConfig;
pub use connections::ConnectionsConfig;
pub use document::Document;
pub use effective::{Effective, EffectivePerTenant};
pub use fault::{ConfigError, Fault, Origin};
pub use sealing::{SealingConfig, named_secret, place_of};
pub use secrets::{SecretsConfig, SharedSecretsConfig};
pub use section::{Reader, Section};
pub use servers::EffectiveServers;
pub use tenants::{TenantFileError, TenantsConfig};
