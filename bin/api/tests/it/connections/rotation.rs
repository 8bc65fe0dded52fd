use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;

const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

fn api(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.current_dir(folder).env_clear().env("ONE", ONE).env("TWO", TWO).stdin(Stdio::null());
    let output = command.args(arguments).args(["--config", "bindery.toml"]).output().expect("the binary starts");
    let said = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).expect("UTF-8");
    for secret in [ONE, TWO, super::CANARY] {
        assert!(!said.contains(secret), "{said}");
    }
    (output, said)
}

fn configure(folder: &TempDir, registry: &str) {
    std::fs::write(folder.path().join("bindery.toml"), registry).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_by_configuration_and_one_command() {
    let mut registry = super::Registry::start().await;
    registry.stored(&super::sales()).await;
    registry.stored(&json!({"name": "Plain", "engine": "mysql", "host": "h", "username": "u"})).await;
    registry.service.stop();
    registry.service.ended().await.expect("a good end");
    let folder = &registry.service.folder;
    // The key that was made at the first start, and a new one in front of it.
    let keys = "[registry.keys]\nembedded = { file = \"data/registry.key\" }\ntwo = { env = \"TWO\" }\n";
    configure(folder, &format!("[registry]\nkey = \"two\"\n{keys}"));
    let (output, said) = api(folder.path(), &["registry", "rotate-key"]);
    assert!(output.status.success() && said.contains("1 connection sealed anew with the key `two`"), "{said}");
    let (output, said) = api(folder.path(), &["registry", "rotate-key"]);
    assert!(output.status.success() && said.contains("0 connections sealed anew"), "{said}");
    // The old key is gone, and nothing needs it; going back without the new one does not work.
    configure(folder, "[registry.keys]\ntwo = { env = \"TWO\" }\n");
    assert!(api(folder.path(), &["registry", "rotate-key"]).0.status.success());
    configure(folder, "[registry.keys]\none = { env = \"ONE\" }\n");
    let (output, said) = api(folder.path(), &["registry", "rotate-key"]);
    assert!(!output.status.success() && said.contains("sealed with the key `two`, cannot be opened"), "{said}");
}

#[test]
fn on_a_server_the_registry_needs_a_key_and_a_token() {
    let folder = TempDir::with_prefix("bindery-registry-").expect("the folder for temporary files is writable");
    let server =
        "[connections.registry]\nengine = \"mysql\"\nhost = \"localhost\"\nusername = \"u\"\ndatabase = \"d\"\n";
    configure(&folder, server);
    let (output, said) = api(folder.path(), &["config", "check"]);
    assert!(!output.status.success(), "{said}");
    for expected in ["registry.keys: missing: ", "registry.tokens: missing: "] {
        assert!(said.contains(expected), "{said}");
    }
    configure(
        &folder,
        &format!("{server}[registry]\nkeys = {{ a = \"{ONE}\" }}\ntokens = {{ b = {{ env = \"SHORT\" }} }}\n"),
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.current_dir(folder.path()).env_clear().env("SHORT", "short").stdin(Stdio::null());
    let output = command.args(["config", "check", "--config", "bindery.toml"]).output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("a key does not belong in the file") && !said.contains(ONE), "{said}");
    assert!(said.contains("registry.tokens.b: expected at least 32 of"), "{said}");
}
