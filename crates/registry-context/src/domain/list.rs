use shared_kernel::database::Engine;
use shared_kernel::paging::{Direction, Limit, Position, SortKey};
use shared_kernel::text::SearchTerm;

use super::LabelFilter;

/// By what a list of connections can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ConnectionSort {
    /// By name, without case.
    #[default]
    Name,
    /// By the instant of storing.
    CreatedAt,
    /// By the instant of the last change.
    UpdatedAt,
}

impl ConnectionSort {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Name, Self::CreatedAt, Self::UpdatedAt];

    /// The field's name: `name`, `created_at` or `updated_at`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    /// The order by a field's name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }

    /// Whether a position can belong to a list in this order.
    pub const fn accepts(self, position: &Position) -> bool {
        match self {
            Self::Name => matches!(position.key, Some(SortKey::Text(_))),
            Self::CreatedAt | Self::UpdatedAt => matches!(position.key, Some(SortKey::Instant(_))),
        }
    }
}

/// Which connections are listed: those that everything given holds for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ConnectionFilter {
    /// Those whose name holds this.
    pub q: Option<SearchTerm>,
    /// Those of this engine.
    pub engine: Option<Engine>,
    /// Those with this label.
    pub label: Option<LabelFilter>,
}

/// A page of a list of connections: which ones, in which order, from where, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ConnectionList {
    /// Which connections.
    pub filter: ConnectionFilter,
    /// In which order; among equals by id.
    pub sort: ConnectionSort,
    /// From which end.
    pub direction: Direction,
    /// Behind which position; from the beginning when there is none.
    pub after: Option<Position>,
    /// How many.
    pub limit: Limit,
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn orders_are_found_by_their_names_and_positions_belong_to_one_kind() {
        let position = |key| Position { key, id: Uuid::nil() };
        let text = position(Some(SortKey::Text("a".to_owned())));
        let instant = position(Some(SortKey::Instant(DateTime::UNIX_EPOCH)));
        for sort in ConnectionSort::ALL {
            assert_eq!(ConnectionSort::by_name(sort.as_str()), Some(sort));
            let by_text = sort == ConnectionSort::Name;
            assert_eq!((sort.accepts(&text), sort.accepts(&instant)), (by_text, !by_text));
            assert!(!sort.accepts(&position(None)));
        }
        assert_eq!(ConnectionSort::by_name("engine"), None);
    }
}
