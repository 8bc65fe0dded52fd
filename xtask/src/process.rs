//! Running other programs and ending them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, test_kill_process, waitpid};

use crate::interrupt;

/// How often a condition is looked at again.
const POLL: Duration = Duration::from_millis(25);

/// Runs a command with our own input and output, and ends it when a person interrupts us.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    let child = command.spawn().with_context(|| format!("starting `{}`", describe(command)))?;
    supervise(child)
}

/// Runs a command with our own input and output; anything but success is an error.
pub(crate) fn run_checked(command: &mut Command) -> Result<()> {
    let status = run(command)?;
    if !status.success() {
        bail!("`{}` ended with {status}", describe(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed; anything but success is an error that quotes its last lines.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.trim().is_empty() {
            said = String::from_utf8_lossy(&output.stdout).into_owned();
        }
        bail!("`{}` ended with {}: {}", describe(command), output.status, tail(&said, 12));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command to its end, whatever that is, and returns all it printed.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("starting `{}`", describe(command)))
}

/// Like [`output`], both streams as one text; a command that takes longer than the limit is ended, and that is an error.
pub(crate) fn output_within(command: &mut Command, limit: Duration) -> Result<(ExitStatus, String)> {
    let (reader, writer) = std::io::pipe().context("making a pipe")?;
    command.stdout(writer.try_clone()?).stderr(writer).stdin(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("starting `{}`", describe(command)))?;
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let text = thread::spawn(move || std::io::read_to_string(reader).unwrap_or_default());
    let mut status = None;
    if !wait_until(limit, || {
        status = child.try_wait().ok().flatten();
        status.is_some() || interrupt::requested()
    }) {
        child.kill().ok();
        child.wait().ok();
        bail!("`{}` took longer than {} s", describe(command), limit.as_secs());
    }
    interrupt::check().inspect_err(|_| drop(child.kill()))?;
    let status = status.with_context(|| format!("`{}` cannot be waited for", describe(command)))?;
    Ok((status, text.join().unwrap_or_default()))
}

/// Like [`capture`], but a command that takes longer than the limit is ended, and that is an error.
pub(crate) fn capture_within(command: &mut Command, limit: Duration) -> Result<String> {
    let (status, text) = output_within(command, limit)?;
    if !status.success() {
        bail!("`{}` failed: {}", describe(command), tail(&text, 4));
    }
    Ok(text)
}

/// Runs a command, shows what it prints as it comes, both streams as one, and returns it as well.
pub(crate) fn run_and_read(command: &mut Command) -> Result<(ExitStatus, String)> {
    let (reader, writer) = std::io::pipe().context("making a pipe")?;
    command.stdout(writer.try_clone()?).stderr(writer).stdin(Stdio::null());
    let child = command.spawn().with_context(|| format!("starting `{}`", describe(command)))?;
    // The command holds our ends of the pipe; without them the reader sees the end of the output.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let copy = thread::spawn(move || {
        let mut text = String::new();
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            std::io::stderr().write_all(&line).ok();
            text.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        text
    });
    let status = supervise(child)?;
    let text = copy.join().unwrap_or_default();
    Ok((status, text))
}

fn supervise(mut child: Child) -> Result<ExitStatus> {
    let mut asked_at: Option<Instant> = None;
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait().context("waiting for a child process")? {
            interrupt::check()?;
            return Ok(status);
        }
        if interrupt::requested() {
            // A terminal has sent the signal to the child as well: tell it only when it does not end by itself.
            let since = asked_at.get_or_insert_with(Instant::now).elapsed();
            if since > Duration::from_secs(20) {
                child.kill().ok();
            } else if since > Duration::from_secs(2) && !told {
                told = true;
                signal(child.id(), Signal::TERM);
            }
        }
        thread::sleep(POLL);
    }
}

