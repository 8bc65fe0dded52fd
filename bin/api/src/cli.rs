//! The commands and their arguments.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use schema_inspect::SamplingOptions;
use schema_lint::Severity;
use shared_kernel::TenantId;

/// Serves users and books over REST, and operates what it serves.
///
/// Without a command the service starts; without a configuration file it keeps everything in SQLite files.
#[derive(Debug, Parser)]
#[command(name = "api", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `serve`, which may be left out.
    #[command(flatten)]
    pub serve: ServeArgs,
}

impl Cli {
    /// Reads the process's arguments; `--help` and mistakes end the process with a text.
    pub fn read() -> Self {
        Self::parse()
    }

    /// Reads the given arguments, the program's name first.
    ///
    /// # Errors
    /// Clap's error, which prints itself.
    pub fn read_from(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the service
    Serve(ServeArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Bring schemas up to date, or take them back
    Migrate(MigrateArgs),
    /// Look at the connections
    Connections(ConnectionsArgs),
    /// Look at a database and write what is in it: a model, SQL, a picture, a data dictionary, or what is doubtful
    #[command(
        long_about = "Look at a database and write what is in it: a model, SQL, a picture, a data dictionary, or what is \
        doubtful.\n\nNo service has to run. The database is only read, and what is read waits for nobody's lock. What was \
        looked at, what could not be read and what could not be written is told on standard error."
    )]
    Inspect(InspectArgs),
    /// Look at a secret, clear its copies, or rehearse its rotation
    Secrets(SecretsArgs),
    /// Look after the secrets of stored connections
    Registry(RegistryArgs),
    /// Print the OpenAPI document
    Openapi,
    /// Fill the databases with believable users and books
    Seed(SeedArgs),
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// The configuration file (TOML); without it everything is embedded
    #[arg(long, value_name = "FILE", env = "BINDERY_CONFIG")]
    pub config: Option<PathBuf>,
    /// The folder of embedded databases, made when it is missing [default: ./data]
    #[arg(long, value_name = "DIR", env = "BINDERY_DATA")]
    pub data: Option<PathBuf>,
}

/// The arguments of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The address to listen at, such as 127.0.0.1:8080; port 0 picks a free one and prints it
    #[arg(long, value_name = "ADDR", env = "BINDERY_LISTEN")]
    pub listen: Option<SocketAddr>,
}

/// The commands below `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration and print what is in effect, without secrets
    Check(ServeArgs),
}

/// The arguments of `migrate`. Where the configuration comes from may stand before or after the verb.
#[derive(Debug, Args)]
#[command(mut_arg("config", |arg| arg.global(true)), mut_arg("data", |arg| arg.global(true)))]
pub struct MigrateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: MigrateCommand,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Only this context
    #[arg(long, value_name = "NAME", global = true)]
    pub context: Option<String>,
    /// Only this tenant's databases
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "all_tenants")]
    pub tenant: Option<TenantId>,
    /// Every tenant's databases, one after the other, and what the tenants share; one that fails stops none of the others
    #[arg(long, global = true)]
    pub all_tenants: bool,
}

/// The commands below `migrate`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum MigrateCommand {
    /// Apply what is missing
    Up {
        /// At most this many migrations; all when it is left out
        #[arg(long, value_name = "N")]
        steps: Option<u32>,
    },
    /// Take back the newest
    Down {
        /// How many migrations
        #[arg(long, value_name = "N", default_value_t = 1)]
        steps: u32,
    },
    /// Show each migration and how it stands
    Status,
    /// Print the scripts for the configured engines
    Print,
    /// Record what was found, or made, of a migration that did not finish
    #[command(
        long_about = "Record what was found, or made, of a migration that did not finish.\n\nOn MySQL and MariaDB a \
        migration that fails half-way stays half-way, and nothing is applied until a person has looked. Finish the script \
        by hand and record it as `applied`, or take its first half back by hand and record it as `undone`. Needs \
        `--context`."
    )]
    Repair {
        /// The migration's number, as `status` shows it
        number: u32,
        /// What the database is like now
        found: RepairFound,
    },
}

/// What a person found, or made, of a migration that did not finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RepairFound {
    /// All of its script is in effect
    Applied,
    /// Nothing of its script is in effect
    Undone,
}

/// The arguments of `connections`. Where the configuration comes from may stand before or after the verb.
#[derive(Debug, Args)]
#[command(mut_arg("config", |arg| arg.global(true)), mut_arg("data", |arg| arg.global(true)))]
pub struct ConnectionsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ConnectionsCommand,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The commands below `connections`.
#[derive(Debug, Subcommand)]
pub enum ConnectionsCommand {
    /// Show each connection without its secrets
    List,
    /// Try each step from the name to the first answer, and say what to do when one fails
    Test {
        /// Only this connection
        name: Option<String>,
        /// Whose, where connections are kept per tenant
        #[arg(long, value_name = "NAME")]
        tenant: Option<TenantId>,
    },
    /// As `test`, and look around: TLS and its certificate, the server's role, the user's privileges, the latency
    Doctor {
        /// The connection
        name: String,
        /// Whose, where the connection is kept per tenant
        #[arg(long, value_name = "NAME")]
        tenant: Option<TenantId>,
    },
}

