//! Stored connections whose secrets open with none of the keys.

use api::config::TokenConfig;
use connection_manager::config::SealingConfig;
use reqwest::Method;
use serde_json::json;

use super::{CANARY, Registry, sales};

#[tokio::test(flavor = "multi_thread")]
async fn what_opens_with_no_key_is_told_as_that() {
    let mut before = Registry::start().await;
    let mut body = sales();
    body["tls"] = json!({"mode": "verify-full", "client_certificate": CERTIFICATE, "client_key": KEY});
    let path = before.stored(&body).await;
    before.service.stop();
    before.service.ended().await.expect("a good end");
    let data = before.service.folder.path().join("data");
    let key = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";
    let key = SealingConfig::of_file("other", "nowhere".into(), &key.into()).expect("a key");
    let registry = Registry::configured(|config| {
        *config = api::Config::embedded(data);
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.registry.tokens = vec![TokenConfig::literal("tests", super::TOKEN)];
        config.registry.sealing = Some(key);
    })
    .await;

    let tested = registry.ask(Method::POST, &format!("{path}/test"), &[], None).await;
    assert_eq!(tested.status, 200, "{}", tested.text);
    let result = tested.json()["result"].clone();
    assert_eq!((&result["outcome"], &result["stages"][0]["stage"]), (&json!("secret_unavailable"), &json!("policy")));
    assert!(result["remedy"].as_str().is_some_and(|remedy| remedy.contains("key of the registry")), "{result}");
    let health = registry.get(&format!("{path}/health")).await;
    assert_eq!((health.status.as_u16(), &health.json()["result"]), (200, &result));

    let ask = async |below: &str| registry.get(&format!("{path}/{below}")).await;
    let snapshot = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&json!({}))).await;
    let password = json!({"password": CANARY});
    let patched = registry.change(Method::PATCH, &path, &password).await;
    for answer in [
        ask("databases").await,
        ask("schema").await,
        ask("schema/export?format=svg").await,
        ask("schema/lint").await,
        snapshot,
        patched,
    ] {
        answer.is_problem(409, "connection-unusable");
        assert!(!answer.text.contains("embedded") && !answer.text.contains(CANARY), "{}", answer.text);
    }
    // It can still be read, changed beside them, and given all of them anew.
    assert_eq!(registry.get(&path).await.json()["has_password"], json!(true));
    let renamed = registry.change(Method::PATCH, &path, &json!({"name": "Sales 2"})).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    let both = json!({"password": CANARY, "tls": {"client_key": KEY}});
    let anew = registry.change(Method::PATCH, &path, &both).await;
    assert_eq!(anew.status, 200, "{}", anew.text);
    let tested = registry.ask(Method::POST, &format!("{path}/test"), &[], None).await;
    assert_ne!(tested.json()["result"]["outcome"], "secret_unavailable", "{}", tested.text);
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
