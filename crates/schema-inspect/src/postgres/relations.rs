use schema_model::{
    Native, ObjectName, Persistence, Policy, PolicyCommand, Reading, Relation, RelationKind, RowSecurity, Rule,
    TriggerEvent, Unavailable,
};
use shared_kernel::database::{DatabaseError, Row};

use super::grants;
use super::partitions::Size;
use crate::cells::Cells;

/// A relation as the catalog tells it, before its columns and keys are known.
pub(super) struct FoundRelation {
    pub(super) oid: i64,
    pub(super) namespace: String,
    pub(super) relation: Relation,
    /// By what its rows are kept in several tables.
    pub(super) partition_key: Option<Reading<String>>,
    /// Which rows of its table it has.
    pub(super) bound: Option<Reading<String>>,
    /// Of the rows and of what is kept apart from them, without indexes.
    pub(super) size: Size,
}

/// Name, command, permissive, roles, whether there is a condition to see rows, it, whether there is one to write them, it.
type FoundPolicy = (String, String, bool, Vec<Option<String>>, bool, Option<String>, bool, Option<String>);

/// Name, event, whether it takes the statement's place, when it counts, text, comment.
type FoundRule = (String, String, bool, String, Option<String>, Option<String>);

pub(super) fn read(row: &Row) -> Result<FoundRelation, DatabaseError> {
    let mut cells = Cells::of(row);
    let oid = cells.next()?;
    let namespace = cells.next()?;
    let name: String = cells.next()?;
    let kind: String = cells.next()?;
    let mut relation = Relation::new(
        name,
        match kind.as_str() {
            "v" => RelationKind::View,
            "m" => RelationKind::MaterializedView,
            "f" => RelationKind::ForeignTable,
            _ => RelationKind::Table,
        },
    );
    relation.persistence = match cells.next::<String>()?.as_str() {
        "u" => Persistence::Unlogged,
        "t" => Persistence::Temporary,
        _ => Persistence::Permanent,
    };
    relation.owner = cells.next()?;
    relation.comment = cells.next()?;
    relation.grants = grants::read(&cells.json::<Vec<String>>()?);
    relation.native = native(&mut cells)?;
    relation.row_security = row_security(&mut cells)?;
    let is_view = matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView);
    let definition: Option<String> = cells.next()?;
    relation.definition = is_view.then(|| match definition {
        Some(text) => Reading::Known(text.trim().trim_end_matches(';').to_owned()),
        None => Reading::unavailable(Unavailable::Locked),
    });
    relation.uses = names(&mut cells)?;
    relation.uses.sort_unstable();
    let key: Option<String> = cells.next()?;
    let bound: Option<String> = cells.next()?;
    let is_partition: bool = cells.next()?;
    relation.inherits = names(&mut cells)?;
    relation.rules = cells.json::<Vec<FoundRule>>()?.into_iter().map(rule).collect();
    Ok(FoundRelation {
        oid,
        namespace,
        relation,
        partition_key: (kind == "p").then(|| or_locked(key)),
        bound: is_partition.then(|| or_locked(bound)),
        size: Size { rows: cells.count()?, pages: cells.count()?.unwrap_or_default() },
    })
}

/// What was left out since somebody's lock is in the way.
pub(super) fn or_locked(text: Option<String>) -> Reading<String> {
    text.map_or(Reading::unavailable(Unavailable::Locked), Reading::Known)
}

fn names(cells: &mut Cells<'_>) -> Result<Vec<ObjectName>, DatabaseError> {
    let pairs: Vec<(String, String)> = cells.json()?;
    Ok(pairs.into_iter().map(|(namespace, name)| ObjectName { namespace, name }).collect())
}

fn native(cells: &mut Cells<'_>) -> Result<Native, DatabaseError> {
    let mut native = Native::new();
    let options: Vec<String> = cells.json()?;
    if !options.is_empty() {
        native.insert("options".to_owned(), options.into());
    }
    for (key, usual) in [("access_method", Some("heap")), ("tablespace", None), ("extension", None), ("server", None)] {
        if let Some(value) = cells.next::<Option<String>>()?.filter(|value| Some(value.as_str()) != usual) {
            native.insert(key.to_owned(), value.into());
        }
    }
    Ok(native)
}

fn rule((name, event, instead, enabled, text, comment): FoundRule) -> Rule {
    let mut native = Native::new();
    // Usually it counts but where a subscription or the like writes.
    for (letter, word) in [("A", "always"), ("R", "replica")] {
        if enabled == letter {
            native.insert("counts".to_owned(), word.into());
        }
    }
    Rule {
        name,
        event: match event.as_str() {
            "2" => TriggerEvent::Update,
            "4" => TriggerEvent::Delete,
            _ => TriggerEvent::Insert,
        },
        instead,
        definition: or_locked(text.map(|text| text.trim().trim_end_matches(';').to_owned())),
        enabled: enabled != "D",
        comment,
        native,
    }
}

fn row_security(cells: &mut Cells<'_>) -> Result<Option<RowSecurity>, DatabaseError> {
    let (enabled, forced): (bool, bool) = (cells.next()?, cells.next()?);
    let found: Vec<FoundPolicy> = cells.json()?;
    if !enabled && !forced && found.is_empty() {
        return Ok(None);
    }
    let condition = |there: bool, text: Option<String>| there.then(|| or_locked(text));
    let policy = |(name, command, permissive, roles, seen, using, written, with_check): FoundPolicy| {
        // Nobody's number stands for everybody.
        let mut roles: Vec<String> = roles.into_iter().flatten().collect();
        roles.sort_unstable();
        Policy {
            name,
            command: match command.as_str() {
                "r" => PolicyCommand::Select,
                "a" => PolicyCommand::Insert,
                "w" => PolicyCommand::Update,
                "d" => PolicyCommand::Delete,
                _ => PolicyCommand::All,
            },
            permissive,
            roles,
            using: condition(seen, using),
            with_check: condition(written, with_check),
        }
    };
    let mut policies: Vec<Policy> = found.into_iter().map(policy).collect();
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(RowSecurity { enabled, forced, policies }))
}
