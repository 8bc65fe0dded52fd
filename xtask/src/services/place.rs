//! Where a server of our own lives: its folder, port, password, certificates and user.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::state::Process;
use super::{Service, probe};
use crate::certificates::{Certificates, random_password};
use crate::{interrupt, process, workspace};

/// The file for what a server prints, in its folder.
const LOG: &str = "server.log";

/// A user without rights, for servers that refuse to be run by root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unprivileged {
    uid: u32,
    gid: u32,
}

impl Unprivileged {
    /// The user `nobody` when we are root; nobody else needs another user.
    fn for_us() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
        Self::find(&users, "nobody")
            .map(Some)
            .context("we are root and /etc/passwd has no user `nobody` to run servers as")
    }

    fn find(users: &str, name: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            match fields.as_slice() {
                [user, _, uid, gid, ..] if *user == name => {
                    Some(Self { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
                }
                _ => None,
            }
        })
    }
}

/// The folder for data and unpacked programs, which the servers' user can reach.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
    user: Option<Unprivileged>,
}

impl Home {
    /// `target/services`; when we are root and others cannot enter it (a workspace below `/root`), a folder of ours
    /// below the system's place for temporary files that outlive a start.
    pub(crate) fn locate() -> Result<Self> {
        let user = Unprivileged::for_us()?;
        let mut folder = workspace::services();
        if user.is_some() && !others_can_enter(&folder) {
            let mut hasher = DefaultHasher::new();
            folder.hash(&mut hasher);
            folder = Path::new("/var/tmp").join(format!("bindery-services-{:016x}", hasher.finish()));
        }
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let metadata = fs::symlink_metadata(&folder)?;
        if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
            bail!("{} belongs to somebody else", folder.display());
        }
        if user.is_some() {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { folder, user })
    }

    /// The log of a server of ours, whether it runs or not.
    pub(crate) fn log(&self, service: Service) -> PathBuf {
        self.folder.join(service.word()).join(LOG)
    }

    /// Where the packages of one server are unpacked, or a program is that tests start themselves.
    pub(crate) fn packages(&self, name: &str) -> PathBuf {
        self.folder.join("packages").join(name)
    }
}

/// Whether every folder down to this one lets other users through.
fn others_can_enter(folder: &Path) -> bool {
    folder
        .ancestors()
        .filter(|ancestor| ancestor.exists())
        .all(|ancestor| fs::metadata(ancestor).is_ok_and(|metadata| metadata.mode() & 0o001 != 0))
}

/// One server's place.
pub(crate) struct Place {
    folder: PathBuf,
    user: Option<Unprivileged>,
    /// A port of 127.0.0.1 that was free a moment ago.
    pub(crate) port: u16,
    /// Another one, for servers that speak TLS on a port of its own.
    pub(crate) tls_port: u16,
    /// The administrator's password.
    pub(crate) password: String,
    /// Copies that the server's user can read.
    pub(crate) certificates: Certificates,
    /// Settings of whoever wants the server, which go before those that it has otherwise: name and value.
    pub(super) wishes: Vec<(String, String)>,
}

impl Place {
    /// A fresh place; what an earlier start left behind is removed.
    pub(super) fn prepare(home: &Home, service: Service, certificates: &Certificates) -> Result<Self> {
        Self::prepare_in(home, service.word(), service, certificates)
    }

