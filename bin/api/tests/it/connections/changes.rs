use reqwest::Method;
use serde_json::{Value, json};

use super::{CANARY, Registry, sales};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_sets_clears_and_keeps() {
    let registry = Registry::start().await;
    let path = registry.stored(&sales()).await;
    let changes =
        json!({"notes": null, "labels": {"stage": null, "tier": "1"}, "database": "other", "name": "Sales 2"});
    let patched = registry.change(Method::PATCH, &path, &changes).await.json();
    assert_eq!(patched["labels"], json!({"team": "sales", "tier": "1"}), "{patched}");
    assert_eq!((&patched["notes"], &patched["database"]), (&Value::Null, &json!("other")));
    assert_eq!((&patched["has_password"], &patched["version"]), (&json!(true), &json!(2)));
    let same = registry.change(Method::PATCH, &path, &json!({"name": "Sales 2"})).await.json();
    assert_eq!(same["version"], 2);
    for (patch, expected) in [
        (json!({"name": null}), &["/name wrong_type"][..]),
        (json!({"url": "mysql://h"}), &["/url unknown_field"]),
        (json!({"": null, "url": null}), &["/ unknown_field", "/url unknown_field"]),
        (json!({"tls": {"cert": null}}), &["/tls/cert unknown_field"]),
        (json!({"labels": {"Team": null, "stage": null}}), &["/labels/Team foreign_character"]),
        (json!({"port": "5432"}), &["/port wrong_type"]),
        (json!({"version": 7, "has_password": false}), &["/has_password read_only", "/version read_only"]),
        (json!([]), &[" wrong_type"]),
        (json!({"labels": 1}), &["/labels wrong_type"]),
    ] {
        let refused = registry.change(Method::PATCH, &path, &patch).await;
        assert_eq!(refused.is_problem(422, "validation").faults(), expected, "{patch}");
    }
    let late = registry.ask(Method::PATCH, &path, &[("if-match", "\"r1-v1\"")], Some(&json!({"notes": "x"}))).await;
    late.is_problem(412, "precondition-failed");
    registry
        .ask(Method::PATCH, &path, &[], Some(&json!({"notes": "x"})))
        .await
        .is_problem(428, "precondition-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_elsewhere_drops_the_password() {
    let registry = Registry::start().await;
    let has_password = async |patch: Value, method: Method| {
        let path = registry.stored(&sales()).await;
        let mut body = patch;
        if method == Method::PUT {
            let mut whole = registry.get(&path).await.json();
            body.as_object().expect("an object").iter().for_each(|(key, value)| whole[key] = value.clone());
            whole.as_object_mut().expect("an object").remove("has_password");
            body = whole;
        }
        let changed = registry.change(method, &path, &body).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let deleted = registry.ask(Method::DELETE, &path, &[("if-match", "*")], None).await;
        assert_eq!(deleted.status, 204);
        changed.json()["has_password"].clone()
    };
    for method in [Method::PATCH, Method::PUT] {
        for patch in [
            json!({"host": "evil.example"}),
            json!({"port": 6000}),
            json!({"username": "root"}),
            json!({"tls": {"mode": "disabled"}}),
            json!({"tls": {"mode": "verify-full", "ca": CERTIFICATE}}),
            json!({"engine": "mysql", "options": {}}),
        ] {
            let patch = if method == Method::PATCH && patch.get("engine").is_some() {
                json!({"engine": "mysql", "options": null})
            } else {
                patch
            };
            assert_eq!(has_password(patch.clone(), method.clone()).await, false, "{method} {patch}");
            let mut along = patch;
            along["password"] = json!("another");
            assert_eq!(has_password(along.clone(), method.clone()).await, true, "{method} {along}");
        }
        for patch in [json!({"database": "x"}), json!({"options": {"application_name": "y"}}), json!({"notes": "z"})] {
            assert_eq!(has_password(patch.clone(), method.clone()).await, true, "{method} {patch}");
        }
        assert_eq!(has_password(json!({"password": null}), method).await, false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_and_a_secret_take_each_others_place() {
    let registry = Registry::configured(|config| config.registry.secret_prefix = Some("team/".to_owned())).await;
    let path = registry.stored(&sales()).await;
    let traded = registry.change(Method::PATCH, &path, &json!({"secret": "team/sales"})).await.json();
    assert_eq!((&traded["secret"], &traded["has_password"]), (&json!("team/sales"), &json!(false)));
    let back = registry.change(Method::PATCH, &path, &json!({"password": CANARY})).await.json();
    assert_eq!((&back["secret"], &back["has_password"]), (&Value::Null, &json!(true)));
    let both = json!({"secret": "team/sales", "password": "x"});
    let refused = registry.change(Method::PATCH, &path, &both).await;
    assert_eq!(refused.is_problem(422, "validation").faults(), ["/secret conflict"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_goes_with_its_key() {
    let registry = Registry::start().await;
    let mut body = sales();
    body["tls"] = json!({"client_certificate": CERTIFICATE, "client_key": KEY});
    let path = registry.stored(&body).await;
    let stored = registry.get(&path).await.json();
    assert_eq!((&stored["has_client_key"], &stored["tls"]["client_certificate"]), (&json!(true), &json!(CERTIFICATE)));
    let moved = registry.change(Method::PATCH, &path, &json!({"host": "other.example"})).await;
    assert_eq!(moved.is_problem(422, "validation").faults(), ["/tls/client_key required"]);
    let along = json!({"host": "other.example", "tls": {"client_key": KEY}});
    let moved = registry.change(Method::PATCH, &path, &along).await.json();
    assert_eq!((&moved["has_client_key"], &moved["has_password"]), (&json!(true), &json!(false)));
    let without = json!({"tls": {"client_certificate": null, "client_key": null}});
    let without = registry.change(Method::PATCH, &path, &without).await.json();
    assert_eq!((&without["has_client_key"], &without["tls"]["client_certificate"]), (&json!(false), &Value::Null));
}
