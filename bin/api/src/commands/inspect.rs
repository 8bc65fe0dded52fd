use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use connection_manager::egress::EgressConfig;
use connection_manager::settings::InvalidUrl;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, LocalSecrets, PasswordSource, SecretSource,
};
use indicatif::ProgressBar;
use schema_inspect::{InspectOptions, Inspectors};
use schema_lint::{Finding, Severity};
use schema_model::{ChoiceReason, Database, DatabaseChoice, Inspection, ObjectName};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections as _};

use super::connections::targets;
use crate::Plugins;
use crate::application::secrets;
use crate::cli::InspectArgs;
use crate::config::{Config, describe};
use crate::registry::{ExportFailure, Exports};
use crate::terminal::{visible, visible_lines};

/// How long a database may take to be looked at.
const LIMIT: Duration = Duration::from_mins(5);
/// How long closing the connection may take at the end.
const CLOSE_GRACE: Duration = Duration::from_secs(5);
/// How many lines are told of what is missing.
const MOST_TOLD: usize = 20;
/// The name under which the manager has the connection.
const NAME: &str = "inspected";
/// What is said where an exporter fails, or what is made is beyond the bounds, which are the service's.
const NOT_MADE: &str = "the database was looked at and could not be written";
/// Findings for people.
const LINT: &str = "lint";
/// How the names of files end that have them.
const LINT_ENDING: &str = "txt";
/// Findings for programs.
const LINT_JSON: &str = "lint-json";
/// What is beside the model: how much there is, and what documents and keys look like.
const SAMPLES: &str = "samples";

/// Who connects to databases and looks at them, who writes what was seen, and who judges it.
struct Tools<'a> {
    connectors: &'a ConnectionFactory,
    inspectors: &'a Inspectors,
    exports: Exports,
}

impl<'a> Tools<'a> {
    fn new(plugins: &'a Plugins) -> Self {
        Self { connectors: &plugins.connectors, inspectors: &plugins.inspectors, exports: Exports::new(plugins) }
    }

    fn formats(&self) -> Vec<&str> {
        let mut formats = self.exports.formats();
        formats.extend([LINT, LINT_JSON, SAMPLES]);
        formats
    }

    /// The format that is asked for, or that the file's name tells. A name without an ending tells none.
    fn format(&self, arguments: &InspectArgs) -> anyhow::Result<String> {
        let formats = self.formats();
        let Some(format) = &arguments.format else {
            let ending = arguments.output.as_ref().and_then(|file| file.extension());
            let usual = if arguments.fail_on.is_some() { LINT } else { "json" };
            return match ending.map(OsStr::to_string_lossy) {
                None => Ok(usual.to_owned()),
                Some(ending) if usual == LINT && ending.eq_ignore_ascii_case(LINT_ENDING) => Ok(LINT.to_owned()),
                Some(ending) => self.format_that_ends_so(&ending),
            };
        };
        if !formats.contains(&format.as_str()) {
            bail!("there is no format `{format}`, only {}", formats.join(", "));
        }
        Ok(format.clone())
    }

    fn format_that_ends_so(&self, ending: &str) -> anyhow::Result<String> {
        let mut endings = Vec::new();
        for format in self.exports.formats() {
            let Some(exporter) = self.exports.exporter(format) else { continue };
            if exporter.file_extension().eq_ignore_ascii_case(ending) {
                return Ok(format.to_owned());
            }
            let known = format!(".{}", exporter.file_extension());
            if !endings.contains(&known) {
                endings.push(known);
            }
        }
        bail!(
            "no format ends in `.{}`: end the file's name in one of {}, or name a format with `--format`",
            visible(ending),
            endings.join(", ")
        )
    }

    fn export(&self, format: &str, database: &Database) -> anyhow::Result<String> {
        let exporter = self.exports.exporter(format).context("there is no such format")?;
        match Exports::write(&*exporter, database) {
            Ok(written) => {
                let lines = written.omissions.iter().map(|omission| {
                    format!("left out: {}: {}", place(omission.object.as_ref(), &omission.part), omission.reason)
                });
                tell(lines);
                Ok(written.text)
            }
            Err(ExportFailure::NotForEngine(engine)) => {
                let others: Vec<&str> = self.formats().into_iter().filter(|other| *other != format).collect();
                bail!("format `{format}` is not written for engine `{engine}`; try one of {}", others.join(", "))
            }
            Err(error) => Err(error).context(NOT_MADE),
        }
    }

