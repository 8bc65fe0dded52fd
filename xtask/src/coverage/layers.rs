//! The layers of the architecture and what their coverage should be.

use std::fmt::Write;

use super::Lines;

/// A layer, the goal for it in percent of lines, and what belongs to it.
struct Layer {
    name: &'static str,
    goal: Option<u32>,
    holds: fn(&str) -> bool,
}

/// Each file belongs to the first layer that holds it.
const LAYERS: [Layer; 5] = [
    Layer { name: "domain", goal: Some(100), holds: |file| in_context(file, "domain") },
    Layer { name: "application", goal: Some(95), holds: |file| in_context(file, "application") },
    Layer { name: "adapters", goal: Some(85), holds: |file| file.starts_with("bin/api/src/") },
    Layer {
        name: "infrastructure",
        goal: Some(70),
        holds: |file| {
            in_context(file, "infrastructure")
                || ["crates/connection-manager/src/", "crates/sql-dialect/src/", "migrations/src/"]
                    .iter()
                    .any(|start| file.starts_with(start))
        },
    },
    Layer { name: "kernel", goal: None, holds: |file| file.starts_with("crates/shared-kernel/src/") },
];

fn in_context(file: &str, layer: &str) -> bool {
    let Some((package, inside)) = file.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) else {
        return false;
    };
    let inside = inside.strip_prefix(layer);
    package.ends_with("-context") && inside.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

#[derive(Default, Clone, Copy)]
struct Count {
    run: usize,
    all: usize,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.run += other.run;
        self.all += other.all;
    }

    /// In tenths of a percent; nothing to run counts as all run.
    fn permille(self) -> usize {
        (self.run * 1000).checked_div(self.all).unwrap_or(1000)
    }

    fn percent(self) -> String {
        format!("{}.{} %", self.permille() / 10, self.permille() % 10)
    }
}

/// The table by layer; with `files`, every file and the lines that nothing runs.
pub(crate) fn table(lines: &Lines, files: bool) -> String {
    let mut out = String::from("Layer           lines     run  coverage   goal\n");
    let mut details = String::new();
    for layer in &LAYERS {
        let mut total = Count::default();
        for (file, counts) in lines.iter().filter(|(file, _)| belongs(file, layer)) {
            let count = Count { run: counts.values().filter(|times| **times > 0).count(), all: counts.len() };
            total.add(count);
            let silent: Vec<usize> = counts.iter().filter(|(_, times)| **times == 0).map(|(line, _)| *line).collect();
            writeln!(details, "{:>7}  {file}  {}", count.percent(), ranges(&silent)).ok();
        }
        let goal = layer.goal.map_or_else(String::new, |goal| {
            let met = total.permille() >= usize::try_from(goal).unwrap_or(0) * 10;
            format!("{goal:>4} % {}", if met { "met" } else { "NOT MET" })
        });
        writeln!(out, "{:<14}  {:>5}  {:>6}  {:>8}  {goal}", layer.name, total.all, total.run, total.percent()).ok();
    }
    if files {
        out.push_str("\nFiles and the lines that no test runs\n");
        out.push_str(&details);
    }
    out
}

fn belongs(file: &str, layer: &Layer) -> bool {
    LAYERS.iter().find(|candidate| (candidate.holds)(file)).is_some_and(|candidate| candidate.name == layer.name)
}

/// `3-5, 9`
fn ranges(lines: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &line in lines {
        match parts.last_mut() {
            Some((_, end)) if *end + 1 == line => *end = line,
            _ => parts.push((line, line)),
        }
    }
    let texts: Vec<String> = parts
        .iter()
        .map(|(start, end)| if start == end { start.to_string() } else { format!("{start}-{end}") })
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_file_belongs_to_its_layer() {
        let layer = |file: &str| LAYERS.iter().find(|layer| (layer.holds)(file)).map(|layer| layer.name);
        assert_eq!(layer("crates/user-context/src/domain/email.rs"), Some("domain"));
        assert_eq!(layer("crates/user-context/src/domain.rs"), Some("domain"));
        assert_eq!(layer("crates/user-context/src/domains.rs"), None);
        assert_eq!(layer("crates/user-context/src/application/create.rs"), Some("application"));
        assert_eq!(layer("bin/api/src/rest/problem.rs"), Some("adapters"));
        assert_eq!(layer("crates/connection-manager/src/pool.rs"), Some("infrastructure"));
        assert_eq!(layer("crates/testkit/src/lib.rs"), None);
    }

    #[test]
    fn the_goal_is_met_only_when_every_line_of_the_domain_ran() {
        let mut lines = Lines::new();
        lines.insert("crates/a-context/src/domain/b.rs".to_owned(), BTreeMap::from([(1, 4), (2, 1)]));
        assert!(table(&lines, false).contains("domain              2       2   100.0 %   100 % met"));
        lines.insert("crates/a-context/src/domain/c.rs".to_owned(), BTreeMap::from([(7, 0), (8, 0), (10, 0), (11, 1)]));
        let text = table(&lines, true);
        assert!(text.contains("domain              6       3    50.0 %   100 % NOT MET"), "{text}");
        assert!(text.contains("crates/a-context/src/domain/c.rs  7-8, 10\n"), "{text}");
    }
}
