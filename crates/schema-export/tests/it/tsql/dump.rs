//! Scripts for a parser of T-SQL that is not a library, as no server is here to try them on.

use std::fs;
use std::path::PathBuf;

use super::{batches, exported, hostile, more, sqlserver};

/// Writes scripts into files of their own, without the batches that are remarks alone.
#[test]
#[expect(clippy::disallowed_methods, reason = "the task runner says where, and a test has no configuration")]
fn scripts_are_written_out_when_a_folder_is_named() {
    let folder = std::env::var_os("BINDERY_TSQL_DUMP").map(PathBuf::from);
    let models = [("sample", sqlserver()), ("more", more()), ("plain_names", hostile::plain_database())];
    for (name, database) in models {
        let script = exported("sql", &database).text;
        let is_remark = |batch: &&str| batch.lines().all(|line| line.starts_with("--"));
        let said: Vec<&str> = batches(&script).into_iter().filter(|batch| !is_remark(batch)).collect();
        assert!(said.len() > 30, "{name}: only {} batches", said.len());
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).expect("the folder can be made");
            let text = format!("{}\nGO\n", said.join("\nGO\n"));
            fs::write(folder.join(format!("export_{name}.sql")), text).expect("the file can be written");
        }
    }
}