    /// What is doubtful, in one of the two formats for it.
    fn judge(&self, format: &str, database: &Database) -> anyhow::Result<(String, Vec<Finding>)> {
        let findings = Exports::judge(self.exports.lints(), None, database).context(NOT_MADE)?;
        let text = match format {
            LINT => for_people(&findings),
            _ => Exports::to_json_in_lines(&findings).context(NOT_MADE)? + "\n",
        };
        Ok((text, findings))
    }
}

/// Looks at a database and writes what is in it.
pub(super) async fn run(arguments: InspectArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let tools = &Tools::new(plugins);
    let format = tools.format(&arguments)?;
    let judges = [LINT, LINT_JSON].contains(&format.as_str());
    if arguments.fail_on.is_some() && !judges {
        bail!("`--fail-on` is about findings: it goes with `--format {LINT}` or `--format {LINT_JSON}`");
    }
    let inspection = inspect(&arguments, tools).await?;
    let database = &inspection.database;
    let (text, findings) = match format.as_str() {
        _ if judges => tools.judge(&format, database)?,
        SAMPLES => (samples(&inspection)?, Vec::new()),
        _ => (tools.export(&format, database)?, Vec::new()),
    };
    match &arguments.output {
        Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?,
        None => print(&text)?,
    }
    let Some(least) = arguments.fail_on.map(Severity::from) else { return Ok(()) };
    match findings.iter().filter(|finding| finding.severity >= least).count() {
        0 => Ok(()),
        1 => bail!("one finding is as bad as `{}`, or worse", least.as_str()),
        count => bail!("{count} findings are as bad as `{}`, or worse", least.as_str()),
    }
}

/// What no exporter has, since it is no part of the model.
fn samples(inspection: &Inspection) -> anyhow::Result<String> {
    let Inspection { statistics, samples, key_samples, .. } = inspection;
    let all = serde_json::json!({ "statistics": statistics, "samples": samples, "key_samples": key_samples });
    Ok(Exports::to_json_in_lines(&all).context(NOT_MADE)? + "\n")
}

async fn inspect(arguments: &InspectArgs, tools: &Tools<'_>) -> anyhow::Result<Inspection> {
    let inspectors = tools.inspectors;
    let (mut settings, secrets) = settings(arguments, tools.connectors)?;
    let shown = describe(&settings);
    settings.pool.min = 0;
    if let Some(path) = settings.path.take() {
        settings = only_read(settings, &path)?;
    }
    let options = options(arguments, inspectors, &mut settings)?;
    let manager = ConnectionManager::builder(tools.connectors.clone()).secrets(secrets);
    let manager = manager.connection(NAME, settings).build()?;
    let began = Instant::now();
    // It shows itself on a terminal alone.
    let progress = ProgressBar::new_spinner().with_message(format!("connecting to {shown}"));
    progress.enable_steady_tick(Duration::from_millis(100));
    let looked = async {
        let context = RequestContext::system().within(LIMIT);
        let connection = manager.get(NAME, Access::Read, &context).await;
        let connection = connection.with_context(|| format!("cannot connect to {shown}"))?;
        progress.set_message(format!("looking at {shown}"));
        let inspection = inspectors.inspect(&*connection, &options, &context).await;
        let inspection = inspection.and_then(|found| inspectors.expect_all(found, &options));
        inspection.with_context(|| format!("cannot look at {shown}"))
    };
    let looked = looked.await;
    progress.finish_and_clear();
    manager.close(CLOSE_GRACE).await;
    let inspection = looked?;
    let (database, report) = (&inspection.database, &inspection.report);
    eprintln!(
        "{} {}: {} in {} statements and {:.1?}",
        visible(&database.engine),
        visible(&database.version),
        contents(
            database.relations().count(),
            database.collections().count(),
            inspection.key_samples.iter().map(|sample| sample.patterns.len()).sum(),
        ),
        report.statements,
        began.elapsed()
    );
    tell(report.choice.iter().map(chosen));
    let lines = report.gaps.iter().map(|gap| {
        let reason = serde_json::to_value(gap.reason).ok().and_then(|reason| reason.as_str().map(str::to_owned));
        format!("not read: {}: {}", place(gap.object.as_ref(), &gap.part), reason.unwrap_or_default())
    });
    tell(lines);
    Ok(inspection)
}

