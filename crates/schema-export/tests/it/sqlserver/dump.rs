//! Scripts for a parser of T-SQL that is not a library, as no server is here to try them on.

use std::fs;
use std::path::PathBuf;

use super::{batches, exported, sqlserver};

/// Writes the script of the sample into a file of its own, without the batches that are remarks alone.
#[test]
#[expect(clippy::disallowed_methods, reason = "the task runner says where, and a test has no configuration")]
fn the_script_is_written_out_when_a_folder_is_named() {
    let script = exported("sql", &sqlserver()).text;
    let is_remark = |batch: &&str| batch.lines().all(|line| line.starts_with("--"));
    let said: Vec<&str> = batches(&script).into_iter().filter(|batch| !is_remark(batch)).collect();
    assert!(said.len() > 40, "only {} batches", said.len());
    let Some(folder) = std::env::var_os("BINDERY_TSQL_DUMP").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).expect("the folder can be made");
    let text: String = said.iter().map(|batch| format!("{batch}\nGO\n")).collect();
    fs::write(folder.join("export_of_the_sample.sql"), text).expect("the file can be written");
}