    /// The same in a folder of another name.
    pub(super) fn prepare_in(home: &Home, name: &str, service: Service, certificates: &Certificates) -> Result<Self> {
        let folder = home.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        let copies = Certificates {
            authority: folder.join("ca.pem"),
            leaf: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        let (port, tls_port) = free_ports()?;
        // Python's environment may lie where nobody else can enter, and moto is content to be run by root. So is Dynoxide,
        // which keeps nothing.
        let user = home.user.filter(|_| !matches!(service, Service::Moto | Service::Dynamodb));
        let password = random_password()?;
        let place = Self { port, tls_port, password, user, certificates: copies, folder, wishes: Vec::new() };
        // `fs::copy` takes the permissions along, so the key stays private.
        fs::copy(&certificates.authority, &place.certificates.authority)?;
        fs::copy(&certificates.leaf, &place.certificates.leaf)?;
        fs::copy(&certificates.key, &place.certificates.key)?;
        File::create(place.log())?;
        fs::set_permissions(&place.folder, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&place.folder)? {
            place.give(&entry?.path())?;
        }
        place.give(&place.folder)?;
        Ok(place)
    }

    /// A file in its folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of its data. Not created: servers want to do that themselves.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the server prints.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// Removes all that the server has left.
    pub(super) fn remove(&self) -> Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| format!("removing {}", self.folder.display()))
    }

    /// A small file that the server's user alone can read.
    pub(super) fn write(&self, name: &str, contents: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        crate::certificates::write_private(&path, contents.as_bytes())?;
        self.give(&path)?;
        Ok(path)
    }

    /// Runs one of the server's programs to its end; its output goes to the log.
    pub(super) fn run(&self, command: &mut Command, input: Option<File>) -> Result<()> {
        self.dress(command)?;
        command.stdin(input.map_or_else(Stdio::null, Stdio::from));
        let status = process::run(command)?;
        if !status.success() {
            bail!("`{}` ended with {status}: {}", program_name(command), self.last_words());
        }
        Ok(())
    }

    /// Starts the server itself. It goes on when we end.
    pub(super) fn spawn(&self, command: &mut Command) -> Result<Process> {
        self.dress(command)?;
        // A process group of its own: Ctrl-C in the terminal is not meant for it.
        command.stdin(Stdio::null()).process_group(0);
        let child = command.spawn().with_context(|| format!("starting `{}`", program_name(command)))?;
        Ok(Process::new(child.id()))
    }

    /// Asks until the server answers, or ends, or the time is over.
    pub(super) fn wait_for_answer(
        &self,
        service: Service,
        process: &Process,
        limit: Duration,
    ) -> Result<probe::Answer> {
        let end = Instant::now() + limit;
        loop {
            interrupt::check()?;
            let error = match probe::ask(service, "127.0.0.1", self.port, Duration::from_secs(2)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !process.alive() {
                bail!("the server ended while starting: {}", self.last_words());
            }
            if Instant::now() > end {
                bail!("no answer within {} s ({error:#}): {}", limit.as_secs(), self.last_words());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn dress(&self, command: &mut Command) -> Result<()> {
        let log = OpenOptions::new().append(true).open(self.log())?;
        command
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            // MariaDB and MySQL remove at their start what looks like temporary tables of theirs, other servers' included.
            .env("TMPDIR", &self.folder)
            .env("LC_ALL", "C")
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        Ok(())
    }

    fn give(&self, path: &Path) -> Result<()> {
        if let Some(user) = self.user {
            chown(path, Some(user.uid), Some(user.gid)).with_context(|| format!("giving {} away", path.display()))?;
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        format!("{} (all of it in {})", process::tail(&String::from_utf8_lossy(&text), 4), self.log().display())
    }
}

fn program_name(command: &Command) -> String {
    let described = process::describe(command);
    described.split(' ').next().unwrap_or_default().to_owned()
}

/// Two ports of the loopback interface that nobody uses. Both are held meanwhile, so that they are not the same.
pub(super) fn free_ports() -> Result<(u16, u16)> {
    let listen = || TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port");
    let (first, second) = (listen()?, listen()?);
    Ok((first.local_addr()?.port(), second.local_addr()?.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_can_be_listened_on_at_the_same_time() {
        let (first, second) = free_ports().unwrap();
        let _first = TcpListener::bind(("127.0.0.1", first)).unwrap();
        TcpListener::bind(("127.0.0.1", second)).unwrap();
    }

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\nnobody2:x:7:8::/:/bin/false\nnobody:x:65534:65533::/:/bin/false\n";
        let found = Unprivileged::find(users, "nobody").unwrap();
        assert_eq!((found.uid, found.gid), (65534, 65533));
        assert_eq!(Unprivileged::find(users, "body"), None);
    }

    #[test]
    fn a_folder_below_a_private_one_cannot_be_entered_by_others() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(others_can_enter(&inner));
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!others_can_enter(&inner));
    }
}
