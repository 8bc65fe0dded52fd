use std::borrow::Cow;

use super::Engine;

/// What a definition of a connection to one engine is made of: for forms, for documentation, and to refuse what the engine
/// has no use for. A connector tells it of its engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineDescription {
    /// The engine.
    pub engine: Engine,
    /// What people call it, such as `PostgreSQL`.
    pub title: Cow<'static, str>,
    /// The TCP port where its servers listen when nobody names one; `None` for an embedded engine.
    pub default_port: Option<u16>,
    /// Host name or address of a server.
    pub host: Presence,
    /// The port of that server.
    pub port: Presence,
    /// The database on the server.
    pub database: Presence,
    /// The file of an embedded database.
    pub path: Presence,
    /// The user to log in as.
    pub username: Presence,
    /// The user's password, wherever it is kept.
    pub password: Presence,
    /// Whether the way to it can be protected by TLS.
    pub tls: bool,
    /// Whether a definition without a login is served by an identity that the process itself has, such as a role of the
    /// machine. What is meant for others must not be reached in its name.
    pub ambient_login: bool,
    /// What only this engine knows.
    pub options: Vec<OptionDescription>,
}

/// What becomes of a part of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It has to be there.
    Required,
    /// It may be left out.
    Optional,
    /// The engine has no use for it.
    Unused,
}

impl Presence {
    /// A stable word: `required`, `optional` or `unused`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Unused => "unused",
        }
    }
}

/// One of an engine's own options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionDescription {
    /// Its key.
    pub name: Cow<'static, str>,
    /// What it is for: a sentence.
    pub meaning: Cow<'static, str>,
    /// What its value looks like.
    pub kind: OptionKind,
    /// Whether it has a say in where a password goes, or to whom: whoever changes it must know the password.
    pub leads: bool,
    /// Whether only the one who runs the service may set it.
    pub operator_only: bool,
}

/// What an option's value looks like. On every way in it is a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionKind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Switch,
    /// One of these words, the first when it is left out.
    Choice(Vec<Cow<'static, str>>),
    /// A time such as `5s`.
    Duration,
}

impl OptionKind {
    /// A stable word: `text`, `switch`, `choice` or `duration`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Switch => "switch",
            Self::Choice(_) => "choice",
            Self::Duration => "duration",
        }
    }
}

impl OptionDescription {
    /// An option that has a say in where a password goes and that anybody may set: nothing else is known of it.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: OptionKind, meaning: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), meaning: meaning.into(), kind, leads: true, operator_only: false }
    }

    /// Declares that passwords go where they go whatever its value is.
    #[must_use]
    pub fn harmless(mut self) -> Self {
        self.leads = false;
        self
    }

    /// Declares that only the one who runs the service may set it.
    #[must_use]
    pub fn for_operators(mut self) -> Self {
        self.operator_only = true;
        self
    }
}

impl EngineDescription {
    /// A server with a login, databases and TLS, without options.
    pub fn server(engine: Engine, title: impl Into<Cow<'static, str>>, default_port: u16) -> Self {
        Self {
            engine,
            title: title.into(),
            default_port: Some(default_port),
            host: Presence::Required,
            port: Presence::Optional,
            database: Presence::Optional,
            path: Presence::Unused,
            username: Presence::Required,
            password: Presence::Optional,
            tls: true,
            ambient_login: false,
            options: Vec::new(),
        }
    }

    /// A file that is opened in the process, without options.
    pub fn embedded(engine: Engine, title: impl Into<Cow<'static, str>>) -> Self {
        Self {
            default_port: None,
            host: Presence::Unused,
            port: Presence::Unused,
            database: Presence::Unused,
            path: Presence::Required,
            username: Presence::Unused,
            password: Presence::Unused,
            tls: false,
            ..Self::server(engine, title, 0)
        }
    }

    /// What can be said of an engine of which nothing is known but its name and its usual port. Nothing is required: its
    /// connector knows better.
    pub fn unknown(engine: &Engine, default_port: Option<u16>) -> Self {
        let title = engine.to_string();
        let described = match default_port {
            Some(port) => Self::server(engine.clone(), title, port),
            None => Self::embedded(engine.clone(), title),
        };
        let loosened = |presence| if presence == Presence::Required { Presence::Optional } else { presence };
        Self {
            path: loosened(described.path),
            host: loosened(described.host),
            username: loosened(described.username),
            ..described
        }
    }

    /// Adds an option.
    #[must_use]
    pub fn with(mut self, option: OptionDescription) -> Self {
        self.options.push(option);
        self
    }

    /// The option of this name.
    pub fn option(&self, name: &str) -> Option<&OptionDescription> {
        self.options.iter().find(|option| option.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_unknown_engine_nothing_is_required() {
        for port in [None, Some(7)] {
            let unknown = EngineDescription::unknown(&Engine::new("scratch"), port);
            let parts = [unknown.host, unknown.port, unknown.path, unknown.username, unknown.password];
            assert!(!parts.contains(&Presence::Required));
            assert_eq!((unknown.title.as_ref(), unknown.tls), ("scratch", port.is_some()));
            assert_eq!(
                (unknown.path == Presence::Unused, unknown.host == Presence::Unused),
                (port.is_some(), port.is_none())
            );
        }
    }

    #[test]
    fn an_option_of_which_nothing_is_said_may_lead_a_password_astray() {
        let option = OptionDescription::new("proxy", OptionKind::Text, "Where to go.");
        assert!(option.leads && !option.operator_only);
        assert!(!option.clone().harmless().leads && option.for_operators().operator_only);
    }

    #[test]
    fn words_are_stable() {
        let presences = [Presence::Required, Presence::Optional, Presence::Unused].map(Presence::as_str);
        assert_eq!(presences, ["required", "optional", "unused"]);
        let kinds = [OptionKind::Text, OptionKind::Switch, OptionKind::Choice(Vec::new()), OptionKind::Duration];
        assert_eq!(kinds.each_ref().map(OptionKind::as_str), ["text", "switch", "choice", "duration"]);
        let described = EngineDescription::server(Engine::MYSQL, "MySQL", 3306).with(OptionDescription::new(
            "cancel",
            OptionKind::Switch,
            "Whether to cancel.",
        ));
        assert!(described.option("cancel").is_some() && described.option("Cancel").is_none());
    }
}
