use std::fmt::Write as _;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings};
use aws_sigv4::sign::v4::SigningParams;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// The action that a token allows.
pub(super) struct Request<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) region: &'a str,
    pub(super) life: Duration,
}

/// Signs the request to connect with AWS's Signature Version 4 in its query. The token is the address without its scheme, as
/// the server builds it again from what it knows.
pub(super) fn sign(
    request: &Request<'_>,
    credentials: Credentials,
    now: DateTime<Utc>,
) -> Result<SecretString, Box<dyn std::error::Error + Send + Sync>> {
    let Request { host, port, user, region, life } = request;
    let mut address = format!("{host}:{port}/?Action=connect&DBUser=");
    encode(&mut address, user);
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(*life);
    let identity = credentials.into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("rds-db")
        .time(now.into())
        .settings(settings)
        .build()?;
    let url = format!("https://{address}");
    let signable = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::empty())?;
    let (instructions, _signature) = aws_sigv4::http_request::sign(signable, &parameters.into())?.into_parts();
    for (name, value) in instructions.params() {
        address.push('&');
        address.push_str(name);
        address.push('=');
        encode(&mut address, value);
    }
    Ok(SecretString::from(address))
}

/// Percent-encodes all but RFC 3986's unreserved characters, as the signature's canonical form wants it.
fn encode(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn signed(host: &str, port: u16, user: &str, region: &str, keys: (&str, &str, Option<&str>), time: &str) -> String {
        let request = Request { host, port, user, region, life: Duration::from_mins(15) };
        let (id, key, session) = keys;
        let credentials = Credentials::new(id, key, session.map(str::to_owned), None, "test");
        let now = DateTime::parse_from_rfc3339(time).expect("a time").to_utc();
        sign(&request, credentials, now).expect("a signature").expose_secret().to_owned()
    }

    /// The vector in the tests of the AWS SDK for Rust (`rds_auth_token.rs`, `signing_works`).
    #[test]
    fn the_token_is_that_of_the_sdk_for_rust() {
        let host = "prod-instance.us-east-1.rds.amazonaws.com";
        let token = signed(host, 3306, "peccy", "us-east-1", ("akid", "secret", None), "2024-08-26T22:00:00Z");
        assert_eq!(
            token,
            "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=peccy&X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential=akid%2F20240826%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20240826T220000Z&\
             X-Amz-Expires=900&X-Amz-SignedHeaders=host&\
             X-Amz-Signature=dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89"
        );
    }

    /// Those in the tests of botocore (`test_signers.py`, `test_generate_db_auth_token`) and of the AWS SDKs for Java 2
    /// (`DefaultRdsUtilitiesTest`) and JavaScript 2 (`rds/signer.spec.js`), whose parameters stand in another order; the
    /// signature is over the sorted ones. The last one, with a session's token, is that of an independent
    /// signer for Java (`com.carepay.aws.auth.RdsAWS4SignerTest`).
    #[test]
    fn the_signature_is_that_of_other_sdks() {
        for (host, port, user, region, keys, time, signature) in [
            (
                "prod-instance.us-east-1.rds.amazonaws.com",
                3306,
                "someusername",
                "us-east-1",
                ("akid", "skid", None),
                "2016-11-07T17:39:33Z",
                "d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61",
            ),
            (
                "host.us-east-1.amazonaws.com",
                3306,
                "mySQLUser",
                "us-east-1",
                ("access_key", "secret_key", None),
                "2016-11-07T17:39:33Z",
                "87ab58107ef49f1c311a412f98b7f976b0b5152ffb559f0d36c6c9a0c5e0e362",
            ),
            (
                "dbhost.xyz.eu-west-1.amazonaws.com",
                3306,
                "iam_user",
                "eu-west-1",
                ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Some("SeSsIoNtOkEn")),
                "2018-09-19T16:02:42Z",
                "0c5925dc554b2e175d58dcb96d9ad71cf85c81ba0835a523291f9f6ce90096ca",
            ),
        ] {
            let token = signed(host, port, user, region, keys, time);
            assert!(token.contains(&format!("&X-Amz-Signature={signature}")), "{token}");
            assert!(token.starts_with(&format!("{host}:{port}/?Action=connect&DBUser={user}&")), "{token}");
        }
    }

    #[test]
    fn what_a_query_cannot_hold_is_encoded() {
        let token = signed("h", 1, "a b&c=d%é", "r", ("i", "k", Some("t+/=")), "2024-08-26T22:00:00Z");
        assert!(token.contains("DBUser=a%20b%26c%3Dd%25%C3%A9&") && token.contains("X-Amz-Security-Token=t%2B%2F%3D"));
    }
}
