use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use registry_context::domain::{ConnectionId, DatabaseName};

/// How many are known at a time. The ones that became known first are forgotten, and have another number when they are asked for again.
const MOST: usize = 1_000;

/// The databases beside their own that stored connections were asked for, each with a number: the names of the manager's connections
/// have no room for what a database may be called.
#[derive(Clone, Default)]
pub(crate) struct OtherDatabases(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    next: u64,
    by_number: BTreeMap<u64, Other>,
    numbers: HashMap<Other, u64>,
}

type Other = (ConnectionId, DatabaseName);

impl OtherDatabases {
    /// The number of a connection's other database, from now on if it had none.
    pub(super) fn number(&self, connection: ConnectionId, database: &DatabaseName) -> u64 {
        let mut known = self.known();
        let other = (connection, database.clone());
        if let Some(number) = known.numbers.get(&other) {
            return *number;
        }
        if known.by_number.len() >= MOST
            && let Some((_, oldest)) = known.by_number.pop_first()
        {
            known.numbers.remove(&oldest);
        }
        let number = known.next;
        known.next += 1;
        known.by_number.insert(number, other.clone());
        known.numbers.insert(other, number);
        number
    }

    /// The database of this number.
    pub(super) fn find(&self, connection: ConnectionId, number: u64) -> Option<DatabaseName> {
        let known = self.known();
        let (of, database) = known.by_number.get(&number)?;
        (*of == connection).then(|| database.clone())
    }

    /// The numbers of a connection's other databases.
    pub(super) fn of(&self, connection: ConnectionId) -> Vec<u64> {
        let known = self.known();
        known.by_number.iter().filter(|(_, (of, _))| *of == connection).map(|(number, _)| *number).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for OtherDatabases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherDatabases").field("known", &self.known().numbers.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_database_has_one_number_until_it_is_forgotten() {
        let others = OtherDatabases::default();
        let (one, two) = (ConnectionId::new(Uuid::from_u128(1)), ConnectionId::new(Uuid::from_u128(2)));
        let name = |text: &str| DatabaseName::parse(text).expect("a name");
        let number = others.number(one, &name("sales"));
        assert_eq!(others.number(one, &name("sales")), number);
        assert_ne!(others.number(two, &name("sales")), number);
        assert_ne!(others.number(one, &name("Sales")), number);
        assert_eq!(others.find(one, number), Some(name("sales")));
        assert_eq!(others.find(two, number), None, "it is nobody else's");
        assert_eq!(others.of(one).len(), 2);

        for count in 0..MOST - 2 {
            others.number(two, &name(&format!("d{count}")));
        }
        assert_eq!(others.find(one, number), None);
        assert_eq!((others.of(one).len(), others.of(two).len()), (1, MOST - 1));
        assert_ne!(others.number(one, &name("sales")), number, "a forgotten number is never another database's");
        assert_eq!(format!("{others:?}"), "OtherDatabases { known: 1000 }");
    }
}
