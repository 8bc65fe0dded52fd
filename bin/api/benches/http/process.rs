//! A server under measurement: its address, its processor time and its memory, as the kernel counts them.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Clock ticks a second in `/proc/<pid>/stat`; Linux has fixed the user-visible value at 100.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `command` and waits for the line that tells `http://ADDRESS`.
    ///
    /// # Errors
    /// When the process ends or its output has no address.
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = child.stdout.take().context("the output was not captured")?;
        let mut lines = BufReader::new(output).lines();
        let address = loop {
            let line = lines.next().context("the server ended before it told its address")??;
            if let Some(address) = address_in(&line) {
                break address;
            }
        };
        // The rest of the output is read, so that the server never blocks on a full pipe.
        std::thread::spawn(move || for _ in lines.map_while(Result::ok) {});
        Ok(Self { child, address })
    }

    /// Processor seconds used so far, user and system.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The program's name, in parentheses, may hold blanks; fields are counted behind it.
        let (_, fields) = stat.rsplit_once(')').context("/proc/<pid>/stat has no program name")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
        let (user, system) = ticks(11).zip(ticks(12)).context("/proc/<pid>/stat has too few fields")?;
        Ok((user + system) / TICKS_PER_SECOND)
    }

    /// Resident memory at its peak, in MiB.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM in /proc/<pid>/status")?;
        let kibibytes: f64 = line.split_whitespace().nth(1).context("VmHWM has no number")?.parse()?;
        Ok(kibibytes / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest.find(|character: char| !(character.is_ascii_digit() || matches!(character, '.' | ':')));
    rest[..end.unwrap_or(rest.len())].parse().ok()
}
