//! SQL Server and Azure SQL: batches that end with a line of `GO`.

mod columns;
mod comments;
mod constraints;
mod expressions;
mod gate;
mod grants;
mod indexes;
mod late;
mod modules;
mod names;
mod one_module;
mod tables;
mod tokens;
mod triggers;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use schema_model::{Database, Native, ObjectName, Relation};

use self::gate::Words;
use self::grants::Securable;
use self::late::Late;
use self::names::{folded, quoted};
use super::SqlOptions;
use super::script::Script;
use crate::Export;

/// Schemas that every database has, and that nobody can make.
const GIVEN: [&str; 13] = [
    "dbo",
    "guest",
    "sys",
    "INFORMATION_SCHEMA",
    "db_accessadmin",
    "db_backupoperator",
    "db_datareader",
    "db_datawriter",
    "db_ddladmin",
    "db_denydatareader",
    "db_denydatawriter",
    "db_owner",
    "db_securityadmin",
];

/// What of a session modules, indexes of views and of computed columns depend on, as clients of today have it. `sqlcmd` has the last one off.
const SETTINGS: [&str; 7] = [
    "NUMERIC_ROUNDABORT OFF",
    "ANSI_NULLS ON",
    "ANSI_PADDING ON",
    "ANSI_WARNINGS ON",
    "ARITHABORT ON",
    "CONCAT_NULL_YIELDS_NULL ON",
    "QUOTED_IDENTIFIER ON",
];

/// A script in the making.
struct Writer<'a> {
    database: &'a Database,
    options: SqlOptions,
    script: Script,
    relations: BTreeMap<ObjectName, &'a Relation>,
    /// Who owns which schema.
    owners: BTreeMap<&'a str, &'a String>,
    /// Names that a sequence and a type have.
    ambiguous: BTreeSet<ObjectName>,
    /// What synonyms stand for, both folded.
    synonyms: BTreeMap<ObjectName, ObjectName>,
    /// Relations that were not made, so that nothing that needs them is made either.
    absent: BTreeSet<ObjectName>,
    /// Those, and functions that were not made, folded.
    missing: BTreeSet<ObjectName>,
    /// Types that were made.
    types: BTreeSet<ObjectName>,
    /// Functions of the model, folded.
    functions: BTreeSet<ObjectName>,
    /// Routines that were made, folded.
    routines: BTreeSet<ObjectName>,
    /// Parts of tables that wait for functions.
    late: Vec<Late>,
    /// Indexes that are to be switched off, with what they are of.
    disabled: Vec<(ObjectName, String)>,
    /// Grants and denies, with what they are about.
    permissions: Vec<(ObjectName, String, String)>,
}

pub(super) fn script(database: &Database, options: SqlOptions) -> Export {
    let mut writer = Writer::new(database, options);
    writer.settings();
    writer.namespaces();
    writer.types();
    writer.sequences();
    writer.synonyms();
    let modules = writer.early_functions();
    writer.tables();
    writer.indexes(false);
    // What asks for the past of a table is refused until it has one.
    writer.histories();
    writer.foreign_keys();
    writer.modules(modules);
    writer.late();
    writer.indexes(true);
    writer.triggers();
    writer.disabled_indexes();
    writer.grants();
    writer.script.end_batch();
    writer.script.export()
}

impl<'a> Writer<'a> {
    fn new(database: &'a Database, options: SqlOptions) -> Self {
        let mut writer = Self {
            database,
            options,
            script: Script::with_variables(),
            relations: database.relations().collect(),
            owners: BTreeMap::new(),
            ambiguous: BTreeSet::new(),
            synonyms: BTreeMap::new(),
            absent: BTreeSet::new(),
            missing: BTreeSet::new(),
            types: BTreeSet::new(),
            functions: BTreeSet::new(),
            routines: BTreeSet::new(),
            late: Vec::new(),
            disabled: Vec::new(),
            permissions: Vec::new(),
        };
        for namespace in &database.namespaces {
            let functions = namespace.routines.iter().filter(|routine| modules::is_function(routine));
            let name = |name: &String| ObjectName::new(&namespace.name, name);
            writer.functions.extend(functions.map(|routine| folded(&name(&routine.name))));
            writer.owners.extend(namespace.owner.as_ref().map(|owner| (&*namespace.name, owner)));
            let sequences: BTreeSet<&String> = namespace.sequences.iter().map(|sequence| &sequence.name).collect();
            let both = namespace.types.iter().filter(|made| sequences.contains(&made.name));
            writer.ambiguous.extend(both.map(|made| name(&made.name)));
        }
        writer
    }
}

