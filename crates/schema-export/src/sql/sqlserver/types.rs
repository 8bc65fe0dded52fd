use std::fmt::Write as _;

use schema_model::{Column, DataType, Native, ObjectName, Sequence, SequenceOptions, UserType, UserTypeKind};

use super::Writer;
use super::expressions::is_plain_type;
use super::names::{folded, parts, qualified, quoted};
use crate::sql::order;

impl<'a> Writer<'a> {
    /// Makes the types, each behind those that it is made of.
    pub(super) fn types(&mut self) {
        let database = self.database;
        let of = |namespace: &'a schema_model::Namespace| {
            let named = |made: &'a UserType| (ObjectName::new(&namespace.name, &made.name), made, &namespace.native);
            namespace.types.iter().map(named)
        };
        let all: Vec<(ObjectName, &UserType, &Native)> = database.namespaces.iter().flat_map(of).collect();
        let places = order::places(all.iter().map(|(name, ..)| name));
        let place = |name: &ObjectName| places.get(name).copied();
        let needs = |made: &UserType| match &made.kind {
            UserTypeKind::Composite { attributes } => {
                attributes.iter().filter_map(|one| place(one.data_type.user_type.as_ref()?)).collect()
            }
            UserTypeKind::Domain { base, .. } => base.user_type.as_ref().and_then(place).into_iter().collect(),
            UserTypeKind::Enumeration { .. } | UserTypeKind::Range { .. } => Vec::new(),
        };
        let needs: Vec<Vec<usize>> = all.iter().map(|(_, made, _)| needs(made)).collect();
        let (sorted, circular) = order::sorted(&needs);
        for (name, made, native) in sorted.into_iter().map(|at| &all[at]) {
            if self.user_type(name, made) {
                self.types.insert(name.clone());
                let denied = self.denied_on(native, name);
                self.belongs(name, "TYPE", made.owner.as_ref(), &made.grants, denied);
                let levels = [("SCHEMA", &*name.namespace), ("TYPE", &*name.name)];
                self.comment(name, "comment", made.comment.as_ref(), &levels);
            }
        }
        for (name, ..) in circular.into_iter().map(|at| &all[at]) {
            self.script.omit(name, "type", "types are made of each other in a circle");
        }
    }

    fn user_type(&mut self, name: &ObjectName, made: &UserType) -> bool {
        match &made.kind {
            UserTypeKind::Domain { base, nullable, default, collation, checks, .. } => {
                let base = match self.data_type(name, "type", base) {
                    Ok(base) => base,
                    Err(reason) => {
                        self.script.omit(name, "type", &reason);
                        return false;
                    }
                };
                for (part, is_there) in
                    [("default", default.is_some()), ("collation", collation.is_some()), ("checks", !checks.is_empty())]
                {
                    if is_there {
                        self.script.omit(name, part, "types have no place for it");
                    }
                }
                let null = if *nullable { "NULL" } else { "NOT NULL" };
                self.batch(name, "type", &format!("CREATE TYPE {} FROM {base} {null}", qualified(name)))
            }
            UserTypeKind::Composite { attributes } => self.table_type(name, attributes),
            UserTypeKind::Enumeration { .. } | UserTypeKind::Range { .. } => {
                self.script.omit(name, "type", "there is nothing like it here");
                false
            }
        }
    }

    /// A type of tables, whose keys and conditions are in no model.
    fn table_type(&mut self, name: &ObjectName, attributes: &[Column]) -> bool {
        let mut columns = Vec::with_capacity(attributes.len());
        for column in attributes {
            match self.column(name, column, true) {
                Ok(text) => columns.push(text),
                Err(reason) => {
                    self.script.omit(name, "type", &reason);
                    return false;
                }
            }
        }
        if columns.is_empty() {
            self.script.omit(name, "type", "the model has no columns of it");
            return false;
        }
        let text = format!("CREATE TYPE {} AS TABLE (\n  {}\n)", qualified(name), columns.join(",\n  "));
        self.batch(name, "type", &text)
    }

    /// A type as a column, a type or a sequence is declared with it, or why it cannot be written.
    pub(super) fn data_type(&mut self, object: &ObjectName, part: &str, told: &DataType) -> Result<String, String> {
        if let Some(made) = &told.user_type {
            let is_made = self.types.contains(made);
            return if is_made { Ok(qualified(made)) } else { Err(format!("{part} is of {made}, which is not made")) };
        }
        if told.text.starts_with("xml(") {
            self.script.omit(object, part, "the collection of schemas that its XML keeps to is not in the model");
            return Ok("xml".to_owned());
        }
        // As long as a vector is, it is told without that.
        if !is_plain_type(&told.text) || told.text == "vector" {
            return Err(format!("the type of {part} is not told whole"));
        }
        Ok(told.text.clone())
    }

    pub(super) fn sequences(&mut self) {
        for namespace in &self.database.namespaces {
            for sequence in &namespace.sequences {
                self.sequence(&ObjectName::new(&namespace.name, &sequence.name), sequence, &namespace.native);
            }
        }
    }

    fn sequence(&mut self, name: &ObjectName, sequence: &Sequence, native: &Native) {
        let made = parts(&sequence.data_type).and_then(|parts| match <[String; 2]>::try_from(parts) {
            Ok([namespace, name]) => Some(ObjectName::new(namespace, name)),
            Err(_) => None,
        });
        let told =
            DataType { user_type: made, ..DataType::new(&*sequence.data_type, schema_model::TypeFamily::Integer) };
        match self.data_type(name, "sequence", &told) {
            Ok(of) => {
                let text = format!("CREATE SEQUENCE {} AS {of} {}", qualified(name), counting(&sequence.options));
                if self.batch(name, "sequence", &text) {
                    let denied = self.denied_on(native, name);
                    self.belongs(name, "OBJECT", sequence.owner.as_ref(), &sequence.grants, denied);
                    let levels = [("SCHEMA", &*name.namespace), ("SEQUENCE", &*name.name)];
                    self.comment(name, "comment", sequence.comment.as_ref(), &levels);
                }
            }
            Err(reason) => self.script.omit(name, "sequence", &reason),
        }
    }

    /// Other names of things, which need not be there.
    pub(super) fn synonyms(&mut self) {
        for namespace in &self.database.namespaces {
            let all = namespace.native.get("synonyms").and_then(serde_json::Value::as_array);
            for synonym in all.into_iter().flatten() {
                let name = ObjectName::new(&namespace.name, synonym["name"].as_str().unwrap_or_default());
                match synonym["base"].as_str().and_then(parts).filter(|_| !name.name.is_empty()) {
                    Some(base) => self.synonym(&name, &base),
                    None => self.script.omit(&name, "synonym", "what it stands for is not in the model"),
                }
            }
        }
    }

    fn synonym(&mut self, name: &ObjectName, base: &[String]) {
        // A part that is left out stands between two dots.
        let written: Vec<String> =
            base.iter().map(|part| if part.is_empty() { String::new() } else { quoted(part) }).collect();
        self.batch(name, "synonym", &format!("CREATE SYNONYM {} FOR {}", qualified(name), written.join(".")));
        let base = match base {
            [name] => ObjectName::new("dbo", name),
            [.., namespace, name] => ObjectName::new(namespace, name),
            [] => return,
        };
        self.synonyms.insert(folded(name), folded(&base));
    }
}

/// How a sequence counts. A cache of 0 is as large as the server likes.
fn counting(options: &SequenceOptions) -> String {
    let SequenceOptions { start, increment, minimum, maximum, cache, cycle } = options;
    let mut text = format!("START WITH {start} INCREMENT BY {increment} MINVALUE {minimum} MAXVALUE {maximum}");
    text += if *cycle { " CYCLE" } else { " NO CYCLE" };
    match cache.0 {
        0 => text += " CACHE",
        1 => text += " NO CACHE",
        many => {
            let _ = write!(text, " CACHE {many}");
        }
    }
    text
}
