//! A rule of one's own, beside those that are there: every table is to say what it is.

use std::sync::Arc;

use schema_lint::{Evidence, Findings, Lint, Lints, Object, Severity, TooMany};
use schema_model::{Database, Namespace, Native, Relation, RelationKind};

struct Uncommented;

impl Lint for Uncommented {
    fn id(&self) -> &'static str {
        "uncommented-table"
    }

    fn summary(&self) -> &'static str {
        "a table has no comment"
    }

    fn severity(&self) -> Severity {
        Severity::Notice
    }

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let silent = database
            .relations()
            .filter(|(_, relation)| relation.kind == RelationKind::Table && relation.comment.is_none());
        let finding = |(name, relation): (_, &Relation)| {
            let evidence = Evidence::from([("columns".to_owned(), relation.columns.len().into())]);
            self.finding(Object::whole(&name), format!("nobody says what `{name}` is"), evidence, "write a comment")
        };
        found.extend(silent.map(finding))
    }
}

#[expect(clippy::print_stdout, reason = "what is found here is to be seen")]
fn main() {
    let mut namespace = Namespace::new("public");
    namespace.relations.push(Relation::new("books", RelationKind::Table));
    let database = Database {
        engine: "postgres".to_owned(),
        version: "15.18".to_owned(),
        name: "shop".to_owned(),
        comment: None,
        character_set: None,
        collation: None,
        namespaces: vec![namespace],
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native: Native::new(),
    };
    for finding in Lints::builtin().register(Arc::new(Uncommented)).check(&database) {
        println!("{:?} {}: {}", finding.severity, finding.rule, finding.message);
    }
}
