//! The package sources that a machine's apt is configured with, in both of its formats.

use std::fs;
use std::path::Path;

/// Where keys lie when a source names none.
const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One archive and one suite of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) uri: String,
    pub(super) suite: String,
    pub(super) components: Vec<String>,
    signed_by: Option<String>,
}

impl Source {
    /// Whether this is the release itself, its updates or its security fixes.
    pub(super) fn serves(&self, codename: &str) -> bool {
        let rest = self.suite.strip_prefix(codename);
        matches!(rest, Some("" | "-updates" | "-security" | "/updates"))
    }

    /// The same archive's unstable suite.
    pub(super) fn unstable(&self) -> Self {
        let keys = Path::new(DEBIAN_KEYS).is_file().then(|| DEBIAN_KEYS.to_owned());
        Self {
            suite: "sid".to_owned(),
            components: vec!["main".to_owned()],
            signed_by: self.signed_by.clone().or(keys),
            ..self.clone()
        }
    }

    /// The source in apt's one-line format.
    pub(super) fn line(&self) -> String {
        let options = self.signed_by.as_ref().map_or_else(String::new, |keys| format!("[signed-by={keys}] "));
        format!("deb {options}{} {} {}", self.uri, self.suite, self.components.join(" "))
    }
}

/// All sources of the machine.
pub(super) fn of_this_machine() -> Vec<Source> {
    let mut found = fs::read_to_string("/etc/apt/sources.list").map_or_else(|_| Vec::new(), |text| one_line(&text));
    let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") else {
        return found;
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => found.extend(one_line(&text)),
            Some("sources") => found.extend(deb822(&text)),
            _ => {}
        }
    }
    found
}

/// A field of a file in the format of `/etc/os-release`.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

/// `deb [signed-by=…] URI SUITE COMPONENT…`, one source a line.
fn one_line(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace().map(ToOwned::to_owned);
    Some(Source {
        uri: words.next()?,
        suite: words.next()?,
        components: words.collect(),
        signed_by: options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .map(ToOwned::to_owned),
    })
}

/// Stanzas of `Types:`, `URIs:`, `Suites:`, `Components:`; one source for each pair of URI and suite.
fn deb822(text: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let uncommented: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for stanza in uncommented.split(|line| line.trim().is_empty()) {
        let words = |name: &str| -> Vec<String> {
            stanza
                .iter()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.split_whitespace().map(ToOwned::to_owned).collect())
                .unwrap_or_default()
        };
        let disabled = words("Enabled").first().is_some_and(|word| word == "no");
        if disabled || !words("Types").iter().any(|kind| kind == "deb") {
            continue;
        }
        // A key may stand in the stanza itself, over several lines; then apt's general keys serve.
        let signed_by = words("Signed-By").first().filter(|path| path.starts_with('/')).cloned();
        for uri in words("URIs") {
            for suite in words("Suites") {
                found.push(Source {
                    uri: uri.clone(),
                    suite,
                    components: words("Components"),
                    signed_by: signed_by.clone(),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let lines = one_line(
            "# the archive\n\
             deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib # ours\n\
             deb-src http://mirror.test/debian bookworm main\n",
        );
        let stanzas = deb822(
            "Types: deb deb-src\n# a remark\nURIs: http://mirror.test/debian\nSuites: bookworm\n\
             Components: main contrib\nSigned-By: /k.gpg\n\nTypes: deb-src\nURIs: http://other.test/\nSuites: x\n",
        );
        assert_eq!(lines, stanzas);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].line(), "deb [signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib");
    }

    #[test]
    fn a_stanza_that_is_switched_off_is_no_source() {
        assert_eq!(deb822("Types: deb\nURIs: http://m.test/\nSuites: a\nEnabled: no\n"), []);
    }

    #[test]
    fn updates_and_security_belong_to_a_release_and_other_vendors_do_not() {
        let serves = |suite: &str| {
            let source = parse_line(&format!("deb http://m.test/ {suite} main")).unwrap();
            source.serves("bookworm")
        };
        assert!(serves("bookworm") && serves("bookworm-updates") && serves("bookworm-security"));
        assert!(!serves("cloud-sdk-bookworm") && !serves("bookworm-backports") && !serves("nodistro"));
    }

    #[test]
    fn unstable_is_asked_of_the_same_mirror() {
        let own = parse_line("deb [signed-by=/k.gpg] http://mirror.test/debian bookworm main").unwrap();
        assert_eq!(own.unstable().line(), "deb [signed-by=/k.gpg] http://mirror.test/debian sid main");
    }

    #[test]
    fn fields_of_os_release_lose_their_quotes() {
        assert_eq!(field("ID=debian\nVERSION_CODENAME=\"bookworm\"\n", "VERSION_CODENAME").unwrap(), "bookworm");
        assert_eq!(field("ID=debian\n", "VERSION_CODENAME"), None);
    }
}
