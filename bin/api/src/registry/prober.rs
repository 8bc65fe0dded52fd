use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use connection_manager::probe::{Finding, Stage, examine_into, looks_at_tls};
use connection_manager::{ConnectionSettings, SecretSource, TlsMode};
use registry_context::domain::{
    Definition, ProbeFacts, ProbeFault, ProbeReport, ProbeStage, Prober, Secrets, StageResult,
};
use shared_kernel::database::ConnectionName;
use tokio::sync::Semaphore;

use super::live::password;
use super::{ManagedEngines, QUIET, quiet_until};
use crate::config::registry::SHORTEST_TEST;

/// How long a server may take to answer a dial: less than [`QUIET`].
const DIAL: Duration = Duration::from_secs(3);
const _: () = assert!(DIAL.as_millis() < QUIET.as_millis(), "a silent server would be told by its time");
const _: () =
    assert!(QUIET.as_millis() < SHORTEST_TEST.as_millis(), "a test would be over before its dial may be told of");
/// How many tests run at the same time. Further ones wait, and their waiting is a part of their time.
const AT_ONCE: usize = 8;

/// Tests definitions through the manager's own look around, on connections that are closed again.
pub(crate) struct ManagedProber {
    engines: Arc<ManagedEngines>,
    secrets: Arc<dyn SecretSource>,
    /// How long a test may take in all.
    limit: Duration,
    places: Semaphore,
}

impl ManagedProber {
    pub(crate) fn new(engines: Arc<ManagedEngines>, secrets: Arc<dyn SecretSource>, limit: Duration) -> Self {
        Self { engines, secrets, limit, places: Semaphore::new(AT_ONCE) }
    }

    /// What the connection that is tested is opened with.
    fn settings(&self, definition: &Definition, secrets: &Secrets) -> ConnectionSettings {
        let password = password(definition, secrets.password.as_ref());
        let mut settings = self.engines.settings(definition, password, secrets.client_key.clone());
        settings.pool.connect_timeout = DIAL;
        settings
    }

    async fn look(&self, stages: &mut Vec<Stage>, settings: &ConnectionSettings) {
        let (Ok(_place), Ok(name)) = (self.places.acquire().await, "registry/test".parse::<ConnectionName>()) else {
            return;
        };
        examine_into(stages, self.engines.factory(), &self.secrets, &name, settings).await;
    }
}

#[async_trait]
impl Prober for ManagedProber {
    async fn probe(&self, definition: &Definition, secrets: &Secrets) -> ProbeReport {
        let began = Instant::now();
        if self.engines.refuses_literally(definition) {
            let refused = StageResult {
                stage: ProbeStage::Policy,
                fault: Some(ProbeFault::BlockedByPolicy),
                duration_ms: Some(0),
            };
            return ProbeReport { stages: vec![refused], ..ProbeReport::default() };
        }
        let settings = self.settings(definition, secrets);
        let mut stages = Vec::new();
        let end = began + self.limit;
        let in_time = tokio::time::timeout_at(end.into(), self.look(&mut stages, &settings)).await.is_ok();
        let way = Way {
            dials: settings.host.is_some(),
            has_tls: settings.tls.mode != TlsMode::Disabled,
            looks_at_tls: looks_at_tls(&settings),
        };
        let mut report = report(&stages, in_time, way);
        for stage in stages.iter().filter(|stage| !stage.passed()) {
            // Whoever operates the service may know what whoever defines connections may not.
            tracing::info!(event = "registry.test_failed", stage = stage.name, code = stage.code);
        }
        report.duration_ms = if matches!(report.failure(), Some((_, ProbeFault::Unreachable))) {
            let told = told_at(&stages, Instant::now(), end);
            quiet_until(told).await;
            milliseconds(if told < end { QUIET } else { self.limit })
        } else {
            milliseconds(began.elapsed())
        };
        report
    }
}

impl fmt::Debug for ManagedProber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedProber").finish_non_exhaustive()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// When it is told that no server was reached, which was known `now`. A dial of the service's own takes no longer than it may. A
/// driver dials for as long as it is led on, by whoever answers it or by SRV records.
fn told_at(stages: &[Stage], now: Instant, end: Instant) -> Instant {
    match stages.last() {
        Some(dial) if dial.name == "TCP" && !dial.passed() => end.min(now + QUIET.saturating_sub(dial.duration)),
        _ => end,
    }
}

/// Which stages a definition has.
#[derive(Clone, Copy)]
struct Way {
    /// There is a server.
    dials: bool,
    /// TLS is on.
    has_tls: bool,
    /// TLS has a stage of its own in front of the login.
    looks_at_tls: bool,
}

