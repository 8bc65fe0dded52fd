//! What callers may send, as schemas: the same fields three times, with other ones required.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::OF_LISTS;

/// A new connection.
pub(crate) struct NewConnectionBody;
/// All of a connection that a caller may set. The fields that only the service sets may come along unchanged.
pub(crate) struct ConnectionReplacementBody;
/// What shall be different about a connection (RFC 7396).
pub(crate) struct ConnectionPatchBody;

macro_rules! schema {
    ($type:ident, $name:literal, $build:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let build: fn() -> Object = $build;
                build().into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    };
}

schema!(NewConnectionBody, "NewConnection", || {
    let text = "A new connection: its parts one by one, or `url` in place of engine, host, port, database, path, user, password \
                and options.";
    with_url(parts(false)).required("name").description(Some(text)).build()
});

schema!(ConnectionReplacementBody, "ConnectionReplacement", || {
    let text =
        "All of a connection that a caller may set. The fields that only the service sets may come along unchanged.";
    with_service_fields(with_url(parts(false))).required("name").description(Some(text)).build()
});

schema!(ConnectionPatchBody, "ConnectionPatch", || {
    let text = "What shall be different about a connection (RFC 7396). A field that is left out stays as it is; null takes away \
                what a connection need not have.";
    with_service_fields(parts(true)).description(Some(text)).build()
});

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// A text that may be null.
fn nullable(description: &str) -> ObjectBuilder {
    text(description).schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn format(builder: ObjectBuilder, name: &str) -> ObjectBuilder {
    builder.format(Some(SchemaFormat::Custom(name.to_owned())))
}

fn bounded(builder: ObjectBuilder, min: usize, max: usize) -> ObjectBuilder {
    builder.min_length(Some(min)).max_length(Some(max))
}

/// Every part of a connection.
fn parts(patch: bool) -> ObjectBuilder {
    let or_null = if patch { "; null takes it away" } else { "" };
    let name = "1 to 100 characters after trimming, none of them a control character. No other connection may have it, whatever \
                its letter case.";
    let port = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
        .minimum(Some(1))
        .maximum(Some(65_535))
        .description(Some("The server's port; left out, the engine's usual one."))
        .examples([5432]);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .property("name", bounded(format(text(name), "display-name"), 1, 100).examples(["Sales (read only)"]))
        .property(
            "engine",
            format(text("The product behind it: one of those that `/api/v1/connections/engines` lists."), "engine")
                .examples(["postgres"]),
        )
        .property(
            "host",
            bounded(format(nullable("The server: one name or address."), "connection-host"), 1, 253)
                .examples(["db.example.com"]),
        )
        .property("port", port)
        .property(
            "database",
            bounded(format(nullable("The database on the server."), "verbatim"), 1, 255).examples(["sales"]),
        )
        .property(
            "path",
            bounded(
                format(
                    nullable(
                        "The file of an embedded database, below the folder that the service keeps for such files.",
                    ),
                    "relative-path",
                ),
                1,
                500,
            )
            .examples(["team/sales.sqlite3"]),
        )
        .property(
            "username",
            bounded(format(nullable("The user to log in as."), "verbatim"), 1, 255).examples(["reader"]),
        )
        .property(
            "password",
            bounded(
                format(
                    nullable(&format!("The user's password. It is never given back{or_null}.")),
                    "connection-password",
                ),
                1,
                1_024,
            )
            .write_only(true),
        )
        .property(
            "secret",
            bounded(
                format(
                    nullable("The name of a secret in a secrets manager that holds the login, in place of a password."),
                    "secret-name",
                ),
                1,
                512,
            )
            .examples(["bindery/registry/sales"]),
        )
        .property("tls", tls())
        .property(
            "options",
            texts("What only this engine knows, by the keys that `/api/v1/connections/engines` lists.", patch, 500, 1)
                .examples([serde_json::json!({"application_name": "bindery"})]),
        )
        .property(
            "labels",
            texts(
                "What people sort connections by: at most 32. Keys are 1 to 63 of a-z, 0-9, `.`, `-`, `_` and `/`.",
                patch,
                200,
                0,
            )
            .property_names(Some(label_key()))
            .max_properties(if patch { None } else { Some(32) })
            .examples([serde_json::json!({"team": "sales"})]),
        )
        .property(
            "notes",
            bounded(format(nullable("What people want to know of it: 1 to 10,000 characters."), "notes"), 1, 10_000)
                .examples(["Ask Ann before you load it."]),
        )
}

/// An object of texts; in a patch, null takes one away.
fn texts(description: &str, patch: bool, max: usize, min: usize) -> ObjectBuilder {
    let value = if patch { nullable("") } else { text("") };
    let value = bounded(format(value.description(None::<String>), "label-value"), min, max).build();
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(value.into()))))
}

fn label_key() -> Schema {
    text("").description(None::<String>).pattern(Some("^[a-z0-9][a-z0-9._/-]{0,62}$")).build().into()
}

fn tls() -> ObjectBuilder {
    let modes = [Some("disabled"), Some("required"), Some("verify-full"), None];
    let mode = nullable("`verify-full` when it is left out.").enum_values(Some(modes)).examples(["verify-full"]);
    let pem = |text: &str, name: &str| bounded(format(nullable(text), name), 1, 65_536);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some(
            "How the way to the server is protected. Certificates and keys are text in PEM, never paths.",
        ))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .property("mode", mode)
        .property("ca", pem("The authorities to trust instead of the system's.", "pem-certificates"))
        .property("client_certificate", pem("What the client shows of itself, with its chain.", "pem-certificates"))
        .property(
            "client_key",
            pem("The key of the client certificate. It is never given back.", "pem-key").write_only(true),
        )
        .examples([serde_json::json!({"mode": "verify-full"})])
}

fn with_url(builder: ObjectBuilder) -> ObjectBuilder {
    let text = "`engine://user:password@host:port/database?tls=verify-full&option.name=value`, taken apart when it arrives and never \
                given back. It takes the place of the parts that it names.";
    builder.property(
        "url",
        bounded(format(nullable(text), "connection-url"), 1, 4_096)
            .write_only(true)
            .examples(["postgres://reader@db.example.com/sales"]),
    )
}

fn with_service_fields(builder: ObjectBuilder) -> ObjectBuilder {
    let as_read = |kind: Type| {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([kind, Type::Null]))
            .read_only(true)
            .description(Some("As it was read."))
    };
    // Whatever it says.
    let of_lists = ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .read_only(true)
        .description(Some("As a list showed it. It is not looked at."));
    let instant = || as_read(Type::String).format(Some(SchemaFormat::Custom("date-time".to_owned())));
    builder
        .property("id", as_read(Type::String).format(Some(SchemaFormat::Custom("uuid".to_owned()))))
        .property("has_password", as_read(Type::Boolean))
        .property("has_client_key", as_read(Type::Boolean))
        .property("version", as_read(Type::Integer).format(Some(SchemaFormat::Custom("int64".to_owned()))))
        .property("created_at", instant())
        .property("updated_at", instant())
        .property(OF_LISTS, of_lists)
}
