use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Gap, Reading, Unavailable};
use secrecy::SecretString;
use shared_kernel::RequestContext;
use testkit::Server;

use super::{Sample, on_both};

on_both!(a_user_sees_what_is_theirs_and_is_told_of_the_rest);

async fn a_user_sees_what_is_theirs_and_is_told_of_the_rest(server: Server) {
    let sample = Sample::new(server).await;
    let name = sample.database.name();
    let user = format!("u{}", &name[1..]);
    sample
        .run(&format!(
            "CREATE USER '{user}'@'%' IDENTIFIED BY 'hush, hush'; GRANT SELECT ON {name}.goods TO '{user}'@'%'; \
             GRANT SELECT ON {name}.cheap TO '{user}'@'%'; GRANT SELECT (name), UPDATE (name) ON {name}.makers TO '{user}'@'%'; \
             GRANT EXECUTE ON FUNCTION {name}.twice TO '{user}'@'%'"
        ))
        .await;
    let mut settings = sample.database.settings();
    settings.username = Some(user.clone());
    settings.password = connection_manager::PasswordSource::Literal(SecretString::from("hush, hush"));
    let connection = testkit::connect(settings).await.expect("connected");
    let found = Inspectors::builtin().inspect(&*connection, &sample.options(), &RequestContext::system()).await;
    let everything = Inspectors::builtin()
        .inspect(&*connection, &InspectOptions::default(), &RequestContext::system())
        .await
        .expect("inspected");
    connection.close(std::time::Duration::from_secs(5)).await;
    let granted = sample.inspect(&sample.options()).await;
    sample.run(&format!("DROP USER '{user}'@'%'")).await;
    let found = found.expect("inspected");
    let names: Vec<&str> =
        found.database.namespaces[0].relations.iter().map(|relation| relation.name.as_str()).collect();
    assert_eq!(names, ["cheap", "goods", "makers"]);
    assert_eq!(everything.database.namespaces.len(), 1, "nobody else's");
    let columns = |name| -> Vec<&str> {
        sample.relation(&found, name).columns.iter().map(|column| column.name.as_str()).collect()
    };
    assert_eq!(columns("makers"), ["name"]);
    assert_eq!(columns("goods").len(), sample.relation(&granted, "goods").columns.len());
    let cheap = sample.relation(&found, "cheap").definition.as_ref().and_then(Reading::reason);
    assert_eq!(cheap, Some(Unavailable::Forbidden));
    let gap = |name: &str| Gap {
        object: Some(sample.name(name)),
        part: "definition".to_owned(),
        reason: Unavailable::Forbidden,
    };
    assert!(found.report.gaps.contains(&gap("cheap")), "{:?}", found.report.gaps);
    assert!(found.report.gaps.contains(&gap("twice")), "{:?}", found.report.gaps);
    // Who may do what is told to those who see it.
    let makers = sample.relation(&granted, "makers");
    let on_name = &makers.column("name").expect("the column").grants;
    assert_eq!(on_name[0].grantee.as_deref(), Some(&*format!("'{user}'@'%'")));
    assert_eq!(on_name[0].privileges, ["SELECT", "UPDATE"]);
    assert_eq!(sample.relation(&granted, "goods").grants[0].privileges, ["SELECT"]);
}
