//! What a user sees who may not do everything.

use connection_manager::redis::driver_crate::cmd;
use connection_manager::{ConnectionSettings, PasswordSource};
use schema_inspect::InspectOptions;
use schema_model::{Gap, Inspection, Unavailable};
use secrecy::SecretString;
use testkit::redis::OwnRedis;

use super::sample::fill;
use super::{inspect, keys, only, pattern, patterns};

async fn seen_by(server: &OwnRedis, rules: &[&str]) -> Inspection {
    let mut command = cmd("ACL");
    command.arg("SETUSER").arg("ann").arg("reset").arg("on").arg(">right");
    for rule in rules {
        command.arg(*rule);
    }
    server.tell::<()>(command).await;
    let settings: ConnectionSettings = server.settings();
    let settings = settings.with_username("ann").with_password(PasswordSource::Literal(SecretString::from("right")));
    inspect(&*testkit::connect(settings).await.expect("connected"), &InspectOptions::default()).await
}

fn forbidden(parts: &[&str]) -> Vec<Gap> {
    let gap = |part: &&str| Gap { object: None, part: (*part).to_owned(), reason: Unavailable::Forbidden };
    parts.iter().map(gap).collect()
}

#[test]
fn what_one_may_not_ask_is_a_gap() {
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        fill(&server).await;
        let all = seen_by(&server, &["~*", "+@all"]).await;
        assert_eq!(all.report.gaps, []);

        let frugal = seen_by(&server, &["~*", "+@all", "-memory", "-object", "-hrandfield"]).await;
        let expected = forbidden(&["encodings of keys", "fields of hashes", "memory of keys"]);
        assert_eq!(frugal.report.gaps, expected);
        let sessions = pattern(keys(&frugal, "db0"), "session:{uuid}");
        let of_type = only(sessions);
        assert_eq!((of_type.memory, of_type.encodings.len(), of_type.fields.clone()), (None, 0, None));
        assert_eq!((sessions.keys.count, of_type.lengths.map(|lengths| lengths.count)), (40, Some(20)));

        // Nobody says which databases have keys, nor how many there are.
        let blind = seen_by(&server, &["~*", "+@all", "-info"]).await;
        assert_eq!(blind.report.gaps, forbidden(&["counts", "modules", "server", "settings"]));
        assert_eq!((keys(&blind, "db0").total, blind.key_samples.len()), (None, 1));
        assert!(keys(&blind, "db0").patterns.iter().all(|pattern| pattern.estimated.is_some()), "all were met");

        let barred = seen_by(&server, &["~*", "+@all", "-scan", "-select"]).await;
        assert_eq!(barred.report.gaps, forbidden(&["keys of db0", "keys of db3"]));
        assert_eq!(keys(&barred, "db0").unavailable, Some(Unavailable::Forbidden));
        assert!(keys(&barred, "db0").total.is_some_and(|total| total > 100));

        let nothing = seen_by(&server, &["~*", "+hello"]).await;
        let expected = forbidden(&["counts", "keys of db0", "modules", "server", "settings"]);
        assert_eq!(nothing.report.gaps, expected);
    });
}

/// Keys are listed to whoever may list any, and what is under them is told of those that one may read.
#[test]
fn what_is_under_other_people_s_keys_is_not_told() {
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        fill(&server).await;
        let found = seen_by(&server, &["~session:*", "+@all"]).await;
        let sample = keys(&found, "db0");
        assert!(patterns(sample).contains(&("user:{number}:name", 12)), "{:?}", patterns(sample));
        assert_eq!(pattern(sample, "user:{number}:name").types, []);
        assert_eq!(only(pattern(sample, "session:{uuid}")).count, 40);
        assert_eq!(found.report.gaps, forbidden(&["expiry of keys", "types of keys"]));
    });
}