/// The arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A connection string such as `postgres://ann@db.example/sales` or `sqlite:shelf.db`, or the name of a configured connection
    #[arg(value_name = "URL|NAME")]
    pub target: String,
    /// json, sql, mermaid, dbml, plantuml, dot, markdown, svg, lint, lint-json or samples [default: what FILE ends with, or json]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Only the part of the database that is called so; letter case counts
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Another database on the same server as the connection's own; letter case counts
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// How many documents of each collection are looked at, where nobody has declared what they are: 0 to 100 [default: 20]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(bounds(&SamplingOptions::DOCUMENTS)))]
    pub sample: Option<u32>,
    /// How many levels of names within documents are told: 1 to 10 [default: 3]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(bounds(&SamplingOptions::DEPTH)))]
    pub depth: Option<u32>,
    /// Write to this file, in the place of what is there, and not to standard output; its ending tells the format where none is
    /// named
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Fail when a finding is as bad as that, or worse
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// The environment variable that has the password, so that it is in no list of processes
    #[arg(long, value_name = "VARIABLE", conflicts_with = "password_file")]
    pub password_env: Option<String>,
    /// The file that has the password and that nobody but its owner may read
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Whose, where a configured connection is kept per tenant
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<TenantId>,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Bounds as the parser has them.
fn bounds(range: &RangeInclusive<u32>) -> RangeInclusive<i64> {
    i64::from(*range.start())..=i64::from(*range.end())
}

/// How bad a finding has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Worth knowing
    Notice,
    /// It costs something, or will
    Warning,
    /// It is wrong, or is about to be
    Error,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Notice => Self::Notice,
            FailOn::Warning => Self::Warning,
            FailOn::Error => Self::Error,
        }
    }
}

/// The arguments of `secrets`. Where the configuration comes from may stand before or after the verb.
#[derive(Debug, Args)]
#[command(mut_arg("config", |arg| arg.global(true)), mut_arg("data", |arg| arg.global(true)))]
pub struct SecretsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SecretsCommand,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The commands below `secrets`. None of them shows a value.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Show which version each stage has, and how old the shared copies are
    Show(SecretName),
    /// Remove the shared copies, so that all processes read the secret anew
    Clear(SecretName),
    /// Try to log in with each version, once, and say what a promotion would come to; changes nothing
    #[command(
        long_about = "Try to log in with AWSCURRENT, AWSPENDING and AWSPREVIOUS, each once, on every connection that has its \
        password in the secret, and say which of them work and what a promotion would come to.\n\nChanges nothing. Fails \
        when logins do not work now, or would not after a promotion. A server may count up to two wrong passwords in a row."
    )]
    RehearseRotation(SecretName),
}

/// Which secret is meant.
#[derive(Debug, Args)]
pub struct SecretName {
    /// The secret's name or ARN, as a connection's password names it
    pub name: String,
    /// Whose, where connections are kept per tenant; `{tenant}` in the secret's name stands for it
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<TenantId>,
}

/// The arguments of `registry`. Where the configuration comes from may stand before or after the verb.
#[derive(Debug, Args)]
#[command(mut_arg("config", |arg| arg.global(true)), mut_arg("data", |arg| arg.global(true)))]
pub struct RegistryArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RegistryCommand,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The commands below `registry`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum RegistryCommand {
    /// Seal the secrets of every stored connection with the key that `registry.key` names
    #[command(
        long_about = "Seal the secrets of every stored connection with the key that `registry.key` names.\n\nGive every \
        instance the new key besides the old one first, then make it the one that seals, then run this: while the service \
        runs where the registry is on a server, or stopped where it is in the data folder. It can be broken off and run \
        again. When it says that nothing is left, the old key can go."
    )]
    RotateKey,
}

/// The arguments of `seed`.
#[derive(Debug, Args)]
pub struct SeedArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Whose databases, where they are kept per tenant
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<TenantId>,
    /// How many users
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub users: u32,
    /// How many books
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub books: u32,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_means_serve() {
        let cli = Cli::read_from(["api", "--listen", "127.0.0.1:0"]).expect("arguments of serve");
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.listen, Some(SocketAddr::from(([127, 0, 0, 1], 0))));
    }

    #[test]
    fn the_configuration_is_named_before_or_after_the_verb() {
        let source = |line: &str| match Cli::read_from(line.split(' ')).expect("arguments").command {
            Some(
                Command::Migrate(MigrateArgs { source, .. }) | Command::Connections(ConnectionsArgs { source, .. }),
            ) => (source.config, source.data),
            other => panic!("{other:?}"),
        };
        let expected = (Some(PathBuf::from("f")), Some(PathBuf::from("d")));
        for line in [
            "api migrate --config f --data d up",
            "api migrate up --config f --data d",
            "api migrate --data d up --config f --steps 1",
            "api connections --config f --data d list",
            "api connections list --config f --data d",
            "api connections test users --config f --data d",
        ] {
            assert_eq!(source(line), expected, "{line}");
        }
        assert!(Cli::read_from(["api", "--config", "f", "migrate", "up"]).is_err(), "serve's own argument");
    }

    #[test]
    fn a_mistyped_command_suggests_the_nearest() {
        let error = Cli::read_from(["api", "migrat", "up"]).expect_err("no such command");
        assert!(error.to_string().contains("'migrate'"), "{error}");
    }
}