/// What may be told of the stages.
fn report(stages: &[Stage], in_time: bool, way: Way) -> ProbeReport {
    let mut report = ProbeReport::default();
    // What is found out before anything is dialled is one stage.
    let mut policy = Duration::ZERO;
    for stage in stages {
        let fault = (!stage.passed()).then(|| fault(stage.code));
        let duration = Some(milliseconds(stage.duration));
        let mut add = |stage, fault: Option<ProbeFault>, duration_ms: Option<u64>| {
            let fault = fault.map(|fault| blurred(stage, fault));
            let duration_ms = duration_ms.filter(|_| fault != Some(ProbeFault::Unreachable));
            report.stages.push(StageResult { stage, fault, duration_ms });
        };
        match (stage.name, fault) {
            ("settings" | "secret", fault) => {
                policy = policy.saturating_add(stage.duration);
                if fault.is_some() {
                    add(ProbeStage::Policy, fault, Some(milliseconds(policy)));
                }
                continue;
            }
            _ if policy != Duration::MAX => {
                add(ProbeStage::Policy, None, Some(milliseconds(policy)));
                policy = Duration::MAX;
            }
            _ => {}
        }
        match (stage.name, fault) {
            ("DNS", Some(ProbeFault::Unreachable)) | ("TCP", _) => add(ProbeStage::Tcp, fault, duration),
            ("DNS", _) => add(ProbeStage::Dns, fault, duration),
            // Of what is off there is nothing to be told.
            ("TLS", None) if !way.has_tls => {}
            ("TLS", _) => add(ProbeStage::Tls, fault, duration),
            // One exchange with the driver: it went as far as the database.
            ("login", Some(ProbeFault::UnknownDatabase)) => {
                add(ProbeStage::Login, None, duration);
                add(ProbeStage::Database, fault, None);
            }
            // Where the driver alone knows the way, as with SRV records, there was no stage of its own for it.
            ("login", Some(ProbeFault::Unreachable)) if !stages.iter().any(|stage| stage.name == "TCP") => {
                add(ProbeStage::Tcp, fault, None);
            }
            ("login", _) => add(ProbeStage::Login, fault, duration),
            ("open", None) => {}
            ("open" | "ping", _) => add(ProbeStage::Database, fault, duration),
            ("privileges", _) | (_, Some(_)) => add(ProbeStage::Privileges, fault, duration),
            _ => {}
        }
        if let Some(finding) = &stage.finding {
            take(finding, &mut report.facts);
        }
    }
    if !in_time {
        let (stage, fault) = broken_off(stages, report.stages.last().map(|result| result.stage), way);
        let fault = blurred(stage, fault);
        if stage == ProbeStage::Tcp {
            let duration_ms = Some(milliseconds(policy));
            report.stages.push(StageResult { stage: ProbeStage::Policy, fault: None, duration_ms });
        }
        report.stages.push(StageResult { stage, fault: Some(fault), duration_ms: None });
    }
    report
}

/// From the login on the driver may be dialling others, of whom a silent one has to look like a closed one.
fn blurred(stage: ProbeStage, fault: ProbeFault) -> ProbeFault {
    match fault {
        ProbeFault::Timeout if stage > ProbeStage::Tls => ProbeFault::Unreachable,
        fault => fault,
    }
}

/// At which stage a look was broken off for want of time, the last that ended being this one.
fn broken_off(stages: &[Stage], last: Option<ProbeStage>, way: Way) -> (ProbeStage, ProbeFault) {
    match last {
        None if way.dials && stages.iter().any(|stage| stage.name == "secret") => {
            (ProbeStage::Tcp, ProbeFault::Unreachable)
        }
        Some(ProbeStage::Tcp) if way.looks_at_tls => (ProbeStage::Tls, ProbeFault::Timeout),
        Some(ProbeStage::Tcp) => (ProbeStage::Login, ProbeFault::Timeout),
        last => {
            let next = ProbeStage::ALL.into_iter().find(|stage| last.is_none_or(|last| *stage > last));
            (next.unwrap_or(ProbeStage::Privileges), ProbeFault::Timeout)
        }
    }
}

fn take(finding: &Finding, facts: &mut ProbeFacts) {
    match finding {
        Finding::Server { version } => facts.server_version.clone_from(version),
        Finding::Tls { version, expires_at, .. } => {
            facts.tls_version = Some(version.replace('_', "."));
            facts.certificate_expires_at = *expires_at;
        }
        Finding::Privileges { reads, writes, superuser } => {
            (facts.can_read, facts.can_write, facts.superuser) = (*reads, *writes, *superuser);
        }
        _ => {}
    }
}

