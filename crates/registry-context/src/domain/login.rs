use super::verbatim::{text_value, verbatim};

text_value!(
    /// The user to log in as: 1 to 255 characters, kept as they are, none of them a control character.
    Username,
    UsernameError,
    "the user",
    |text| verbatim(text, Username::MAX)
);

text_value!(
    /// The name of a secret in a secrets manager: 1 to 512 characters of `A-Z`, `a-z`, `0-9` and `/_+=.@-`.
    SecretName,
    SecretNameError,
    "the secret's name",
    secret_name,
    ": it is made of letters, digits and `/_+=.@-`, as AWS Secrets Manager has it"
);

impl Username {
    /// The most characters.
    pub const MAX: usize = 255;
}

impl SecretName {
    /// The most characters.
    pub const MAX: usize = 512;
}

/// A name, not an ARN: an ARN names an account, and which account is asked is not for those who register connections.
fn secret_name(text: &str) -> Result<String, shared_kernel::text::TextError> {
    let text = verbatim(text, SecretName::MAX)?;
    match text.chars().find(|character| !character.is_ascii_alphanumeric() && !"/_+=.@-".contains(*character)) {
        Some(character) => Err(shared_kernel::text::TextError::Foreign(character)),
        None => Ok(text),
    }
}
