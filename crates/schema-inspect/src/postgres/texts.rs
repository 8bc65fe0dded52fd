use shared_kernel::database::{Dialect, Statement};

use super::Locks;
use super::qualified::qualified;
use crate::InspectOptions;
use crate::statement::select;

/// Which namespaces are looked at. Names that begin with `pg_` are the engine's own.
const SELECTED: &str = "pg_catalog.left(n.nspname::pg_catalog.text, 3) <> 'pg_' \
     AND n.nspname <> 'information_schema' AND ($1::pg_catalog.text IS NULL \
     OR n.nspname = ANY (SELECT pg_catalog.json_array_elements_text($1::pg_catalog.json)))";

/// Tables on which somebody has, or waits for, a lock that reading would wait behind.
const LOCKED: &str = "SELECT l.relation FROM pg_locks l WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' \
     AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) \
     AND l.pid IS DISTINCT FROM pg_backend_pid()";

const EVERYTHING_LOCKED: &str = "SELECT c.oid AS relation FROM pg_class c";

/// The questions, as a version of the server understands them.
pub(super) struct Texts<'a> {
    version: i32,
    locks: Locks,
    options: &'a InspectOptions,
}

impl<'a> Texts<'a> {
    /// The oldest version, as `server_version_num` writes it.
    pub(super) const OLDEST: i32 = 130_000;

    pub(super) fn new(version: i32, locks: Locks, options: &'a InspectOptions) -> Self {
        Self { version, locks, options }
    }

    pub(super) fn relations(&self) -> Statement {
        self.statement(include_str!("relations.sql"), &[])
    }

    pub(super) fn columns(&self) -> Statement {
        self.statement(include_str!("columns.sql"), &[])
    }

    pub(super) fn constraints(&self) -> Statement {
        let set_on_delete = "CASE WHEN con.confdelsetcols IS NOT NULL THEN (SELECT json_agg(a.attname ORDER BY k.position) \
             FROM unnest(con.confdelsetcols) WITH ORDINALITY k(number, position) \
             JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.number) END::text";
        let parts = [
            ("{enforced}", self.since(18, "con.conenforced", "true")),
            ("{set_on_delete}", self.since(15, set_on_delete, "NULL::text")),
        ];
        self.statement(include_str!("constraints.sql"), &parts)
    }

    pub(super) fn indexes(&self) -> Statement {
        let parts = [("{nulls_distinct}", self.since(15, "NOT i.indnullsnotdistinct", "true"))];
        self.statement(include_str!("indexes.sql"), &parts)
    }

    pub(super) fn triggers(&self) -> Statement {
        self.statement(include_str!("triggers.sql"), &[])
    }

    pub(super) fn sequences(&self) -> Statement {
        self.statement(include_str!("sequences.sql"), &[])
    }

    pub(super) fn types(&self) -> Statement {
        let multirange = "(SELECT m.typname FROM pg_type m WHERE m.oid = r.rngmultitypid)::text";
        self.statement(include_str!("types.sql"), &[("{multirange}", self.since(14, multirange, "NULL::text"))])
    }

    /// Most databases have no native objects, and the question about them takes long to be understood.
    pub(super) fn routines(&self, with_native_objects: bool) -> Statement {
        let parts = [
            ("{has_parsed_body}", self.since(14, "p.prosqlbody IS NOT NULL", "false")),
            ("{native_objects}", if with_native_objects { include_str!("native_objects.sql") } else { "" }),
            ("{items}", include_str!("operator_items.sql")),
        ];
        self.statement(include_str!("routines.sql"), &parts)
    }

    fn since(&self, major: i32, text: &'static str, before: &'static str) -> &'static str {
        if self.version >= major * 10_000 { text } else { before }
    }

    fn statement(&self, text: &str, parts: &[(&str, &str)]) -> Statement {
        let locked = match self.locks {
            Locks::Seen => LOCKED,
            Locks::Assumed => EVERYTHING_LOCKED,
        };
        let text = parts.iter().fold(text.replace("{locked}", locked), |text, (place, part)| text.replace(place, part));
        select(Dialect::Postgres, &text.replace("{selected}", SELECTED)).bind(namespaces(self.options)).into()
    }
}

/// The first question, which every version understands. It sets the transaction of an inspection as the others want it, among other
/// things without a search path: they name with its namespace whatever is not the engine's own, this one names all so.
pub(super) fn database(options: &InspectOptions) -> Statement {
    let text = qualified(&include_str!("database.sql").replace("{selected}", SELECTED));
    let lock_wait = format!("{}ms", options.lock_wait.as_millis().max(1));
    select(Dialect::Postgres, &text).bind(namespaces(options)).bind(lock_wait).into()
}

fn namespaces(options: &InspectOptions) -> Option<String> {
    options.namespaces.as_ref().map(|names| serde_json::Value::from(names.clone()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_left_open_on_any_version() {
        let options = InspectOptions::default();
        for version in [130_000, 140_000, 150_000, 180_000] {
            for locks in [Locks::Seen, Locks::Assumed] {
                let texts = Texts::new(version, locks, &options);
                for statement in [
                    database(&options),
                    texts.relations(),
                    texts.columns(),
                    texts.constraints(),
                    texts.indexes(),
                    texts.triggers(),
                    texts.sequences(),
                    texts.types(),
                    texts.routines(true),
                    texts.routines(false),
                ] {
                    let text = statement.render(Dialect::Postgres).expect("a text").sql;
                    assert!(!text.contains('{') && !text.contains('}'), "{text}");
                }
            }
        }
    }
}