/// The registry's word for the manager's.
fn fault(code: &str) -> ProbeFault {
    match code {
        "misconfigured" => ProbeFault::Misconfigured,
        "secret_unavailable" => ProbeFault::SecretUnavailable,
        "unreachable" | "dns_failed" | "tcp_refused" | "tcp_silent" | "tcp_failed" => ProbeFault::Unreachable,
        "tls_failed" => ProbeFault::TlsFailed,
        "tls_unsupported" => ProbeFault::TlsUnsupported,
        "tls_expired" => ProbeFault::TlsExpired,
        "tls_wrong_name" => ProbeFault::TlsWrongName,
        "tls_untrusted" => ProbeFault::TlsUntrusted,
        "unfit_password" => ProbeFault::UnfitPassword,
        "auth_rejected" => ProbeFault::AuthFailed,
        "unknown_database" => ProbeFault::UnknownDatabase,
        "not_a_database" => ProbeFault::NotADatabase,
        "file_unusable" => ProbeFault::FileUnusable,
        "no_privileges" => ProbeFault::NoPrivileges,
        "saturated" => ProbeFault::Saturated,
        "timeout" => ProbeFault::Timeout,
        _ => ProbeFault::Failed,
    }
}

#[cfg(test)]
mod tests {
    use connection_manager::egress::EgressConfig;
    use connection_manager::{ConnectionFactory, LocalSecrets};
    use registry_context::domain::{DisplayName, Host, Labels, Options, Username};
    use shared_kernel::database::Engine;

    use super::*;
    use crate::config::RegistryConfig;

    fn stage(name: &'static str, code: &'static str) -> Stage {
        let outcome = if code == "ok" { Ok("10.0.0.1".to_owned()) } else { Err("10.0.0.1 says no".to_owned()) };
        Stage { name, code, duration: Duration::from_millis(3), outcome, remedy: None, finding: None }
    }

    #[track_caller]
    fn check(stages: &[(&'static str, &'static str)], in_time: bool, expected: &[&str]) {
        check_on(Way { dials: true, has_tls: true, looks_at_tls: true }, stages, in_time, expected);
    }

    #[track_caller]
    fn check_on(way: Way, stages: &[(&'static str, &'static str)], in_time: bool, expected: &[&str]) {
        let stages: Vec<Stage> = stages.iter().map(|(name, code)| stage(name, code)).collect();
        let report = report(&stages, in_time, way);
        let line = |result: &StageResult| {
            let fault = result.fault.map_or("ok", ProbeFault::as_str);
            let duration = result.duration_ms.map_or_else(|| "-".to_owned(), |duration| duration.to_string());
            format!("{} {fault} {duration}", result.stage.as_str())
        };
        assert_eq!(report.stages.iter().map(line).collect::<Vec<_>>(), expected);
        assert!(!format!("{report:?}").contains("10.0.0.1"));
    }

    const BEFORE: [(&str, &str); 2] = [("settings", "ok"), ("secret", "ok")];

    #[test]
    fn a_way_that_leads_there_is_told_from_end_to_end() {
        let rest = [("DNS", "ok"), ("TCP", "ok"), ("TLS", "ok"), ("login", "ok"), ("ping", "ok"), ("role", "ok")];
        let stages = [&BEFORE[..], &rest, &[("privileges", "ok"), ("latency", "ok")]].concat();
        let expected =
            ["policy ok 6", "dns ok 3", "tcp ok 3", "tls ok 3", "login ok 3", "database ok 3", "privileges ok 3"];
        check(&stages, true, &expected);
        check(&[&BEFORE[..], &[("open", "ok"), ("ping", "ok")]].concat(), true, &["policy ok 6", "database ok 3"]);
        // Of what is off there is nothing to be told.
        let expected = expected.into_iter().filter(|line| !line.starts_with("tls")).collect::<Vec<_>>();
        check_on(Way { dials: true, has_tls: false, looks_at_tls: false }, &stages, true, &expected);
    }

    #[test]
    fn what_is_not_reached_looks_alike_whatever_the_reason() {
        for failed in [
            &[("DNS", "dns_failed")][..],
            &[("DNS", "unreachable")],
            &[("TCP", "unreachable")],
            &[("TCP", "tcp_refused")],
            &[("TCP", "tcp_silent")],
            // By way of SRV records.
            &[("login", "unreachable")],
        ] {
            check(&[&BEFORE[..], failed].concat(), true, &["policy ok 6", "tcp unreachable -"]);
        }
    }

