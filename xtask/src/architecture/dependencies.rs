//! Which package may depend on which.

use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};

use super::is_context;

/// Packages that belong to drivers, pools and HTTP. A context reaches databases through the kernel's traits alone.
const OUT_OF_REACH: [&str; 8] = ["sqlx", "tiberius", "sea-orm", "actix", "deadpool", "bb8", "hyper", "reqwest"];

pub(super) fn violations(metadata: &Metadata) -> Vec<String> {
    let members: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let inside = dependency.path.is_some() || members.contains(&dependency.name.as_str());
            let reason = if inside { inner(package, dependency) } else { outer(package, dependency) };
            if let Some(reason) = reason {
                found.push(format!("{} depends on {}{}: {reason}", package.name, dependency.name, kind(dependency)));
            }
        }
    }
    found
}

/// Whether an edge inside the workspace points outward.
fn inner(package: &Package, dependency: &Dependency) -> Option<&'static str> {
    let from = package.name.as_str();
    let to = dependency.name.as_str();
    let for_tests = dependency.kind == DependencyKind::Development;
    if to == "testkit" && !for_tests {
        return Some("the test kit is part of no product");
    }
    if for_tests {
        let allowed = !is_context(from) || matches!(to, "testkit" | "migrations" | "shared-kernel");
        return (!allowed).then_some("a context's tests reach the test kit and the migrations alone");
    }
    match from {
        _ if is_context(from) => (to != "shared-kernel").then_some("a context knows the kernel alone"),
        "shared-kernel" => (to != "sql-dialect").then_some("the kernel knows nothing above it"),
        "sql-dialect" | "schema-model" => Some("the dialects and the model of schemas stand on their own"),
        "schema-inspect" => (!matches!(to, "shared-kernel" | "schema-model"))
            .then_some("inspectors know the kernel and the model alone"),
        "schema-diff" | "schema-export" | "schema-lint" => {
            (to != "schema-model").then_some("what is written or found in a model knows the model alone")
        }
        "xtask" => Some("the developer's tool is built before anything else"),
        _ => (is_context(to) && from != "api").then_some("only the binary puts contexts together"),
    }
}

/// Whether an edge to the outside is one that a context must not have.
fn outer(package: &Package, dependency: &Dependency) -> Option<&'static str> {
    if !is_context(&package.name) || dependency.kind == DependencyKind::Development {
        return None;
    }
    let name = dependency.name.as_str();
    let belongs_to =
        |start: &str| name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    if OUT_OF_REACH.into_iter().any(belongs_to) {
        return Some("a context names no driver, no pool and no HTTP");
    }
    if belongs_to("sea-query") && name != "sea-query" {
        return Some("what a context sends is rendered by the kernel, and sea-query alone makes it");
    }
    // Under another name, the sources could use it without being seen.
    (dependency.rename.is_some() && name == "sea-query").then_some("it must keep its name, so that its use is seen")
}