/// What to look at and how closely; another database than its own is where the connection leads from now on.
fn options(
    arguments: &InspectArgs,
    inspectors: &Inspectors,
    settings: &mut ConnectionSettings,
) -> anyhow::Result<InspectOptions> {
    let InspectArgs { database, schema, sample, depth, .. } = arguments;
    let own = settings.database.take();
    let meant = inspectors.meant(&settings.engine, own.as_deref(), database.as_deref(), schema.as_deref())?;
    settings.database = meant.database.map(str::to_owned).or(own);
    let mut options = InspectOptions::default();
    options.sampling.documents = sample.unwrap_or(options.sampling.documents);
    options.sampling.depth = depth.unwrap_or(options.sampling.depth);
    Ok(match meant.namespace {
        Some(namespace) => options.only([namespace]),
        None => options,
    })
}

/// How much there is of what there is.
fn contents(relations: usize, collections: usize, patterns: usize) -> String {
    let counts = [(relations, "relation"), (collections, "collection"), (patterns, "key pattern")];
    let counted = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| {
        let ending = if *count == 1 { "" } else { "s" };
        format!("{count} {what}{ending}")
    });
    let told: Vec<String> = counted.collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(" and ") }
}

/// Which database was looked at, where none was named.
fn chosen(choice: &DatabaseChoice) -> String {
    let DatabaseChoice { name, among, .. } = choice;
    let why = match choice.reason {
        ChoiceReason::Only => "the only one".to_owned(),
        ChoiceReason::OnlyFilled => format!("the only one of {among} with something in it"),
        ChoiceReason::Largest => format!("the largest of {among}"),
        ChoiceReason::First => format!("the first of {among} by its name"),
    };
    format!("looked at: database {name}, {why}")
}

/// Where the database is, and who knows the passwords.
fn settings(
    arguments: &InspectArgs,
    connectors: &ConnectionFactory,
) -> anyhow::Result<(ConnectionSettings, Arc<dyn SecretSource>)> {
    let InspectArgs { target, tenant, source, .. } = arguments;
    // No connection of the configuration has a colon in its name.
    if !target.contains(':') {
        let config = Config::load(source, None, connectors)?;
        let mut targets = targets(&config, Some(target.as_str()), tenant.as_ref())?.into_iter();
        let settings = targets.next().context("there is no such connection")?.settings.into_owned();
        let secrets: Arc<dyn SecretSource> = Arc::new(secrets(&config)?);
        return Ok((with_password(settings, arguments), secrets));
    }
    if tenant.is_some() {
        bail!("`--tenant` goes with the name of a configured connection");
    }
    let settings = ConnectionSettings::from_url(target).map_err(|error| anyhow::anyhow!(refusal(&error)))?;
    Ok((with_password(settings, arguments), Arc::new(LocalSecrets)))
}

fn with_password(mut settings: ConnectionSettings, arguments: &InspectArgs) -> ConnectionSettings {
    if let Some(variable) = &arguments.password_env {
        settings.password = PasswordSource::Environment(variable.clone());
    } else if let Some(file) = &arguments.password_file {
        settings.password = PasswordSource::File(file.clone());
    }
    settings
}