    #[test]
    fn what_is_broken_off_while_it_dials_looks_like_what_is_not_reached() {
        let known = [("DNS", "ok"), ("TCP", "ok")];
        let begin = ["policy ok 6", "dns ok 3", "tcp ok 3"];
        let [dials, plain, file] = [(true, true), (true, false), (false, false)].map(|(dials, looks_at_tls)| Way {
            dials,
            has_tls: dials,
            looks_at_tls,
        });
        check_on(dials, &BEFORE, false, &["policy ok 6", "tcp unreachable -"]);
        check_on(dials, &BEFORE[..1], false, &["policy timeout -"]);
        // The first server alone is asked for TLS.
        let until_login = [&BEFORE[..], &known].concat();
        check_on(dials, &until_login, false, &[&begin[..], &["tls timeout -"]].concat());
        check_on(plain, &until_login, false, &[&begin[..], &["login unreachable -"]].concat());
        let until_login = [&until_login[..], &[("TLS", "ok")]].concat();
        check_on(dials, &until_login, false, &[&begin[..], &["tls ok 3", "login unreachable -"]].concat());
        let logged_in = [&until_login[..], &[("login", "ok")]].concat();
        check_on(
            dials,
            &logged_in,
            false,
            &[&begin[..], &["tls ok 3", "login ok 3", "database unreachable -"]].concat(),
        );
        check_on(file, &BEFORE, false, &["policy timeout -"]);
    }

    #[test]
    fn the_time_of_an_answer_is_that_of_the_dial_and_not_of_what_came_of_it() {
        let (now, end) = (Instant::now(), Instant::now() + Duration::from_secs(10));
        let dial = stage("TCP", "unreachable");
        let told = [&dial, &Stage { duration: DIAL, ..dial.clone() }]
            .map(|dial| told_at(&[stage("secret", "ok"), dial.clone()], now + dial.duration, end));
        assert_eq!(told, [now + QUIET; 2]);
        // What waits for its turn has less time left.
        assert_eq!(told_at(&[dial], end, end), end);
        // Broken off, or dialled by the driver.
        for stages in [vec![stage("secret", "ok")], vec![stage("TCP", "ok"), stage("login", "unreachable")]] {
            assert_eq!(told_at(&stages, now, end), end);
        }
    }

    /// How long a silent server is waited for would tell it from a closed port if it were longer than what is waited for anyway.
    #[test]
    fn a_test_dials_for_less_time_than_passes_before_anything_is_told() {
        let config = RegistryConfig::default();
        let engines = ManagedEngines::new(ConnectionFactory::compiled(), &config, EgressConfig::open().egress([]));
        let prober = ManagedProber::new(Arc::new(engines), Arc::new(LocalSecrets), config.test_timeout);
        let definition = Definition {
            name: DisplayName::parse("Sales").expect("a name"),
            engine: Engine::POSTGRES,
            host: Host::parse("db.example").ok(),
            port: None,
            database: None,
            path: None,
            username: Username::parse("ann").ok(),
            secret: None,
            tls: None,
            options: Options::default(),
            labels: Labels::default(),
            notes: None,
        };
        let settings = prober.settings(&definition, &Secrets::default());
        assert!(settings.pool.connect_timeout < QUIET, "{:?}", settings.pool.connect_timeout);
    }

    #[test]
    fn each_fault_stands_at_its_stage() {
        check(&[("settings", "ok"), ("settings", "misconfigured")], true, &["policy misconfigured 6"]);
        check(&[("settings", "ok"), ("secret", "secret_unavailable")], true, &["policy secret_unavailable 6"]);
        let until_login = [&BEFORE[..], &[("DNS", "ok"), ("TCP", "ok")]].concat();
        let with = |name, code| [&until_login[..], &[(name, code)]].concat();
        let begin = ["policy ok 6", "dns ok 3", "tcp ok 3"];
        check(&with("TLS", "tls_expired"), true, &[&begin[..], &["tls tls_expired 3"]].concat());
        check(&with("login", "auth_rejected"), true, &[&begin[..], &["login auth_failed 3"]].concat());
        let database = ["login ok 3", "database unknown_database -"];
        check(&with("login", "unknown_database"), true, &[&begin[..], &database].concat());
        check(&with("login", "query"), true, &[&begin[..], &["login failed 3"]].concat());
        for code in ["unreachable", "timeout"] {
            check(&with("login", code), true, &[&begin[..], &["login unreachable -"]].concat());
        }
        check(&with("TLS", "timeout"), true, &[&begin[..], &["tls timeout 3"]].concat());
        check(&with("privileges", "no_privileges"), true, &[&begin[..], &["privileges no_privileges 3"]].concat());
        check(&[], false, &["policy timeout -"]);
    }
}
