//! Users as they go over the wire.

use serde::Serialize;
use serde_json::Value;
use shared_kernel::Version;
use user_context::domain::{Email, User, UserName, UserStatus};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use uuid::Uuid;

use crate::rest::instant::instant;
use crate::rest::json::{self, Faults, text};
use crate::rest::problem::{Fault, Problem};
use crate::rest::read_only::ReadOnly;
use crate::rest::versions::Versioned;

/// A person who uses the library.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody<'a> {
    /// Who it is: a UUID of version 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    id: Uuid,
    /// What the user is called.
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    name: &'a str,
    /// Where the user is reached.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: &'a str,
    /// Whether the user takes part.
    #[schema(schema_with = status)]
    status: StatusBody,
    /// How often the user was written; the `ETag` follows it.
    #[schema(minimum = 1, example = 1)]
    version: i64,
    /// When the user was registered: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    created_at: String,
    /// When the user was last changed: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    updated_at: String,
}

/// Whether a user takes part.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusBody {
    /// The user takes part.
    Active,
    /// The user is shut out for the time being.
    Suspended,
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserPage<'a> {
    /// The users, in the order that was asked for.
    #[schema(max_items = 200)]
    pub(crate) items: Vec<UserBody<'a>>,
    /// Where the list goes on; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A new user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub(crate) struct NewUserBody {
    /// 1 to 200 characters after trimming, none of them a control character.
    #[schema(format = "display-name", min_length = 1, max_length = 200, example = "Ada Lovelace")]
    name: String,
    /// An address that no other user has, whatever its letter case.
    #[schema(format = "email", min_length = 3, max_length = 254, example = "ada@example.org")]
    email: String,
}

/// All of a user that a caller may set. The fields that only the service sets may come along unchanged.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserReplacement)]
pub(crate) struct UserReplacementBody {
    /// 1 to 200 characters after trimming, none of them a control character.
    #[schema(format = "display-name", min_length = 1, max_length = 200, example = "Ada King")]
    name: String,
    /// An address that no other user has, whatever its letter case.
    #[schema(format = "email", min_length = 3, max_length = 254, example = "ada@example.org")]
    email: String,
    /// As it was read.
    #[schema(read_only)]
    id: Option<Uuid>,
    /// As it was read: the status is changed by PATCH.
    #[schema(read_only, value_type = Option<String>, pattern = "^(active|suspended)$")]
    status: Option<StatusBody>,
    /// As it was read.
    #[schema(read_only)]
    version: Option<i64>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    created_at: Option<String>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    updated_at: Option<String>,
}

/// What shall be different about a user (RFC 7396). A field that is left out stays as it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserPatch)]
pub(crate) struct UserPatchBody {
    /// 1 to 200 characters after trimming, none of them a control character.
    #[schema(nullable = false, format = "display-name", min_length = 1, max_length = 200, example = "Ada King")]
    name: Option<String>,
    /// An address that no other user has, whatever its letter case.
    #[schema(nullable = false, format = "email", min_length = 3, max_length = 254, example = "ada@example.org")]
    email: Option<String>,
    /// Whether the user takes part.
    #[schema(schema_with = status, required = false)]
    status: Option<StatusBody>,
    /// As it was read.
    #[schema(read_only)]
    id: Option<Uuid>,
    /// As it was read.
    #[schema(read_only)]
    version: Option<i64>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    created_at: Option<String>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    updated_at: Option<String>,
}

fn status() -> Object {
    let words = UserStatus::ALL.map(UserStatus::as_str);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .description(Some("Whether the user takes part."))
        .examples(words)
        .build()
}

impl<'a> From<&'a User> for UserBody<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id().uuid(),
            name: user.name().as_str(),
            email: user.email().as_str(),
            status: user.status().into(),
            version: user.version().get(),
            created_at: instant(user.created_at()),
            updated_at: instant(user.updated_at()),
        }
    }
}

impl Versioned for User {
    type Body<'a> = UserBody<'a>;

    fn version(&self) -> Version {
        self.version()
    }

    fn body(&self) -> UserBody<'_> {
        self.into()
    }
}

