//! What the inner layers of a context name.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::Visit;

/// Crates that `domain` and `application` do not name, by the beginning of their names: query builders, drivers, HTTP.
const FOREIGN: [&str; 6] = ["sea_query", "sea_orm", "actix", "sqlx", "tiberius", "deadpool"];

/// The layers in which nothing foreign is named.
const LAYERS: [&str; 2] = ["domain", "application"];

/// Looks through the inner layers of the context in `package`; paths are given relative to `root`. A layer that is not there
/// is a violation too: nobody could look through it.
pub(super) fn violations(package: &Path, root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for layer in LAYERS {
        let inside = package.join("src").join(layer);
        if !inside.is_dir() {
            found.push(format!("{} is missing", inside.strip_prefix(root).unwrap_or(&inside).display()));
        }
        let beside = inside.with_extension("rs");
        if beside.is_file() {
            file(&beside, root, &mut found)?;
        }
        folder(&inside, root, &mut found)?;
    }
    Ok(found)
}

fn folder(path: &Path, root: &Path, found: &mut Vec<String>) -> Result<()> {
    let Ok(entries) = fs::read_dir(path) else { return Ok(()) };
    let mut paths: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            folder(&path, root, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            file(&path, root, found)?;
        }
    }
    Ok(())
}

fn file(path: &Path, root: &Path, found: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let shown = path.strip_prefix(root).unwrap_or(path).display();
    let names = foreign_names(&text).with_context(|| format!("parsing {shown}"))?;
    found.extend(names.iter().map(|(name, line)| format!("{shown}:{line} names {name}")));
    Ok(())
}

/// The foreign crates that a source names, and in which lines.
fn foreign_names(text: &str) -> Result<Vec<(String, usize)>> {
    let mut collector = Collector(Vec::new());
    collector.visit_file(&syn::parse_file(text)?);
    Ok(collector.0)
}

/// Whether a name is a foreign crate's or that of one that belongs to it, as `sea_query_derive` belongs to `sea_query`.
fn is_foreign(name: &str) -> bool {
    let belongs = |start: &&str| name.strip_prefix(*start).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    FOREIGN.iter().any(belongs)
}

/// Sees every name in the tree, and those in what the tree leaves unparsed.
struct Collector(Vec<(String, usize)>);

impl Collector {
    fn name(&mut self, ident: &Ident) {
        let name = ident.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name);
        if is_foreign(name) {
            self.0.push((name.to_owned(), ident.span().start().line));
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => self.name(&ident),
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_ident(&mut self, ident: &'ast Ident) {
        self.name(ident);
    }

    /// What macros and attributes are given, and syntax that the parser keeps as it found it.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.tokens(tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(source: &str, expected: &[(&str, usize)]) {
        let names = foreign_names(source).unwrap();
        let brief: Vec<_> = names.iter().map(|(name, line)| (name.as_str(), *line)).collect();
        assert_eq!(brief, expected);
    }

    #[test]
    fn a_use_is_found_however_it_is_written() {
        found("use sea_query::Expr;", &[("sea_query", 1)]);
        found("use {serde::Serialize,\n ::sea_orm::{self as quiet}};", &[("sea_orm", 2)]);
        found("pub use shared_kernel::sea_query::Expr;", &[("sea_query", 1)]);
        found("extern crate actix_web as web;", &[("actix_web", 1)]);
        found("use r#sqlx;", &[("sqlx", 1)]);
    }

    #[test]
    fn a_path_in_code_and_in_types_is_found() {
        found("fn f() { let _ = sea_query::Query::select(); }", &[("sea_query", 1)]);
        found("struct A { b: Option<tiberius::Row> }", &[("tiberius", 1)]);
        found("impl From<sqlx::Error> for A {}", &[("sqlx", 1)]);
        found("fn f() -> impl actix_web::Responder {}", &[("actix_web", 1)]);
    }

    #[test]
    fn what_macros_and_attributes_are_given_is_found() {
        found("fn f() { vec![g(sea_query::Expr::val(1))]; }", &[("sea_query", 1)]);
        found("fn f() { sea_query::any!(); }", &[("sea_query", 1)]);
        found("#[derive(sea_query::Iden)] enum A {}", &[("sea_query", 1)]);
        found("#[cfg_attr(test, sea_orm(x))]\nstruct A;", &[("sea_orm", 1)]);
    }

    #[test]
    fn what_belongs_to_a_foreign_crate_is_foreign() {
        found("use sea_query_derive::Iden;", &[("sea_query_derive", 1)]);
        found("use actix_files::Files;", &[("actix_files", 1)]);
        found("use actix::Actor;", &[("actix", 1)]);
        found("use deadpool_redis::Pool;", &[("deadpool_redis", 1)]);
        found("use sqlx_core::Row;", &[("sqlx_core", 1)]);
        // What only begins with the same letters does not.
        found("use sqlxish::Row; fn actixify() {}", &[]);
    }

    #[test]
    fn words_in_comments_and_strings_are_no_names() {
        found("/// Unlike sea_query, plain.\nfn f() -> &'static str { \"sea_query\" } // sqlx", &[]);
    }

    #[test]
    fn the_inner_layers_are_searched_and_infrastructure_is_not() {
        let package = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = package.path().join("src").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("domain.rs", "use sea_query::A;");
        write("domain/deep/inside.rs", "use sea_query::A;");
        write("application/create.rs", "\nuse actix_web::A;");
        write("infrastructure/repository.rs", "use sea_query::A;");
        let found = violations(package.path(), package.path()).unwrap();
        assert_eq!(
            found,
            [
                "src/domain.rs:1 names sea_query",
                "src/domain/deep/inside.rs:1 names sea_query",
                "src/application/create.rs:2 names actix_web",
            ]
        );
    }

    #[test]
    fn a_context_without_an_inner_layer_is_told() {
        let package = tempfile::tempdir().unwrap();
        let violations = || violations(package.path(), package.path()).unwrap();
        fs::create_dir_all(package.path().join("src/application")).unwrap();
        assert_eq!(violations(), ["src/domain is missing"]);
        // The module's own file is no folder, and its names are looked at all the same.
        fs::write(package.path().join("src/domain.rs"), "use sea_query::A;").unwrap();
        assert_eq!(violations(), ["src/domain is missing", "src/domain.rs:1 names sea_query"]);
        fs::create_dir(package.path().join("src/domain")).unwrap();
        assert_eq!(violations(), ["src/domain.rs:1 names sea_query"]);
    }

    #[test]
    fn a_source_that_does_not_parse_is_an_error_and_not_passed_over() {
        assert!(foreign_names("fn {").is_err());
    }
}
