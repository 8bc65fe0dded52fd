//! moto: AWS in one process, in memory, which lets everybody in.

use anyhow::Result;

use super::place::Place;
use super::programs::Programs;
use super::state::Process;

pub(super) fn start(programs: &Programs, place: &Place) -> Result<Process> {
    let mut command = programs.server();
    command.args(["-H", "127.0.0.1", "-p", &place.port.to_string()]);
    place.spawn(&mut command)
}
