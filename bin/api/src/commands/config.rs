use crate::Plugins;
use crate::cli::ServeArgs;
use crate::commands::say;
use crate::config::Config;

/// Reads the configuration as `serve` would, and prints what is in effect, without secrets.
pub(super) fn check(arguments: &ServeArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, arguments.listen, &plugins.connectors)?;
    say(config.to_toml().trim_end());
    Ok(())
}
