use std::process::{Child, Command, Stdio};

use crate::Failure;

/// Keeps every core busy with work of the lowest priority until it is dropped.
///
/// A select on the same machine is a few tens of microseconds of ping-pong between two processes. Each waits for the other,
/// and a core that is left to idle meanwhile takes about as long to wake up again, in a virtual machine above all; whether
/// it does depends on a microsecond more or less. That would be measured, and neither side is to blame for it.
pub(crate) struct Awake(Vec<Child>);

impl Awake {
    pub(crate) fn keep() -> Result<Self, Failure> {
        let cores = std::thread::available_parallelism()?.get();
        let mut this = Self(Vec::new());
        for _ in 0..cores {
            let mut command = Command::new("nice");
            command.args(["-n", "19", "sh", "-c", "while :; do :; done"]).stdin(Stdio::null());
            this.0.push(command.spawn()?);
        }
        Ok(this)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
