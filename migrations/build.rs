//! Finds the migrations beside `src` and writes the table that embeds them.

use std::path::PathBuf;
use std::{env, fs};

#[path = "src/collect.rs"]
mod collect;

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folders through the environment")]
fn folder(variable: &str) -> PathBuf {
    PathBuf::from(env::var_os(variable).unwrap_or_else(|| panic!("cargo sets {variable} for build scripts")))
}

fn main() {
    println!("cargo::rerun-if-changed=.");
    match collect::collect(&folder("CARGO_MANIFEST_DIR")) {
        Ok(contexts) => {
            let table = folder("OUT_DIR").join("sets.rs");
            if let Err(error) = fs::write(&table, collect::table(&contexts)) {
                println!("cargo::error=cannot write {}: {error}", table.display());
            }
        }
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
        }
    }
}