impl From<UserStatus> for StatusBody {
    fn from(status: UserStatus) -> Self {
        match status {
            UserStatus::Active => Self::Active,
            UserStatus::Suspended => Self::Suspended,
        }
    }
}

/// What a caller may set when a user is created or replaced.
#[derive(Debug, Clone)]
pub(crate) struct UserInput {
    pub(crate) name: UserName,
    pub(crate) email: Email,
    pub(crate) read_only: ReadOnly,
}

/// What a patch names.
#[derive(Debug, Clone)]
pub(crate) struct UserChange {
    pub(crate) name: Option<UserName>,
    pub(crate) email: Option<Email>,
    pub(crate) status: Option<UserStatus>,
    pub(crate) read_only: ReadOnly,
}

const SERVICE_FIELDS: &[&str] = &["id", "version", "created_at", "updated_at"];

impl UserInput {
    /// Reads the body of a creation.
    pub(crate) fn create(body: &Value) -> Result<Self, Problem> {
        Self::read(body, &[])
    }

    /// Reads the body of a replacement.
    pub(crate) fn replace(body: &Value) -> Result<Self, Problem> {
        Self::read(body, &["id", "status", "version", "created_at", "updated_at"])
    }

    fn read(body: &Value, read_only: &[&'static str]) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut object = json::Object::new(body, "", &mut faults);
        let name = object.required_text("name", &mut faults).and_then(|text| name(text, &mut faults));
        let email = object.required_text("email", &mut faults).and_then(|text| email(text, &mut faults));
        let read_only = ReadOnly::take(&mut object, read_only);
        object.finish(&mut faults);
        faults.check()?;
        // Without a fault every required value is there.
        match (name, email) {
            (Some(name), Some(email)) => Ok(Self { name, email, read_only }),
            _ => Err(Problem::internal()),
        }
    }
}

impl UserChange {
    /// Reads a merge patch.
    pub(crate) fn read(body: &Value) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut object = json::Object::new(body, "", &mut faults);
        let mut change = |key: &'static str| match object.raw(key) {
            Some(Value::Null) => {
                faults.push(format!("/{key}"), "required", format!("`{key}` cannot be removed"));
                None
            }
            Some(value) => text(value, &format!("/{key}"), &mut faults),
            None => None,
        };
        let (new_name, new_email, new_status) = (change("name"), change("email"), change("status"));
        let change = Self {
            name: new_name.and_then(|text| name(text, &mut faults)),
            email: new_email.and_then(|text| email(text, &mut faults)),
            status: new_status.and_then(|text| {
                let fault = |error| Fault::of("/status", &error);
                faults.keep(text.parse::<UserStatus>(), fault)
            }),
            read_only: ReadOnly::take(&mut object, SERVICE_FIELDS),
        };
        object.finish(&mut faults);
        faults.check()?;
        Ok(change)
    }
}

fn name(text: &str, faults: &mut Faults) -> Option<UserName> {
    faults.keep(UserName::parse(text), |error| Fault::of("/name", &error))
}

fn email(text: &str, faults: &mut Faults) -> Option<Email> {
    faults.keep(Email::parse(text), |error| Fault::of("/email", &error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(outcome: Result<impl Sized, Problem>) -> Vec<String> {
        let faults = outcome.err().map(|problem| problem.faults().to_vec()).unwrap_or_default();
        faults.into_iter().map(|fault| format!("{} {}", fault.pointer.unwrap_or_default(), fault.code)).collect()
    }

    #[test]
    fn every_fault_of_a_new_user_is_named() {
        let body = json!({"name": " ", "email": "nobody", "role": "admin", "id": 1});
        let faults = codes(UserInput::create(&body));
        assert_eq!(faults, ["/name empty", "/email malformed_email", "/id unknown_field", "/role unknown_field"]);
    }

    #[test]
    fn a_patch_cannot_remove_what_is_required() {
        let body = json!({"name": null, "status": "away"});
        assert_eq!(codes(UserChange::read(&body)), ["/name required", "/status unknown_value"]);
        assert!(UserChange::read(&json!({})).is_ok());
        assert_eq!(codes(UserChange::read(&json!("x"))), [" wrong_type"]);
    }
}