fn kind(dependency: &Dependency) -> &'static str {
    match dependency.kind {
        DependencyKind::Development => " (for tests)",
        DependencyKind::Build => " (to build)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::MetadataCommand;
    use serde_json::{Value, json};

    use super::*;

    /// Cargo's answer for a workspace with these edges: from, to, kind.
    fn metadata(edges: &[(&str, &str, Value)]) -> Metadata {
        let mut names: Vec<&str> = edges.iter().map(|(from, _, _)| *from).collect();
        names.extend(["user-context", "shared-kernel", "connection-manager", "schema-model", "schema-export"]);
        names.extend(["testkit", "migrations"]);
        names.sort_unstable();
        names.dedup();
        let packages: Vec<Value> = names
            .iter()
            .map(|name| {
                let dependencies: Vec<Value> = edges
                    .iter()
                    .filter(|(from, _, _)| from == name)
                    .map(|(_, to, kind)| dependency(to, kind, names.contains(to)))
                    .collect();
                json!({
                    "name": name, "version": "0.1.0", "id": name, "dependencies": dependencies, "targets": [],
                    "features": {}, "manifest_path": format!("/w/{name}/Cargo.toml"),
                })
            })
            .collect();
        let text = json!({
            "packages": packages, "workspace_members": names, "workspace_root": "/w", "target_directory": "/w/target",
            "version": 1,
        });
        MetadataCommand::parse(text.to_string()).unwrap()
    }

    fn dependency(name: &str, kind: &Value, inside: bool) -> Value {
        let mut dependency = json!({
            "name": name, "req": "*", "kind": kind, "optional": false, "uses_default_features": true, "features": [],
        });
        if inside {
            dependency["path"] = json!(format!("/w/{name}"));
        }
        dependency
    }

    #[track_caller]
    fn refused(from: &str, to: &str, kind: Value) {
        let found = violations(&metadata(&[(from, to, kind)]));
        assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
        assert!(found[0].starts_with(&format!("{from} depends on {to}")), "{found:?}");
    }

    #[track_caller]
    fn accepted(from: &str, to: &str, kind: Value) {
        assert_eq!(violations(&metadata(&[(from, to, kind)])), Vec::<String>::new());
    }

    #[test]
    fn a_context_may_know_the_kernel_and_its_tests_the_test_kit() {
        accepted("book-context", "shared-kernel", Value::Null);
        accepted("book-context", "testkit", json!("dev"));
        accepted("book-context", "migrations", json!("dev"));
        accepted("book-context", "serde", Value::Null);
    }

    #[test]
    fn a_context_must_not_know_another_context() {
        refused("book-context", "user-context", Value::Null);
        refused("book-context", "user-context", json!("build"));
        refused("book-context", "user-context", json!("dev"));
    }

    #[test]
    fn a_context_must_not_know_the_connection_manager_not_even_in_its_tests() {
        refused("book-context", "connection-manager", Value::Null);
        refused("book-context", "connection-manager", json!("build"));
        refused("book-context", "connection-manager", json!("dev"));
        refused("book-context", "migrations", Value::Null);
    }

    #[test]
    fn a_context_must_not_know_a_driver_or_http() {
        refused("book-context", "sqlx", Value::Null);
        refused("book-context", "actix-web", Value::Null);
        refused("book-context", "tiberius", json!("build"));
        refused("book-context", "actix-files", Value::Null);
        refused("book-context", "actix", Value::Null);
        accepted("book-context", "actixish", Value::Null);
        accepted("connection-manager", "sqlx", Value::Null);
    }

    #[test]
    fn a_context_must_not_give_the_query_builder_another_name() {
        let mut edges = metadata(&[("book-context", "sea-query", Value::Null)]);
        assert!(violations(&edges).is_empty());
        let book = edges.packages.iter_mut().find(|package| package.name == "book-context").unwrap();
        book.dependencies[0].rename = Some("quiet".to_owned());
        assert_eq!(violations(&edges).len(), 1);
    }

    #[test]
    fn a_context_has_the_query_builder_and_nothing_that_belongs_to_it() {
        accepted("book-context", "sea-query", Value::Null);
        refused("book-context", "sea-query-derive", Value::Null);
        refused("book-context", "sea-query-binder", Value::Null);
        refused("book-context", "sea-query-rusqlite", json!("build"));
    }

    #[test]
    fn inspectors_know_the_kernel_and_the_model_which_knows_nothing() {
        accepted("schema-inspect", "schema-model", Value::Null);
        accepted("schema-inspect", "testkit", json!("dev"));
        refused("schema-inspect", "connection-manager", Value::Null);
        refused("schema-model", "shared-kernel", Value::Null);
        for from in ["schema-diff", "schema-export", "schema-lint"] {
            accepted(from, "schema-model", Value::Null);
            refused(from, "shared-kernel", Value::Null);
        }
        accepted("schema-inspect", "schema-export", json!("dev"));
        refused("schema-inspect", "schema-export", Value::Null);
    }

    #[test]
    fn nothing_but_tests_may_know_the_test_kit() {
        refused("api", "testkit", Value::Null);
        refused("connection-manager", "testkit", json!("build"));
        accepted("connection-manager", "testkit", json!("dev"));
    }

    #[test]
    fn the_kernel_and_the_dialects_know_nothing_above_them() {
        refused("shared-kernel", "connection-manager", Value::Null);
        accepted("shared-kernel", "sql-dialect", Value::Null);
        refused("sql-dialect", "shared-kernel", Value::Null);
        refused("xtask", "shared-kernel", Value::Null);
    }

    #[test]
    fn only_the_binary_puts_contexts_together() {
        refused("connection-manager", "user-context", Value::Null);
        accepted("api", "user-context", Value::Null);
    }
}
