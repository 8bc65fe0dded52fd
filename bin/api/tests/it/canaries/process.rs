use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;
use testkit::eventually_some;

/// How long a process may take to start or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// The binary, with all that it writes and answers kept.
pub(super) struct Process {
    child: Child,
    files: [PathBuf; 2],
    address: String,
    client: Client,
    token: Option<String>,
    answers: Mutex<Vec<String>>,
}

/// What became of a command.
pub(super) struct Ended {
    pub(super) success: bool,
    /// Both outputs.
    pub(super) text: String,
}

impl Process {
    fn spawn(folder: &Path, arguments: &[&str], environment: &[(String, String)]) -> (Child, [PathBuf; 2]) {
        let files = ["stdout", "stderr"].map(|name| folder.join(name));
        let [out, error] = files.each_ref().map(|path| Stdio::from(File::create(path).expect("a writable folder")));
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        command.current_dir(folder).env_clear().envs(environment.iter().cloned()).args(arguments);
        let child = command.stdin(Stdio::null()).stdout(out).stderr(error).spawn().expect("the binary starts");
        (child, files)
    }

    /// Runs a command to its end.
    pub(super) async fn run(folder: &Path, arguments: &[&str], environment: &[(String, String)]) -> Ended {
        let (mut child, files) = Self::spawn(folder, arguments, environment);
        let status = eventually_some(PATIENCE, || {
            let ended = child.try_wait().expect("a child of this process");
            async move { ended }
        })
        .await;
        Ended { success: status.success(), text: files.iter().map(|path| read(path)).collect() }
    }

    /// Starts the service.
    pub(super) async fn serve(folder: &Path, environment: &[(String, String)]) -> Self {
        let (child, files) = Self::spawn(folder, &["serve"], environment);
        let mut process = Self {
            child,
            files,
            address: String::new(),
            client: Client::new(),
            token: None,
            answers: Mutex::default(),
        };
        let out = process.files[0].clone();
        process.address = eventually_some(PATIENCE, || {
            let text = read(&out);
            let line = text.split_once('\n').map(|(line, _)| line.to_owned());
            async move { line?.split("http://").nth(1).map(|address| address.trim().to_owned()) }
        })
        .await;
        process
    }

    /// Shows a token with each request from now on.
    pub(super) fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Sends a request, keeps the answer and gives its status.
    pub(super) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> u16 {
        self.ask(method, path, body).await.0
    }

    pub(super) async fn get(&self, path: &str) -> u16 {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn body(&self, path: &str) -> String {
        self.ask(Method::GET, path, None).await.1
    }

    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, String) {
        let mut request = self.client.request(method, format!("http://{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), format!("{:?}", response.headers()));
        let body = response.text().await.expect("a body");
        self.answers.lock().expect("not poisoned").push(format!("{headers}\n{body}\n"));
        (status, body)
    }

    /// Stops the service and gives all that it has written and answered.
    pub(super) async fn ended(mut self) -> Vec<String> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        let child = &mut self.child;
        eventually_some(PATIENCE, || {
            let ended = child.try_wait().expect("a child of this process");
            async move { ended }
        })
        .await;
        let mut seen = std::mem::take(&mut *self.answers.lock().expect("not poisoned"));
        seen.extend(self.files.iter().map(|path| read(path)));
        seen
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("a file of this test")).into_owned()
}

/// Nobody else may read a file that holds a secret.
pub(super) fn private(path: &Path) {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a file of this test");
}