/// The command as a person would type it, without its environment.
pub(crate) fn describe(command: &Command) -> String {
    let mut text = Path::new(command.get_program())
        .file_name()
        .unwrap_or_else(|| command.get_program())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args().map(OsStr::to_string_lossy) {
        text.push(' ');
        if argument.is_empty() || argument.contains([' ', '\'', '"', '(', '|']) {
            text.push('\'');
            text.push_str(&argument.replace('\'', r"'\''"));
            text.push('\'');
        } else {
            text.push_str(&argument);
        }
    }
    text
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Whether the process is there and not merely waiting to be collected.
pub(crate) fn alive(pid: u32) -> bool {
    let Some(pid) = as_pid(pid) else { return false };
    // Our own children are collected here; for any other process this changes nothing.
    if matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(Some(_))) {
        return false;
    }
    if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
        return false;
    }
    stat_field(pid.as_raw_nonzero().get().cast_unsigned(), 0).is_none_or(|state| state != "Z")
}

/// Something that tells this process from a later one with the same id: the moment at which it began.
pub(crate) fn birth_mark(pid: u32) -> Option<String> {
    if let Some(ticks) = stat_field(pid, 19) {
        return Some(ticks);
    }
    let pid = pid.to_string();
    let text = capture(Command::new("ps").args(["-o", "lstart=", "-p", &pid])).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A field of `/proc/<pid>/stat`, counted from the one after the program's name.
fn stat_field(pid: u32, index: usize) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split_whitespace().nth(index).map(ToOwned::to_owned)
}

/// Ends a process: the polite signal first, and after the grace the other one.
pub(crate) fn stop(pid: u32, polite: Signal, grace: Duration) -> Result<()> {
    signal(pid, polite);
    if wait_until(grace, || !alive(pid)) {
        return Ok(());
    }
    signal(pid, Signal::KILL);
    if wait_until(Duration::from_secs(10), || !alive(pid)) { Ok(()) } else { bail!("process {pid} does not end") }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = as_pid(pid) {
        // A process that is gone already is what we want.
        kill_process(pid, signal).ok();
    }
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Looks at a condition until it holds or the time is over; says which.
pub(crate) fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_described_as_it_would_be_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "a filter", ""]);
        assert_eq!(describe(&command), "cargo test 'a filter' ''");
    }

    #[test]
    fn a_failed_command_quotes_what_it_said() {
        let error = capture(Command::new("sh").args(["-c", "echo the disk is full >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }

    #[test]
    #[expect(clippy::zombie_processes, reason = "`alive` collects the child, which is what is tested")]
    fn a_child_is_seen_alive_until_it_is_stopped() {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        assert!(alive(pid));
        let mark = birth_mark(pid).unwrap();
        assert_eq!(birth_mark(pid).unwrap(), mark);
        stop(pid, Signal::TERM, Duration::from_secs(10)).unwrap();
        assert!(!alive(pid));
    }

    #[test]
    #[expect(clippy::zombie_processes, reason = "`alive` collects the child, which is what is tested")]
    fn a_child_that_ignores_the_polite_signal_is_ended_all_the_same() {
        let mut child = Command::new("sh")
            .args(["-c", "trap '' TERM; echo ready; exec sleep 600"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
        stop(child.id(), Signal::TERM, Duration::from_millis(200)).unwrap();
        assert!(!alive(child.id()));
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let error = capture_within(Command::new("sleep").arg("600"), Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
        assert_eq!(capture_within(Command::new("echo").arg("x"), Duration::from_mins(1)).unwrap(), "x\n");
    }

    #[test]
    fn both_streams_are_read_in_their_order() {
        let (status, text) =
            run_and_read(Command::new("sh").args(["-c", "echo one; echo two >&2; echo three; exit 4"])).unwrap();
        assert_eq!((status.code(), text.as_str()), (Some(4), "one\ntwo\nthree\n"));
    }

    #[test]
    fn the_tail_of_a_text_leaves_blank_lines_out() {
        assert_eq!(tail("a\n\nb\nc\n", 2), "b\nc");
    }
}
