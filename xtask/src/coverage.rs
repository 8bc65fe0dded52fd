//! Which lines the tests run: instrumented binaries, LLVM's tools, lines counted by layer.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::testing::engine::Engine;
use crate::testing::report::Ending;
use crate::testing::runner::{SCOPE, cargo};
use crate::{process, workspace};
pub(crate) use layers::table;
use tools::Tools;

mod layers;
mod test_code;
mod tools;

/// How often each line of each file ran; test code is left out.
pub(crate) type Lines = BTreeMap<String, BTreeMap<usize, u64>>;

/// The workspace compiled so that it counts what runs. A target folder of its own keeps the usual one as it is.
pub(crate) struct Instrumented {
    folder: PathBuf,
    wrapper: PathBuf,
    tools: Tools,
}

impl Instrumented {
    pub(crate) fn prepare() -> Result<Self> {
        let folder = workspace::provided().join("coverage");
        let profiles = folder.join("profiles");
        if profiles.exists() {
            fs::remove_dir_all(&profiles)?;
        }
        fs::create_dir_all(&profiles)?;
        let tools = Tools::find()?;
        // The workspace's own crates alone are instrumented: those of others would only be slower.
        let wrapper = folder.join("rustc-instrumented");
        fs::write(&wrapper, "#!/bin/sh\nexec \"$@\" -C instrument-coverage\n")?;
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder, wrapper, tools })
    }

    /// Compiles the tests.
    pub(crate) fn build(&self) -> Command {
        let mut command = self.test();
        command.arg("--no-run");
        command
    }

    /// Runs the tests. A failure is told and does not end the measurement.
    pub(crate) fn run(&self, excluded: &[Engine], environment: &[(String, String)]) -> Result<Ending> {
        let mut command = self.test();
        command.envs(environment.iter().cloned()).args(["--no-fail-fast", "--", "--quiet"]);
        for engine in excluded {
            command.args(["--skip", &format!("on_engines::{}", engine.segment())]);
        }
        let status = process::run(&mut command)?;
        Ok(if status.success() {
            Ending::Passed(String::new())
        } else {
            Ending::Failed("a test failed; see above".to_owned())
        })
    }

    /// What was counted.
    pub(crate) fn lines(&self, say: &dyn Fn(&str)) -> Result<Lines> {
        say("merging");
        let data = self.folder.join("merged.profdata");
        let mut merge = self.tools.command("llvm-profdata");
        merge.args(["merge", "--sparse", "--failure-mode=all", "--output"]).arg(&data);
        merge.arg(self.folder.join("profiles"));
        process::capture(&mut merge)?;

        say("exporting");
        let mut export = self.tools.command("llvm-cov");
        export.args(["export", "--format=lcov", "--instr-profile"]).arg(&data);
        let binaries = self.binaries()?;
        for binary in &binaries {
            export.arg("--object").arg(binary);
        }
        let text = process::capture(&mut export)?;
        let mut lines = parse(&text, workspace::root());
        for (file, counts) in &mut lines {
            let source = fs::read_to_string(workspace::root().join(file)).unwrap_or_default();
            let tests = test_code::spans(&source);
            counts.retain(|line, _| !tests.iter().any(|span| span.contains(line)));
        }
        Ok(lines)
    }

    fn test(&self) -> Command {
        let mut command = cargo(&["test", "--lib", "--bins", "--tests"]);
        command
            .args(SCOPE)
            .env("CARGO_TARGET_DIR", &self.folder)
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTC_WORKSPACE_WRAPPER", &self.wrapper)
            // Eight files for each binary, written by whichever process comes: a process a file would be thousands.
            .env("LLVM_PROFILE_FILE", self.folder.join("profiles/%8m.profraw"));
        command
    }

    /// Everything that was compiled to run.
    fn binaries(&self) -> Result<Vec<PathBuf>> {
        let mut command = self.build();
        command.args(["--message-format", "json"]);
        let mut found: Vec<PathBuf> = process::capture(&mut command)?
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .collect();
        found.sort();
        found.dedup();
        if found.is_empty() {
            bail!("cargo names no binary");
        }
        Ok(found)
    }
}

/// Reads LLVM's `lcov` text: `SF:` names a file, `DA:` a line and how often it ran.
fn parse(text: &str, root: &Path) -> Lines {
    let mut lines = Lines::new();
    let mut file = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = Path::new(path).strip_prefix(root).ok().map(|path| path.display().to_string());
        } else if let (Some(file), Some(counts)) = (&file, line.strip_prefix("DA:")) {
            let mut numbers = counts.split(',').map(str::parse::<u64>);
            if let (Some(Ok(number)), Some(Ok(count))) = (numbers.next(), numbers.next())
                && let Ok(number) = usize::try_from(number)
            {
                *lines.entry(file.clone()).or_default().entry(number).or_default() += count;
            }
        }
    }
    lines
}

/// The version of LLVM that the compiler was built with: its profiles are read by tools of the same major version.
fn llvm_major() -> Result<u32> {
    let text = process::capture(Command::new("rustc").arg("-vV"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))
        .and_then(|version| version.split('.').next()?.parse().ok())
        .context("rustc does not say which LLVM it has")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_line_in_several_binaries_are_added_up() {
        let text = "SF:/w/crates/a/src/lib.rs\nDA:3,1\nDA:4,0\nend_of_record\n\
                    SF:/elsewhere/lib.rs\nDA:1,9\nend_of_record\n\
                    SF:/w/crates/a/src/lib.rs\nDA:3,2\nend_of_record\n";
        let lines = parse(text, Path::new("/w"));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines["crates/a/src/lib.rs"], BTreeMap::from([(3, 3), (4, 0)]));
    }
}