impl Writer<'_> {
    fn settings(&mut self) {
        let Self { database, script, .. } = self;
        script.remark(&format!("Made from a model of SQL Server {}.", database.version));
        if let Some(collation) = &database.collation {
            script.remark(&format!("Texts that name no collation have that of their database, which was {collation}."));
        }
        for setting in SETTINGS {
            script.batch(&format!("SET {setting}"));
        }
        self.comment(&ObjectName::new("", &*self.database.name), "comment", self.database.comment.as_ref(), &[]);
    }

    fn namespaces(&mut self) {
        let options = self.options;
        for namespace in &self.database.namespaces {
            let name = ObjectName::new(&namespace.name, "");
            let schema = quoted(&namespace.name);
            if !GIVEN.contains(&namespace.name.as_str()) {
                let owner = namespace.owner.as_ref().filter(|_| options.owners);
                let owner = owner.map(|owner| format!(" AUTHORIZATION {}", quoted(owner))).unwrap_or_default();
                self.batch(&name, "schema", &format!("CREATE SCHEMA {schema}{owner}"));
            }
            self.comment(&name, "comment", namespace.comment.as_ref(), &[("SCHEMA", &namespace.name)]);
            let (written, owner) = (&*format!("SCHEMA::{schema}"), namespace.owner.as_ref());
            let securable = Securable { object: &name, written, owner, column: None };
            self.permissions(&securable, &namespace.grants, namespace.native.get("denied"));
        }
    }

    /// The only place where what is of the server gets into the script. Whether it did.
    fn add(&mut self, object: &ObjectName, part: &str, words: Words, text: &str) -> bool {
        if let Some(reason) = gate::refusal(text, words) {
            self.script.omit(object, part, reason);
            return false;
        }
        self.script.batch(text);
        true
    }

    /// Adds a statement of ours, which is about a part of an object.
    fn batch(&mut self, object: &ObjectName, part: &str, text: &str) -> bool {
        self.add(object, part, Words::Written, text)
    }

    /// Adds a module as it was made. Two settings of the session that makes it are its own from then on.
    fn module(&mut self, object: &ObjectName, part: &str, native: &Native, text: &str) -> bool {
        if let Some(reason) = gate::refusal(text, Words::Kept) {
            self.script.omit(object, part, reason);
            return false;
        }
        let settings = [("ansi_nulls_off", "ANSI_NULLS"), ("quoted_identifier_off", "QUOTED_IDENTIFIER")];
        let off = settings.into_iter().filter(|(fact, _)| is(native, fact)).map(|(_, setting)| setting);
        for setting in off.clone() {
            self.script.batch(&format!("SET {setting} OFF"));
        }
        let is_made = self.add(object, part, Words::Kept, text);
        for setting in off {
            self.script.batch(&format!("SET {setting} ON"));
        }
        is_made
    }

    /// Notes that a relation was not made, and why.
    fn leave_out(&mut self, name: &ObjectName, part: &str, reason: &str) {
        self.note_absent(name);
        self.script.omit(name, part, reason);
    }

    fn note_absent(&mut self, name: &ObjectName) {
        self.absent.insert(name.clone());
        self.missing.insert(folded(name));
    }

    /// Whether what needs a relation can be made.
    fn is_made(&self, name: &ObjectName) -> bool {
        !self.absent.contains(name) && self.relations.contains_key(name)
    }
}

/// A fact that is a text.
fn text<'a>(native: &'a Native, key: &str) -> Option<&'a str> {
    native.get(key).and_then(serde_json::Value::as_str)
}

/// Whether a fact is so.
fn is(native: &Native, key: &str) -> bool {
    native.get(key).and_then(serde_json::Value::as_bool) == Some(true)
}
