use std::io::Write as _;

use super::super::SecretsConfig;
use crate::ConnectionFactory;
use crate::config::{ConfigError, ConnectionsConfig, Document, Reader};

const CONNECTIONS: &str = "[connections.cache]\nengine = \"redis\"\nhost = \"localhost\"\ndatabase = \"0\"\n\
                           [connections.users]\nengine = \"mysql\"\nhost = \"localhost\"\nusername = \"u\"\n\
                           database = \"d\"\n";
/// 32 bytes.
const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

fn read(text: &str, variables: &[(&str, &str)]) -> Result<SecretsConfig, ConfigError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let document = Document::parse("bindery.toml", text)?.overlay("BINDERY_", variables);
    let reader = Reader::new(&document);
    let connections = ConnectionsConfig::read(&reader.root(), &ConnectionFactory::compiled());
    let config = SecretsConfig::read(&reader.root(), &connections);
    reader.finish()?;
    Ok(config)
}

#[track_caller]
fn refused(text: &str, variables: &[(&str, &str)], expected: &[&str]) {
    let error = read(&format!("{text}\n{CONNECTIONS}"), variables).expect_err("the configuration is wrong").to_string();
    assert_eq!(error.lines().collect::<Vec<_>>(), expected);
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(content.as_bytes()).expect("written");
    file
}

#[test]
fn without_the_table_each_process_keeps_to_itself() {
    assert!(read(CONNECTIONS, &[]).unwrap().shared.is_none());
}

#[test]
fn keys_are_read_where_they_are_and_shown_as_places() {
    let file = file(&format!("{ONE}\n"));
    let text = format!(
        "[secrets.shared]\nconnection = \"cache\"\nkey = \"new\"\nlease = \"20s\"\n\
         [secrets.shared.keys]\nold = {{ file = \"{}\" }}\n{CONNECTIONS}",
        file.path().display()
    );
    let variables = [("BINDERY_SECRETS__SHARED__KEYS__NEW", TWO)];
    let config = read(&text, &variables).unwrap();
    let shared = config.shared.as_ref().unwrap();
    assert_eq!(shared.key_names().collect::<Vec<_>>(), ["new", "old"]);
    assert_eq!(shared.level.connection, "cache");
    assert_eq!(shared.level.stale_limit, config.cache.stale_limit);
    let shown = config.effective().to_string();
    assert!(shown.contains("new = \"[redacted]\"") && shown.contains("old = { file = "), "{shown}");
    for key in [ONE, TWO] {
        assert!(!shown.contains(key) && !format!("{config:?}").contains(key), "{shown}");
    }
    let without: String = shown.lines().filter(|line| !line.contains("[redacted]")).flat_map(|l| [l, "\n"]).collect();
    let again = read(&format!("{without}{CONNECTIONS}"), &variables).unwrap();
    assert_eq!(again.effective().to_string(), shown);
}

#[test]
fn one_key_needs_no_choice_and_the_lease_outlasts_the_question() {
    let file = file(ONE);
    let text = format!(
        "[secrets]\ntimeout = \"30s\"\n[secrets.shared]\nconnection = \"cache\"\n\
         keys = {{ only = {{ file = \"{}\" }} }}\n{CONNECTIONS}",
        file.path().display()
    );
    let config = read(&text, &[]).unwrap();
    assert_eq!(config.shared.unwrap().level.lease, std::time::Duration::from_mins(1));
}

#[test]
fn the_connection_is_one_of_redis() {
    let rest = format!("keys = {{ a = {{ file = \"{}\" }} }}", file(ONE).path().display());
    let no_file = "bindery.toml:3: secrets.shared.keys.a.file: the secret file ";
    for (line, expected) in [
        ("connection = \"users\"", "`users` is of the engine mysql; expected a connection with engine = \"redis\""),
        ("connection = \"cach\"", "unknown connection `cach`, did you mean `cache`?"),
    ] {
        let text = format!("[secrets.shared]\n{line}\n{rest}\n{CONNECTIONS}");
        let error = read(&text, &[]).expect_err("the connection is wrong").to_string();
        assert!(error.starts_with(&format!("bindery.toml:2: secrets.shared.connection: {expected}\n")), "{error}");
        assert!(error.contains(no_file), "every fault is told: {error}");
    }
}

#[test]
fn every_fault_is_told_with_its_line() {
    refused(
        "[secrets.shared]\nprefix = \"\"\ntimeout = \"0s\"\nlease = \"5s\"\n[secrets.shared.keys]\na = \"in the file\"\n\
         b = { env = \"BINDERY_SURELY_NOT_SET\" }\nc = { env = \"A\", file = \"b\" }\nd = {}\ne = { secrets_manager = \"x\" }",
        &[],
        &[
            "bindery.toml:1: secrets.shared.connection: missing: which of [connections] do the processes share?",
            "bindery.toml:1: secrets.shared.key: missing: which one of the keys a, b, c, d, e seals?",
            "bindery.toml:2: secrets.shared.prefix: must not be empty: the database may hold other keys",
            "bindery.toml:3: secrets.shared.timeout: must be longer than zero",
            "bindery.toml:4: secrets.shared.lease: must be longer than secrets.timeout (5s): whoever asks AWS needs it \
             until then",
            "bindery.toml:6: secrets.shared.keys.a: a key does not belong in the file; write { env = \"VARIABLE\" } or \
             { file = \"PATH\" }",
            "bindery.toml:7: secrets.shared.keys.b.env: the environment variable `BINDERY_SURELY_NOT_SET` is not set",
            "bindery.toml:8: secrets.shared.keys.c: more than one place is given; keep one",
            "bindery.toml:9: secrets.shared.keys.d: write { env = \"VARIABLE\" } or { file = \"PATH\" }",
            "bindery.toml:10: secrets.shared.keys.e: write { env = \"VARIABLE\" } or { file = \"PATH\" }",
            "bindery.toml:10: secrets.shared.keys.e.secrets_manager: unknown key `secrets_manager`, expected one of: \
             env, file",
        ],
    );
    refused(
        "[secrets.shared]\nconnection = \"cache\"",
        &[],
        &["bindery.toml:1: secrets.shared.keys: missing: with what are the copies sealed? For each key write { env = \
           \"VARIABLE\" } or { file = \"PATH\" }"],
    );
}

#[test]
fn a_key_that_cannot_be_used_is_named_and_not_repeated() {
    let expected = "expected 32 random bytes in base64, as `openssl rand -base64 32` prints them";
    for (key, fault) in [
        ("c2hvcnQ=", format!("the key `a` is not 32 bytes long; {expected}")),
        ("hunter2 hunter2", format!("{expected}; this is not base64")),
    ] {
        refused(
            "[secrets.shared]\nconnection = \"cache\"",
            &[("BINDERY_SECRETS__SHARED__KEYS__A", key)],
            &[&format!("environment variable BINDERY_SECRETS__SHARED__KEYS__A: secrets.shared.keys.a: {fault}")],
        );
    }
    refused(
        "[secrets.shared]\nconnection = \"cache\"\nkey = \"new\"",
        &[("BINDERY_SECRETS__SHARED__KEYS__A", ONE)],
        &["bindery.toml:3: secrets.shared.key: unknown key `new`, expected one of: a"],
    );
}
