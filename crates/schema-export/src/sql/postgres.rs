//! PostgreSQL.

mod columns;
mod constraints;
mod early;
mod indexes;
mod made;
mod names;
mod privileges;
mod queries;
mod routines;
mod tables;
mod types;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use schema_model::{
    Database, Namespace, ObjectName, Reading, Relation, Sequence, SequenceOptions, UserType, UserTypeKind,
};

use self::early::{led_to, uses};
use self::made::Kind;
use self::names::{literal, mentioned, quoted};
use super::SqlOptions;
use super::script::Script;
use crate::Export;

/// A script in the making.
struct Writer<'a> {
    database: &'a Database,
    options: SqlOptions,
    script: Script,
    relations: BTreeMap<ObjectName, &'a Relation>,
    /// Parts of tables, parts of parts included.
    partitions: HashSet<ObjectName>,
    /// Routines, and what else comes when types are there.
    behind_types: HashSet<ObjectName>,
    /// Domains that refuse NULL by themselves.
    required: HashSet<ObjectName>,
    /// Relations that were not made, so that nothing that needs them is made either.
    absent: BTreeSet<ObjectName>,
    /// What else was not made, under a name of which there may be other things.
    missing: BTreeSet<ObjectName>,
    /// Those of them that only this engine has, by kind: a class and its family have one name.
    missing_objects: BTreeSet<(ObjectName, Kind)>,
    /// What stands in texts that may need a cast of the database's own, and those that need one which was not made.
    casts: Vec<String>,
    missing_casts: Vec<String>,
}

pub(super) fn script(database: &Database, options: SqlOptions) -> Export {
    let mut writer = Writer::new(database, options);
    writer.settings();
    writer.namespaces();
    writer.extensions();
    writer.sequences();
    let (of_domains, late) = writer.before_tables();
    writer.rest_of_domains(&of_domains);
    writer.tables();
    writer.sequences_owners();
    writer.views_and_routines(late);
    writer.indexes();
    writer.foreign_keys();
    writer.rules();
    writer.triggers();
    writer.policies();
    writer.relation_grants();
    writer.reset();
    writer.script.export()
}

impl<'a> Writer<'a> {
    fn new(database: &'a Database, options: SqlOptions) -> Self {
        let mut writer = Self {
            database,
            options,
            script: Script::default(),
            relations: database.relations().collect(),
            partitions: HashSet::new(),
            behind_types: HashSet::new(),
            required: HashSet::new(),
            absent: BTreeSet::new(),
            missing: BTreeSet::new(),
            missing_objects: BTreeSet::new(),
            casts: database.native_objects.iter().filter_map(led_to).collect(),
            missing_casts: Vec::new(),
        };
        for partitioning in writer.relations.values().filter_map(|relation| relation.partitioning.as_ref()) {
            tables::collect(partitioning, &mut writer.partitions);
        }
        for namespace in &database.namespaces {
            let object = |name: &String| ObjectName::new(&namespace.name, name);
            writer.behind_types.extend(namespace.routines.iter().map(|routine| object(&routine.name)));
            let refuses = |of: &&UserType| matches!(of.kind, UserTypeKind::Domain { nullable: false, .. });
            writer.required.extend(namespace.types.iter().filter(refuses).map(|of| object(&of.name)));
        }
        let objects = database.native_objects.iter().filter(|object| Kind::of(object) != Kind::Collation);
        writer.behind_types.extend(objects.map(|object| object.name.clone()));
        writer
    }
}

