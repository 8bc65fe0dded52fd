use serde::Deserialize;

/// What one reading of a schema has cost, and found.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Figures {
    pub(crate) statements: u64,
    /// From the first question to the last answer, read; on a connection that was open.
    pub(crate) seconds: f64,
    /// What the server computed meanwhile; `None` where it is part of the process that asks.
    pub(crate) processor: Option<f64>,
    pub(crate) facts: Facts,
}

/// How many facts of each kind.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    /// Columns with the right name that may, or may not, be NULL.
    pub(crate) columns: usize,
    pub(crate) primary_keys: usize,
    /// With what happens to them when the row is deleted that they refer to.
    pub(crate) foreign_keys: usize,
    pub(crate) unique: usize,
    pub(crate) checks: usize,
    /// Parts of indexes that descend.
    pub(crate) descending: usize,
    /// Parts of indexes that are an expression or the beginning of a column.
    pub(crate) partial_values: usize,
    /// Indexes with a condition.
    pub(crate) conditions: usize,
    pub(crate) comments: usize,
}

impl Facts {
    /// In words, what is less than was created.
    pub(crate) fn beside(&self, created: &Self) -> String {
        let pairs = [
            ("columns", self.columns, created.columns),
            ("primary keys", self.primary_keys, created.primary_keys),
            ("foreign keys with their rule", self.foreign_keys, created.foreign_keys),
            ("unique keys", self.unique, created.unique),
            ("checks", self.checks, created.checks),
            ("descending parts", self.descending, created.descending),
            ("expressions or prefixes", self.partial_values, created.partial_values),
            ("conditions", self.conditions, created.conditions),
            ("comments", self.comments, created.comments),
        ];
        let wrong: Vec<String> = pairs
            .iter()
            .filter(|(_, told, created)| told != created)
            .map(|(what, told, created)| format!("{told} of {created} {what}"))
            .collect();
        if wrong.is_empty() { "all".to_owned() } else { wrong.join(", ") }
    }
}

/// The middle one of what can be compared.
pub(crate) fn middle(rounds: &[Figures], of: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = rounds.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
