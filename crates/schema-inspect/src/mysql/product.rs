/// Which of the two products a server is, and which version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) is_mariadb: bool,
    pub(super) version: (u32, u32, u32),
}

impl Product {
    /// From what `VERSION()` says: `9.7.4-2`, `10.11.19-MariaDB-0+deb12u1`, or `5.5.5-10.4.1-MariaDB` where a server makes old
    /// clients believe that it is MySQL.
    pub(super) fn of(version: &str) -> Self {
        let is_mariadb = version.to_ascii_lowercase().contains("mariadb");
        let version = if is_mariadb { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
        let mut numbers =
            version.split(|character: char| !character.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self { is_mariadb, version: (next(), next(), next()) }
    }

    pub(super) fn is_at_least(&self, (major, minor): (u32, u32)) -> bool {
        (self.version.0, self.version.1) >= (major, minor)
    }

    /// What is needed, where this is older.
    pub(super) fn too_old(&self) -> Option<&'static str> {
        let (oldest, text) = if self.is_mariadb { ((10, 5, 0), "10.5") } else { ((8, 0, 16), "8.0.16") };
        (self.version < oldest).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_says_which_product_it_is_and_how_old() {
        for (text, is_mariadb, version, too_old) in [
            ("9.7.4-2", false, (9, 7, 4), None),
            ("8.0.15", false, (8, 0, 15), Some("8.0.16")),
            ("5.7.44-log", false, (5, 7, 44), Some("8.0.16")),
            ("10.11.19-MariaDB-0+deb12u1", true, (10, 11, 19), None),
            ("5.5.5-10.4.1-MariaDB", true, (10, 4, 1), Some("10.5")),
            ("", false, (0, 0, 0), Some("8.0.16")),
        ] {
            let product = Product::of(text);
            assert_eq!(product, Product { is_mariadb, version }, "{text}");
            assert_eq!(product.too_old(), too_old, "{text}");
        }
    }
}
