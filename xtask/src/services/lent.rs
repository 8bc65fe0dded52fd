//! A server for one test alone, with settings that the test says, for as long as the test holds our input open.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::place::{Home, Place};
use super::programs::{self, Programs};
use super::state::{self, Process};
use super::{Service, Source, mariadb, mysql, postgres};
use crate::certificates::Certificates;
use crate::{interrupt, process, workspace};

/// Nobody wants a server for longer than a day.
const LONGEST: Duration = Duration::from_hours(24);

/// What tests are told of where servers of their own can be had: this program.
pub(super) fn variable() -> Option<(String, String)> {
    let program = std::env::current_exe().ok()?;
    Some(("BINDERY_TEST_LENDER".to_owned(), program.display().to_string()))
}

/// A setting as it is written on the command line, `name=value`.
pub(crate) fn setting(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').context("a setting is written as name=value")?;
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
    if !is_name(name) {
        bail!("`{name}` is no name of a setting: it has other signs than letters, digits and `_`");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Starts a server, prints its URL, and stops it when our input ends or somebody interrupts us. Nothing of it stays.
pub(crate) fn lend(service: Service, wishes: Vec<(String, String)>) -> Result<()> {
    if !matches!(service, Service::Mysql | Service::Mariadb | Service::Postgres) {
        bail!("{service} is not lent: only MySQL, MariaDB and PostgreSQL are");
    }
    let home = Home::locate()?;
    let (programs, certificates) = {
        // One at a time unpacks programs and makes certificates.
        let _lock = state::lock()?;
        let find = |source| programs::find(service, source, &home, &|_| ()).transpose();
        let found = [Source::Installed, Source::Packages].into_iter().find_map(find);
        let programs = found.with_context(|| format!("no programs of {service} are to be had"))??;
        (programs, Certificates::provide(&workspace::services().join("tls"))?)
    };
    let folder = format!("lent-{}-{}", service.word(), std::process::id());
    let mut place = Place::prepare_in(&home, &folder, service, &certificates)?;
    place.wishes = wishes;
    let outcome = serve(service, &programs, &place);
    let removed = place.remove();
    outcome.and(removed)
}

fn serve(service: Service, programs: &Programs, place: &Place) -> Result<()> {
    let server = start(service, programs, place)?;
    let answered = place.wait_for_answer(service, &server, Duration::from_secs(90));
    let told = answered.and_then(|_| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", service.url(place.port, &place.password)).and_then(|()| out.flush()).context("telling it")
    });
    if told.is_ok() {
        let over = end_of_input();
        process::wait_until(LONGEST, || over.load(Ordering::SeqCst) || interrupt::requested());
    }
    server.stop(service).and(told)
}

fn start(service: Service, programs: &Programs, place: &Place) -> Result<Process> {
    match service {
        Service::Mysql => mysql::start(programs, place),
        Service::Mariadb => mariadb::start(programs, place),
        _ => postgres::start(programs, place),
    }
}

/// Becomes true when whoever holds our input lets go of it, also when that is because he is no more.
fn end_of_input() -> Arc<AtomicBool> {
    let over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&over);
    std::thread::spawn(move || {
        // An input that cannot be read any more has ended as well.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        ended.store(true, Ordering::SeqCst);
    });
    over
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_name_and_a_value() {
        let read = setting("max_connections=12").unwrap();
        assert_eq!(read, ("max_connections".to_owned(), "12".to_owned()));
        assert_eq!(setting("init_connect=SET a=1").unwrap().1, "SET a=1");
        assert!(setting("max_connections").is_err());
        assert!(setting("--datadir=/").unwrap_err().to_string().contains("`--datadir`"));
    }

    #[test]
    fn what_takes_no_settings_is_not_lent() {
        let error = lend(Service::Moto, Vec::new()).unwrap_err();
        assert!(error.to_string().contains("moto is not lent"), "{error}");
    }
}