impl Writer<'_> {
    /// All names are written with their namespaces, so that nothing is looked for anywhere but among what is the engine's own.
    fn settings(&mut self) {
        self.script.remark(&format!("Made from a model of PostgreSQL {}.", self.database.version));
        self.script.statement("SET standard_conforming_strings = on");
        // Bodies may name what comes later.
        self.script.statement("SET check_function_bodies = off");
        self.script.statement("SET search_path = ''");
    }

    fn reset(&mut self) {
        if let Some(comment) = &self.database.comment {
            // The database may have another name by now.
            let text = literal(&format!("COMMENT ON DATABASE %I IS {}", literal(comment).replace('%', "%%")));
            let body = format!("BEGIN EXECUTE format({text}, current_database()); END");
            self.script.statement(&format!("DO {}", names::dollar_quoted(&body)));
        }
        for setting in ["search_path", "check_function_bodies", "standard_conforming_strings"] {
            self.script.statement(&format!("RESET {setting}"));
        }
    }

    fn namespaces(&mut self) {
        for namespace in &self.database.namespaces {
            let Namespace { name, owner, comment, grants, .. } = namespace;
            let target = format!("SCHEMA {}", quoted(name));
            self.script.statement(&format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(name)));
            self.owner(&target, owner.as_ref());
            self.comment(&target, comment.as_ref());
            self.grants(&ObjectName::new(name, ""), &target, owner.as_ref(), grants);
        }
    }

    fn extensions(&mut self) {
        let names: HashSet<&str> = self.database.namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
        let known = |name: &str| name == "pg_catalog" || names.contains(name);
        for extension in &self.database.extensions {
            let (name, namespace) = (quoted(&extension.name), quoted(&extension.namespace));
            if !known(&extension.namespace) {
                self.script.statement(&format!("CREATE SCHEMA IF NOT EXISTS {namespace}"));
            }
            self.script.remark(&format!("version {}", extension.version));
            self.script.statement(&format!("CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {namespace}"));
        }
    }

    fn sequences(&mut self) {
        for namespace in &self.database.namespaces {
            for sequence in &namespace.sequences {
                let Sequence { name, data_type, options, owner, comment, grants, .. } = sequence;
                let object = ObjectName::new(&namespace.name, name);
                let target = format!("SEQUENCE {}", names::qualified(&object));
                self.script.statement(&format!("CREATE {target} AS {data_type} {}", counting(options)));
                self.owner(&target, owner.as_ref());
                self.comment(&target, comment.as_ref());
                self.grants(&object, &target, owner.as_ref(), grants);
            }
        }
    }

    fn sequences_owners(&mut self) {
        for namespace in &self.database.namespaces {
            for sequence in &namespace.sequences {
                let Some((table, column)) = &sequence.owned_by else { continue };
                let object = ObjectName::new(&namespace.name, &sequence.name);
                if !self.is_made(table) {
                    self.script.omit(&object, "owned by", "its table is not made");
                    continue;
                }
                let (name, table) = (names::qualified(&object), names::qualified(table));
                self.script.statement(&format!("ALTER SEQUENCE {name} OWNED BY {table}.{}", quoted(column)));
            }
        }
    }

    fn comment(&mut self, target: &str, comment: Option<&String>) {
        if let Some(comment) = comment {
            self.script.statement(&format!("COMMENT ON {target} IS {}", literal(comment)));
        }
    }

    fn owner(&mut self, target: &str, owner: Option<&String>) {
        if let Some(owner) = owner.filter(|_| self.options.owners) {
            self.script.statement(&format!("ALTER {target} OWNER TO {}", quoted(owner)));
        }
    }

    /// The first of some names that is not made.
    fn missing_of(&self, names: &BTreeSet<ObjectName>) -> Option<ObjectName> {
        names.iter().find(|name| self.missing.contains(name) || self.absent.contains(name)).cloned()
    }

    /// What a text names and is not made.
    fn missing_in(&self, text: &str) -> Option<String> {
        if self.missing.is_empty() && self.absent.is_empty() {
            return None;
        }
        let named = self.missing_of(&mentioned(text)).map(|name| name.to_string());
        named.or_else(|| self.missing_cast_in(text))
    }

    /// What a text may need a cast for that is not made.
    fn missing_cast_in(&self, text: &str) -> Option<String> {
        let target = self.missing_casts.iter().find(|target| casts_to(text, target))?;
        Some(format!("a cast to {}", target.trim_start_matches(':')))
    }

    /// The text, where it was read and nothing in it is not made.
    fn usable(&mut self, object: &ObjectName, part: &str, reading: &Reading<String>) -> Option<String> {
        let text = self.script.known(object, part, reading)?.clone();
        if let Some(missing) = self.missing_in(&text) {
            self.script.omit(object, part, &uses(missing));
            return None;
        }
        Some(text)
    }

    /// Whether what needs a relation can be made.
    fn is_made(&self, name: &ObjectName) -> bool {
        !self.absent.contains(name) && (self.relations.contains_key(name) || self.partitions.contains(name))
    }
}

/// Whether something becomes what `target`, such as `::text`, says. Behind a literal it is only the literal's own type.
fn casts_to(text: &str, target: &str) -> bool {
    text.match_indices(target).any(|(at, _)| {
        let ends =
            !text[at + target.len()..].starts_with(|next: char| next.is_alphanumeric() || "_$.\"".contains(next));
        ends && !text[..at].ends_with('\'')
    })
}

/// How a sequence counts.
fn counting(options: &SequenceOptions) -> String {
    let SequenceOptions { start, increment, minimum, maximum, cache, cycle } = options;
    let cycle = if *cycle { "CYCLE" } else { "NO CYCLE" };
    format!("INCREMENT BY {increment} MINVALUE {minimum} MAXVALUE {maximum} START WITH {start} CACHE {cache} {cycle}")
}

#[cfg(test)]
mod tests {
    use super::casts_to;

    #[test]
    fn a_cast_is_told_from_a_literals_type_and_from_longer_names() {
        for text in ["(a)::text", "f(a)::text, 1", "((a)::text = 'x'::text)", "(a)::text[]"] {
            assert!(casts_to(text, "::text"), "{text}");
        }
        for text in ["'x'::text", "(a)::texture", "(a)::text_1", "(a)::text.x", "(a)::public.text"] {
            assert!(!casts_to(text, "::text"), "{text}");
        }
    }
}
