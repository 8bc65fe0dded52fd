use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared_kernel::{IdGenerator as _, SystemIdGenerator};

/// Made-up secrets, each with a part that occurs nowhere else.
#[derive(Default)]
pub(super) struct Canaries(Mutex<BTreeMap<String, String>>);

impl Canaries {
    /// The password for a purpose: a mark of letters and digits that is the same in every escape, among characters that
    /// escapes change.
    pub(super) fn password(&self, purpose: &str) -> String {
        format!("p@/%7+{}&x", self.mark(purpose))
    }

    /// The sealing key for a purpose, as it is configured.
    pub(super) fn key(&self, purpose: &str) -> String {
        STANDARD.encode(self.mark(&format!("key {purpose}")))
    }

    /// 32 letters and digits.
    fn mark(&self, purpose: &str) -> String {
        let mut marks = self.0.lock().expect("not poisoned");
        marks.entry(purpose.to_owned()).or_insert_with(|| SystemIdGenerator.next().simple().to_string()).clone()
    }

    /// Fails when any of the secrets, or half of one, is to be found in any of the texts, in any usual form.
    pub(super) fn search(&self, texts: &[String]) {
        // A copy: whoever looks for the panic below would find the lock poisoned.
        let marks = self.0.lock().expect("not poisoned").clone();
        for (purpose, mark) in &marks {
            for (form, needle) in forms(mark) {
                for text in texts {
                    let Some(at) = text.find(&needle) else { continue };
                    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
                    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
                    panic!("the secret `{purpose}` is told, {form}: {}", &text[line..end]);
                }
            }
        }
    }
}

/// The second half of a mark, which is the random one, as it looks in plain text, in hexadecimal digits, as a list of
/// numbers, percent-encoded, in UTF-16, and in base64 at each of the three places that a byte can have there.
fn forms(mark: &str) -> Vec<(&'static str, String)> {
    let half = &mark[16..];
    let bytes = half.as_bytes();
    let joined = |separator: &str, write: &dyn Fn(u8) -> String| {
        bytes.iter().map(|byte| write(*byte)).collect::<Vec<_>>().join(separator)
    };
    let mut forms = vec![
        ("in plain text", half.to_owned()),
        ("in capitals", half.to_uppercase()),
        ("backwards", half.chars().rev().collect()),
        ("in hexadecimal", joined("", &|byte| format!("{byte:02x}"))),
        ("in hexadecimal capitals", joined("", &|byte| format!("{byte:02X}"))),
        ("in spaced hexadecimal", joined(" ", &|byte| format!("{byte:02x}"))),
        ("as numbers", joined(", ", &|byte| byte.to_string())),
        ("as hexadecimal numbers", joined(", ", &|byte| format!("{byte:x}"))),
        ("percent-encoded", joined("", &|byte| format!("%{byte:02X}"))),
        ("escaped", joined("", &|byte| format!("\\x{byte:02x}"))),
        ("in UTF-16", joined("\0", &|byte| char::from(byte).to_string())),
        ("in escaped UTF-16", joined("\\0", &|byte| char::from(byte).to_string())),
        ("in JSON's escaped UTF-16", joined("\\u0000", &|byte| char::from(byte).to_string())),
    ];
    for (offset, form) in
        ["in base64", "in base64, shifted by one", "in base64, shifted by two"].into_iter().enumerate()
    {
        let mut shifted = vec![0; offset];
        shifted.extend_from_slice(bytes);
        let encoded = STANDARD.encode(shifted);
        // The first and last characters hold bits of their neighbours.
        let inner = encoded.trim_end_matches('=');
        forms.push((form, inner[4 * offset.min(1)..inner.len() - 1].to_owned()));
    }
    forms
}

#[test]
fn a_secret_is_found_in_every_form() {
    let canaries = Canaries::default();
    let password = canaries.password("any");
    let caught = |text: String| std::panic::catch_unwind(|| canaries.search(&[text])).is_err();
    let hexadecimal = password.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let percent = password.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}");
        text
    });
    let url: String = url_encoded(&password);
    for text in
        [password.clone(), format!("{password:?}"), format!("{:?}", password.as_bytes()), hexadecimal, percent, url]
    {
        assert!(caught(format!("before\n{text}\nafter")), "{text}");
    }
    for before in ["", "a", "ab", "abc", "user:"] {
        assert!(caught(format!("Basic {}", STANDARD.encode(format!("{before}{password}:")))), "{before}");
    }
    assert!(caught(
        serde_json::to_string(&password.encode_utf16().flat_map(u16::to_le_bytes).map(char::from).collect::<String>())
            .expect("JSON")
    ));
    assert!(caught(canaries.key("any")));
    assert!(!caught("nothing".to_owned()));
}

fn url_encoded(text: &str) -> String {
    let mut url = reqwest::Url::parse("mysql://host").expect("a URL");
    url.set_password(Some(text)).expect("a URL that may have a password");
    url.to_string()
}
