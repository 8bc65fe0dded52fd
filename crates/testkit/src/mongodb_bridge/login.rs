//! SCRAM-SHA-256 (RFC 5802 and RFC 7677): the bridge carries the messages, the engine knows the users and proves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bson::spec::BinarySubtype;
use bson::{Binary, Document, doc};

use super::engine::{Argument, Engine, call, document};
use super::refusal::Refusal;

/// A login that has begun.
#[derive(Debug)]
pub(super) struct Login {
    user: String,
    first_of_client: String,
    first_of_server: String,
    /// Whether the client wants the last, empty, exchange left out.
    short: bool,
    proven: bool,
}

/// What became of a step.
pub(super) enum Step {
    /// The answer to send, and the login to go on with.
    Next(Document, Login),
    /// The answer to send, and who has logged in.
    Done(Document, String),
}

impl Login {
    /// The client's first message: who it is, and something random.
    pub(super) async fn begin(command: &Document, engine: &Engine) -> Result<Step, Refusal> {
        if command.get_str("mechanism").ok() != Some("SCRAM-SHA-256") {
            return Err(Refusal::new(2, "the only mechanism is SCRAM-SHA-256"));
        }
        let message = payload(command)?;
        // No channel binding: the message begins with `n,,`.
        let bare = message.strip_prefix("n,,").ok_or_else(failed)?;
        let (user, nonce) = (attribute(bare, "n")?, attribute(bare, "r")?);
        let user = user.replace("=2C", ",").replace("=3D", "=");
        let mut connection = engine.connect(None).await?;
        let statement = "SELECT documentdb_api_internal.scram_sha256_get_salt_and_iterations($1)::bytea";
        let known = document(&call(&mut connection, statement, &[Argument::Text(&user)]).await?, 0)?;
        let (mut salt, mut iterations) =
            (known.get_str("salt").unwrap_or_default().to_owned(), known.get_i32("iterations").unwrap_or_default());
        if salt.is_empty() {
            // Who is unknown learns it at the end, as with a wrong password.
            (salt, iterations) = (STANDARD.encode(&user), 4096);
        }
        let ours = uuid::Uuid::new_v4().simple();
        let answer = format!("r={nonce}{ours},s={salt},i={iterations}");
        let options = command.get_document("options").ok();
        let short = options.is_some_and(|options| options.get_bool("skipEmptyExchange").unwrap_or_default());
        let login =
            Self { user, first_of_client: bare.to_owned(), first_of_server: answer.clone(), short, proven: false };
        Ok(Step::Next(reply(&answer, false), login))
    }

    /// The client's proof, and where it wants one the empty exchange after it.
    pub(super) async fn go_on(mut self, command: &Document, engine: &Engine) -> Result<Step, Refusal> {
        if self.proven {
            return Ok(Step::Done(reply("", true), self.user));
        }
        let message = payload(command)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or_else(failed)?;
        if attribute(without_proof, "r")? != attribute(&self.first_of_server, "r")? {
            return Err(failed());
        }
        let exchanged = format!("{},{},{without_proof}", self.first_of_client, self.first_of_server);
        let mut connection = engine.connect(None).await?;
        let statement = "SELECT documentdb_api_internal.authenticate_with_scram_sha256($1, $2, $3)::bytea";
        let arguments = [Argument::Text(&self.user), Argument::Text(&exchanged), Argument::Text(proof)];
        let verdict = document(&call(&mut connection, statement, &arguments).await?, 0)?;
        let signature = match (verdict.get_i32("ok"), verdict.get_str("ServerSignature")) {
            (Ok(1), Ok(signature)) if !signature.is_empty() => signature.to_owned(),
            _ => return Err(failed()),
        };
        let answer = reply(&format!("v={signature}"), self.short);
        if self.short {
            return Ok(Step::Done(answer, self.user));
        }
        self.proven = true;
        Ok(Step::Next(answer, self))
    }
}

fn payload(command: &Document) -> Result<String, Refusal> {
    let bytes = command.get_binary_generic("payload").map_err(|_| failed())?;
    String::from_utf8(bytes.clone()).map_err(|_| failed())
}

/// The value of `name=…` in a message of comma-separated attributes.
fn attribute<'a>(message: &'a str, name: &str) -> Result<&'a str, Refusal> {
    let found = message.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    found.ok_or_else(failed)
}

fn reply(payload: &str, done: bool) -> Document {
    let payload = Binary { subtype: BinarySubtype::Generic, bytes: payload.as_bytes().to_vec() };
    doc! { "conversationId": 1, "done": done, "payload": payload, "ok": 1.0 }
}

fn failed() -> Refusal {
    Refusal::new(18, "Authentication failed.")
}
