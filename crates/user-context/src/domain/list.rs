use shared_kernel::paging::{Direction, Limit, Position, SortKey};
use shared_kernel::text::SearchTerm;

use super::UserStatus;

/// By what a list of users can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserSort {
    /// By name, without case.
    Name,
    /// By e-mail address, without case.
    Email,
    /// By the instant of registration.
    #[default]
    CreatedAt,
    /// By the instant of the last change.
    UpdatedAt,
}

impl UserSort {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Name, Self::Email, Self::CreatedAt, Self::UpdatedAt];

    /// The field's name: `name`, `email`, `created_at` or `updated_at`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
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
            Self::Name | Self::Email => matches!(position.key, Some(SortKey::Text(_))),
            Self::CreatedAt | Self::UpdatedAt => matches!(position.key, Some(SortKey::Instant(_))),
        }
    }
}

/// Which users are listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UserFilter {
    /// Those whose name or e-mail address holds this.
    pub q: Option<SearchTerm>,
    /// Those of this status.
    pub status: Option<UserStatus>,
}

/// A page of a list of users: which ones, in which order, from where, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UserList {
    /// Which users.
    pub filter: UserFilter,
    /// In which order; among equals by id.
    pub sort: UserSort,
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
    fn orders_are_found_by_their_names() {
        for sort in UserSort::ALL {
            assert_eq!(UserSort::by_name(sort.as_str()), Some(sort));
        }
        assert_eq!(UserSort::by_name("status"), None);
    }

    #[test]
    fn a_position_belongs_to_one_kind_of_order() {
        let position = |key| Position { key, id: Uuid::nil() };
        let text = position(Some(SortKey::Text("a".to_owned())));
        let instant = position(Some(SortKey::Instant(DateTime::UNIX_EPOCH)));
        for sort in [UserSort::Name, UserSort::Email] {
            assert!(sort.accepts(&text) && !sort.accepts(&instant) && !sort.accepts(&position(None)));
        }
        for sort in [UserSort::CreatedAt, UserSort::UpdatedAt] {
            assert!(sort.accepts(&instant) && !sort.accepts(&text) && !sort.accepts(&position(None)));
        }
    }
}