/// What is wrong with a connection string, without anything of it that could be a piece of a password.
fn refusal(error: &InvalidUrl) -> String {
    const EXPECTED: &str = "expected `engine://user@host:port/database?tls=verify-full` with special characters \
                            percent-encoded, `sqlite:path`, or the name of a configured connection";
    let is_word = |name: &str| name.len() <= 40 && name.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c));
    match error {
        InvalidUrl::UnknownParameter(name) if is_word(name) => {
            format!("the connection string has an unknown parameter `{name}`")
        }
        InvalidUrl::Parameter { parameter, .. } if parameter == "tls" => {
            "the connection string's parameter `tls` is disabled, required or verify-full".to_owned()
        }
        InvalidUrl::Parameter { parameter, .. } if is_word(parameter) => {
            format!("the connection string's parameter `{parameter}` has a value that it cannot have")
        }
        _ => format!("the connection string cannot be read: {EXPECTED}"),
    }
}

/// A file as it is: none is made, and none is given another journal.
fn only_read(mut settings: ConnectionSettings, path: &Path) -> anyhow::Result<ConnectionSettings> {
    if path == Path::new(":memory:") {
        bail!("a database in memory has nothing in it");
    }
    let path = std::fs::canonicalize(path).with_context(|| format!("cannot open {}", path.display()))?;
    let folder = path.parent().context("the path is no file's")?.to_owned();
    settings.path = Some(path);
    settings.options.remove("create");
    Ok(settings.with_egress(EgressConfig::open().egress([]).with_files_below(folder)))
}

/// Writes to standard output. That nobody reads on is no fault; that it cannot be written is one.
fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let mut shown = if output.is_terminal() { visible_lines(text) } else { text.to_owned() };
    // What comes next, be it a prompt, begins with a line of its own.
    if !shown.is_empty() && !shown.ends_with('\n') {
        shown.push('\n');
    }
    match output.write_all(shown.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Tells what is missing, on standard error.
fn tell(lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(MOST_TOLD);
    for line in lines.take(MOST_TOLD) {
        eprintln!("{}", visible(&line));
    }
    if more > 0 {
        eprintln!("… and {more} more");
    }
}

fn place(object: Option<&ObjectName>, part: &str) -> String {
    object.map_or_else(|| part.to_owned(), |object| format!("{object}, {part}"))
}

/// One after the other, and how many there are.
fn for_people(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let part = finding.object.part.as_ref().map(|part| format!(", {part}")).unwrap_or_default();
        let place = visible(&format!("{}{part}", finding.object.name));
        let severity = finding.severity.as_str();
        let _ = writeln!(text, "{severity:<7} {:<23} {place}", finding.rule);
        let _ = writeln!(text, "        {}", visible(&finding.message));
        let _ = writeln!(text, "        {}", visible(&finding.suggestion));
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let _ = writeln!(text, "errors: {errors}, warnings: {warnings}, notices: {}", count(Severity::Notice));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_at_is_told() {
        assert_eq!([contents(3, 0, 0), contents(0, 2, 0)], ["3 relations", "2 collections"]);
        assert_eq!([contents(0, 0, 0), contents(0, 0, 1)], ["nothing", "1 key pattern"]);
        assert_eq!(contents(1, 2, 0), "1 relation and 2 collections");
        let told = |reason| chosen(&DatabaseChoice { name: "shop".to_owned(), reason, among: 3 });
        assert_eq!(told(ChoiceReason::Largest), "looked at: database shop, the largest of 3");
        assert_eq!(told(ChoiceReason::OnlyFilled), "looked at: database shop, the only one of 3 with something in it");
        assert_eq!(told(ChoiceReason::First), "looked at: database shop, the first of 3 by its name");
        assert_eq!(told(ChoiceReason::Only), "looked at: database shop, the only one");
    }

    #[test]
    fn no_piece_of_a_password_is_repeated() {
        for url in [
            "mysql://ann:can?ary@db/x",
            "mysql://ann:can?ary=1&min=canary@db/x",
            "mysql://ann:x@db/x?tls=canary",
            "mysql://ann:can ary@db:canary/x",
            "canary",
            "mysql://ann:%ff@db/canary",
        ] {
            let told = refusal(&ConnectionSettings::from_url(url).expect_err("it is none"));
            assert!(!told.contains("ary"), "{url}: {told}");
        }
    }
}
