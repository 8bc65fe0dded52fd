//! Processes of their own, each built from the text of a configuration file, over one Redis.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use connection_manager::config::{ConnectionsConfig, Document, Reader, SecretsConfig};
use connection_manager::{ConfiguredSecrets, ConnectionFactory};
use shared_kernel::SystemClock;

use super::super::desk::optional;
use super::*;

/// The test that is the program of such a process.
const PROGRAM: &str = "secrets::moto::processes::one_of_a_fleet";
/// What stands before what it says, between the lines of the test's own frame.
const SAYS: &str = "one of a fleet: ";

/// What a process is told.
struct Order<'a> {
    desk: &'a Desk,
    redis: &'a OwnRedis,
    /// Where the password of Redis is.
    password: &'a str,
    /// The rest of `[secrets.shared]`.
    keys: &'a str,
    callers: u32,
    /// The names of the secrets, each of which every caller asks for.
    secrets: &'a [&'a str],
}

impl Order<'_> {
    /// The limits are those of a busy machine: what is shown is not how quick it is.
    fn configuration(&self) -> String {
        format!(
            "[connections.cache]\nengine = \"redis\"\nhost = \"127.0.0.1\"\nport = {}\ndatabase = \"0\"\npassword = {}\n\
             [secrets]\nregion = \"eu-central-1\"\nendpoint_url = \"{}\"\ntimeout = \"30s\"\n\
             [secrets.shared]\nconnection = \"cache\"\ntimeout = \"30s\"\n{}\n",
            self.redis.port(),
            self.password,
            self.desk.front.url(),
            self.keys,
        )
    }

    fn start(&self) -> Process {
        let ids: Vec<String> = self.secrets.iter().map(|name| self.desk.id(name)).collect();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (name, value) in [
            ("BINDERY_TEST_FLEET", self.configuration().as_str()),
            ("BINDERY_TEST_FLEET_CALLERS", &self.callers.to_string()),
            ("BINDERY_TEST_FLEET_SECRETS", &ids.join("\n")),
            ("FLEET_REDIS", OwnRedis::PASSWORD),
            ("FLEET_OLD", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("FLEET_NEW", "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="),
            ("AWS_ACCESS_KEY_ID", "emulated"),
            ("AWS_SECRET_ACCESS_KEY", "emulated"),
        ] {
            command.env(name, value);
        }
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut process = Process { child, input, output };
        assert_eq!(process.says(), "ready");
        process
    }
}

/// A process that is killed when the test ends early.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn says(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the process has ended");
            if let Some((_, said)) = line.split_once(SAYS) {
                return said.trim().to_owned();
            }
        }
    }

    /// Lets its callers ask.
    fn go(&mut self) {
        writeln!(self.input, "go").unwrap();
    }

    /// Waits until they were answered, and tells how.
    fn answers(mut self) -> String {
        let said = self.says();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// The program: asks for every secret with every caller when it is told to. Without an order it has nothing to show.
#[test]
fn one_of_a_fleet() {
    let Some(configuration) = optional("BINDERY_TEST_FLEET") else { return };
    let callers: usize = optional("BINDERY_TEST_FLEET_CALLERS").unwrap().parse().unwrap();
    let ids: Arc<[String]> = optional("BINDERY_TEST_FLEET_SECRETS").unwrap().lines().map(str::to_owned).collect();
    // Not what the test's frame would hold back.
    let say = |text: &str| writeln!(std::io::stdout(), "{SAYS}{text}").unwrap();
    testkit::run(async move {
        let document = Document::parse("fleet.toml", &configuration).unwrap();
        let reader = Reader::new(&document);
        let connections = ConnectionsConfig::read(&reader.root(), &ConnectionFactory::compiled());
        let secrets = SecretsConfig::read(&reader.root(), &connections);
        reader.finish().unwrap();
        let secrets = ConfiguredSecrets::build(&secrets, Arc::new(SystemClock)).unwrap();
        let cache = secrets.cache().unwrap().clone();
        say("ready");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        let asking: Vec<_> = (0..callers)
            .map(|caller| {
                let (cache, ids) = (cache.clone(), ids.clone());
                tokio::spawn(async move {
                    for turn in 0..ids.len() {
                        let id = &ids[(caller + turn) % ids.len()];
                        let found = cache.get(id, SecretStage::Current, Freshness::Cached).await.unwrap().unwrap();
                        assert!(found.content.expose_secret().contains(CANARY));
                    }
                })
            })
            .collect();
        for caller in asking {
            caller.await.unwrap();
        }
        let counted = cache.snapshot();
        say(&format!("fetched {}, found in the shared level {}", counted.fetches, counted.shared_hits));
    });
}

const REDIS: &str = "{ env = \"FLEET_REDIS\" }";
const OLD: &str = "keys = { old = { env = \"FLEET_OLD\" } }";
const BOTH: &str = "key = \"new\"\nkeys = { old = { env = \"FLEET_OLD\" }, new = { env = \"FLEET_NEW\" } }";
const NEW: &str = "keys = { new = { env = \"FLEET_NEW\" } }";

#[test]
fn eighty_thousand_cold_questions_of_four_processes_are_one_for_each_name() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&[]).await);
        let secrets: Vec<String> = (0..20).map(|number| format!("name-{number}")).collect();
        for name in &secrets {
            desk.create(name, WHOLE).await;
        }
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let order = Order { desk: &desk, redis: &redis, password: REDIS, keys: OLD, callers: 1_000, secrets: &secrets };
        let mut fleet: Vec<Process> = (0..4).map(|_| order.start()).collect();
        fleet.iter_mut().for_each(Process::go);
        let answers: Vec<String> = fleet.into_iter().map(Process::answers).collect();
        assert_eq!(desk.front.questions(), 20, "{answers:?}");
    });
}

#[test]
fn keys_change_by_configuration_and_a_key_that_is_not_known_is_a_question() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&[]).await);
        desk.create("users", WHOLE).await;
        for (keys, questions, why) in [
            (OLD, 1, "the first one asks"),
            (OLD, 1, "the second one shares"),
            (BOTH, 1, "who knows the old key opens what it has sealed"),
            (NEW, 2, "who does not know it asks"),
            (BOTH, 2, "and seals with the new one, which this one knows"),
            (OLD, 3, "unlike this one"),
        ] {
            let mut process =
                Order { desk: &desk, redis: &redis, password: REDIS, keys, callers: 1, secrets: &["users"] }.start();
            process.go();
            let answer = process.answers();
            assert_eq!(desk.front.questions(), questions, "{why}: {answer}");
        }
    });
}

#[test]
fn a_level_whose_own_password_is_a_secret_does_not_wait_for_itself() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&[]).await);
        desk.create("users", WHOLE).await;
        desk.create("cache", &format!(r#"{{"engine":"redis","password":"{}"}}"#, OwnRedis::PASSWORD)).await;
        let password = format!("{{ secrets_manager = \"{}\" }}", desk.id("cache"));
        for (questions, answer) in
            [(2, "fetched 1, found in the shared level 0"), (3, "fetched 0, found in the shared level 1")]
        {
            let mut process =
                Order { desk: &desk, redis: &redis, password: &password, keys: OLD, callers: 1, secrets: &["users"] }
                    .start();
            process.go();
            assert_eq!(process.answers(), answer);
            assert_eq!(desk.front.questions(), questions, "each process asks for the level's own password");
        }
    });
}
