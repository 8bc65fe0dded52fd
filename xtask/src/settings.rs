//! The environment variables that xtask reads, in one place.

/// The value of a variable, when it is set to something.
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the developer tool's own settings; nothing of the product is configured here"
    )]
    let value = std::env::var(name).ok();
    value.filter(|text| !text.is_empty())
}

/// Whether a build server runs us: then a missing engine is a failure.
pub(crate) fn continuous_integration() -> bool {
    variable("CI").is_some_and(|value| value != "false" && value != "0")
}

/// Where programs are looked for.
pub(crate) fn search_path() -> Vec<std::path::PathBuf> {
    variable("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// A program found on the search path.
pub(crate) fn program(name: &str) -> Option<std::path::PathBuf> {
    search_path().into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}
