use shared_kernel::text::ControlCharacter;
use shared_kernel::text::TextError;

/// Checks a text that another system compares byte by byte, and leaves it as it is: 1 to `max` characters, none of them a
/// control character.
pub(super) fn verbatim(text: &str, max: usize) -> Result<String, TextError> {
    let actual = text.chars().count();
    if actual == 0 {
        return Err(TextError::Empty);
    }
    if actual > max {
        return Err(TextError::TooLong { max, actual });
    }
    match text.chars().find(|character| character.is_control()) {
        Some(character) => Err(ControlCharacter(character).into()),
        None => Ok(text.to_owned()),
    }
}

/// Declares a value that is a text, with its error and what every such value can do. Where there are characters that it cannot hold,
/// the error says last what it is made of.
macro_rules! text_value {
    ($(#[$attribute:meta])* $name:ident, $error:ident, $what:literal, $parse:expr) => {
        text_value!($(#[$attribute])* $name, $error, $what, $parse, "");
    };
    ($(#[$attribute:meta])* $name:ident, $error:ident, $what:literal, $parse:expr, $made_of:literal) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        #[doc = concat!("Why a text is no [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error(
            "{what} {0}{made_of}",
            what = $what,
            made_of = if matches!(.0, shared_kernel::text::TextError::Foreign(_)) { $made_of } else { "" }
        )]
        pub struct $error(shared_kernel::text::TextError);

        impl shared_kernel::validation::Fault for $error {
            fn code(&self) -> &'static str {
                self.0.code()
            }
        }

        impl $name {
            /// Reads it.
            ///
            /// # Errors
            #[doc = concat!("[`", stringify!($error), "`]")]
            pub fn parse(text: &str) -> Result<Self, $error> {
                let parse: fn(&str) -> Result<String, shared_kernel::text::TextError> = $parse;
                parse(text).map(Self).map_err($error)
            }

            /// It as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(super) use text_value;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_as_it_is() {
        assert_eq!(verbatim(" Zoe\u{308} ", 6).as_deref(), Ok(" Zoe\u{308} "));
        assert_eq!(verbatim("", 5), Err(TextError::Empty));
        assert_eq!(verbatim("abc", 2), Err(TextError::TooLong { max: 2, actual: 3 }));
        assert_eq!(verbatim("a\nb", 5), Err(ControlCharacter('\n').into()));
    }
}
