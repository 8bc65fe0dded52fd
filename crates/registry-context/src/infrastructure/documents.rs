//! What is kept as JSON in one column: TLS, options and labels. It is read as a whole and searched nowhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Certificates, CertificatesError, LabelKey, LabelKeyError, LabelValue, LabelValueError, Labels, OptionValue,
    OptionValueError, Options, Tls, TooManyLabels, UnknownTlsMode,
};

/// Why a stored document is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentError {
    #[error("it is not in the form of the document")]
    Form(#[from] serde_json::Error),
    #[error(transparent)]
    Mode(#[from] UnknownTlsMode),
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    #[error(transparent)]
    Option(#[from] OptionValueError),
    #[error(transparent)]
    Key(#[from] LabelKeyError),
    #[error(transparent)]
    Value(#[from] LabelValueError),
    #[error(transparent)]
    TooMany(#[from] TooManyLabels),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsDocument {
    mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_certificate: Option<String>,
}

pub(super) fn of_tls(tls: &Tls) -> String {
    let text = |certificates: &Option<Certificates>| certificates.as_ref().map(|text| text.as_str().to_owned());
    let document = TlsDocument {
        mode: tls.mode.as_str().to_owned(),
        ca: text(&tls.ca),
        client_certificate: text(&tls.client_certificate),
    };
    // Plain data always has a JSON form.
    serde_json::to_string(&document).unwrap_or_default()
}

pub(super) fn tls(json: &str) -> Result<Tls, DocumentError> {
    let document: TlsDocument = serde_json::from_str(json)?;
    let certificates = |text: Option<String>| text.map(|text| Certificates::parse(&text)).transpose();
    Ok(Tls {
        mode: document.mode.parse()?,
        ca: certificates(document.ca)?,
        client_certificate: certificates(document.client_certificate)?,
    })
}

pub(super) fn of_options(options: &Options) -> String {
    object(options.iter().map(|(name, value)| (name, value.as_str())))
}

pub(super) fn options(json: &str) -> Result<Options, DocumentError> {
    let texts: BTreeMap<String, String> = serde_json::from_str(json)?;
    let options = texts.into_iter().map(|(name, value)| Ok((name, OptionValue::parse(&value)?)));
    options.collect::<Result<_, DocumentError>>().map(Options::new)
}

pub(super) fn of_labels(labels: &Labels) -> String {
    object(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

pub(super) fn labels(json: &str) -> Result<Labels, DocumentError> {
    let texts: BTreeMap<String, String> = serde_json::from_str(json)?;
    let labels = texts.into_iter().map(|(key, value)| Ok((LabelKey::parse(&key)?, LabelValue::parse(&value)?)));
    Ok(Labels::try_new(labels.collect::<Result<_, DocumentError>>()?)?)
}

fn object<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let texts: BTreeMap<&str, &str> = texts.collect();
    serde_json::to_string(&texts).unwrap_or_default()
}
