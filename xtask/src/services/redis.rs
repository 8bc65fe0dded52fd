//! Redis: one configuration file, a plain port and one with TLS, and a single user who may do everything.

use std::fmt::Write;
use std::process::Command;

use anyhow::Result;

use super::own;
use super::place::{Home, Place};
use super::programs::{self, Programs};
use super::state::Process;
use super::{Service, Source};

/// The one user of our own server.
pub(super) const ADMINISTRATOR: &str = "admin";

pub(super) fn start(programs: &Programs, place: &Place) -> Result<Process> {
    place.run(Command::new("mkdir").arg(place.data()), None)?;
    let users = format!("user default off\nuser {ADMINISTRATOR} on >{} ~* &* +@all\n", place.password);
    let users = place.write("users.acl", &users)?;
    let tls = &place.certificates;
    let settings = [
        ("bind", "127.0.0.1".to_owned()),
        ("port", place.port.to_string()),
        ("tls-port", place.tls_port.to_string()),
        ("tls-ca-cert-file", tls.authority.display().to_string()),
        ("tls-cert-file", tls.leaf.display().to_string()),
        ("tls-key-file", tls.key.display().to_string()),
        ("tls-auth-clients", "no".to_owned()),
        // So that a client that is let in has spoken it.
        ("tls-protocols", "TLSv1.3".to_owned()),
        ("aclfile", users.display().to_string()),
        ("dir", place.data().display().to_string()),
        // A test server loses nothing worth keeping when the machine fails.
        ("save", String::new()),
        ("appendonly", "no".to_owned()),
        ("maxmemory", "256mb".to_owned()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("maxclients", "2000".to_owned()),
    ];
    let mut text = String::new();
    for (name, value) in settings {
        writeln!(text, "{name} \"{value}\"")?;
    }
    let file = place.write("redis.conf", &text)?;
    place.spawn(programs.server().arg(file))
}

/// What tests are told of a server that we have started, beside its URL: where it speaks TLS, and the program, for
/// servers of a test's own.
pub(super) fn variables(
    programs: Option<&Programs>,
    tls_port: u16,
    password: &str,
    home: &Home,
) -> Result<Vec<(String, String)>> {
    let url = format!("rediss://{ADMINISTRATOR}:{password}@localhost:{tls_port}/0");
    let mut variables = vec![("BINDERY_TEST_REDIS_TLS_URL".to_owned(), url)];
    if let Some(programs) = programs {
        variables.push(program(programs, home)?);
    }
    Ok(variables)
}

/// The program alone, for a server that is not ours, from wherever it can be had; nothing where it cannot.
pub(super) fn programs(home: &Home, say: &dyn Fn(&str)) -> Vec<(String, String)> {
    let found = [Source::Installed, Source::Packages]
        .into_iter()
        .find_map(|source| programs::find(Service::Redis, source, home, say).ok().flatten());
    found.and_then(|programs| program(&programs, home).ok()).into_iter().collect()
}

fn program(programs: &Programs, home: &Home) -> Result<(String, String)> {
    let path = own::script(home, "redis-server", &[("", programs.server())])?;
    Ok(("BINDERY_TEST_REDIS_SERVER".to_owned(), path.display().to_string()))
}
