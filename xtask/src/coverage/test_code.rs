//! Where the tests lie among the lines of a source file: they run by themselves and say nothing about coverage.

use std::ops::RangeInclusive;

/// The lines of every module behind `#[cfg(test)]`.
pub(super) fn spans(source: &str) -> Vec<RangeInclusive<usize>> {
    let Ok(file) = syn::parse_file(source) else {
        return Vec::new();
    };
    file.items.iter().filter_map(test_module).collect()
}

fn test_module(item: &syn::Item) -> Option<RangeInclusive<usize>> {
    let syn::Item::Mod(module) = item else { return None };
    let attribute = module.attrs.iter().find(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })?;
    let (braces, _) = module.content.as_ref()?;
    Some(attribute.pound_token.span.start().line..=braces.span.close().end().line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_of_tests_is_found_and_other_code_is_not() {
        let source = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n\n#[cfg(unix)]\nmod c {\n}\n";
        assert_eq!(spans(source), [3..=6]);
    }
}
