//! What the connector itself sends, for a parser of T-SQL.

use connection_manager::egress::EgressConfig;
use connection_manager::probe::examine;
use connection_manager::{ConnectionFactory, LocalSecrets, SecretSource};
use shared_kernel::database::TransactionMode;
use testkit::tds::Via;

use super::*;

#[tokio::test]
async fn what_the_connector_says_of_its_own_is_noted() {
    let server = server().start().await.unwrap();
    server.on("SELECT wrong", Reply::error(208, "Invalid object name."));
    // Whoever comes from outside is sent the limits of the session as well.
    let guarded = settings(&server).with_egress(EgressConfig::open().egress([]));
    for settings in [settings(&server), guarded] {
        let connection = testkit::connect(settings).await.unwrap();
        connection.ping(&context()).await.unwrap();
        let sql = connection.sql().unwrap();
        for keep in [true, false] {
            let transaction = sql.begin(TransactionMode::ReadWrite, &context()).await.unwrap();
            transaction.query(&statement("SELECT wrong", []), &context()).await.unwrap_err();
            // It may be lost by now, which is another test's concern.
            let _ended =
                if keep { transaction.commit(&context()).await } else { transaction.rollback(&context()).await };
        }
        // The script knows no catalog; what it was asked is what counts.
        let _refused = connection.catalog().unwrap().databases(10, &context()).await;
    }
    let secrets: Arc<dyn SecretSource> = Arc::new(LocalSecrets);
    examine(&ConnectionFactory::compiled(), &secrets, &"examined".parse().unwrap(), &settings(&server)).await;
    // Transactions begin and end by requests of the protocol, which are no texts.
    let said = server.received().into_iter().filter(|one| one.statement.via != Via::TransactionManager);
    let texts: Vec<String> = said.map(|one| one.statement.text).collect();
    for part in ["SET LOCK_TIMEOUT ", "@@VERSION", "@@TRANCOUNT", "sys.databases", "HAS_PERMS_BY_NAME"] {
        assert!(texts.iter().any(|text| text.contains(part)), "{part} in {texts:#?}");
    }
    for text in texts.iter().filter(|text| !text.contains("SELECT wrong")) {
        testkit::note_tsql_text("connector", text.trim_end());
    }
}
