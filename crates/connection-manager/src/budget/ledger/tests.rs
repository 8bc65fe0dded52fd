use std::cmp::Reverse;

use proptest::prelude::*;

use super::*;

/// The pools of a test, and what each does with its places.
struct Pools {
    ledger: Ledger,
    places: u32,
    each: Vec<Pool>,
}

#[derive(Default)]
struct Pool {
    id: u64,
    waiting: u32,
    shaking: u32,
    busy: u32,
    idle: u32,
    leaving: u32,
    served: u32,
}

impl Pool {
    fn open(&self) -> u32 {
        self.shaking + self.busy + self.idle + self.leaving
    }
}

impl Pools {
    fn new(places: u32, pools: usize) -> Self {
        let mut ledger = Ledger::new(Some(places));
        let each = (0..pools).map(|_| Pool { id: ledger.open(), ..Pool::default() }).collect();
        Self { ledger, places, each }
    }

    fn ask(&mut self, index: usize) {
        let pool = &self.each[index];
        let wants = pool.waiting.min(HANDSHAKES).saturating_sub(pool.shaking);
        self.ledger.ask(pool.id, wants, 0);
        while let Some(id) = self.ledger.next() {
            self.ledger.grant(id);
            let pool = self.each.iter_mut().find(|pool| pool.id == id).unwrap();
            pool.shaking += 1;
        }
    }

    fn arrive(&mut self, index: usize) {
        let pool = &mut self.each[index];
        if pool.idle > 0 {
            (pool.idle, pool.busy) = (pool.idle - 1, pool.busy + 1);
        } else {
            pool.waiting += 1;
            self.ask(index);
        }
    }

    /// A handshake that is under way comes to its end.
    fn shaken(&mut self, index: usize) {
        if self.each[index].shaking == 0 {
            return;
        }
        self.each[index].shaking -= 1;
        self.ledger.shaken();
        self.each[index].busy += 1;
        self.come_back(index);
    }

    /// A caller gives a connection back.
    fn finish(&mut self, index: usize) {
        if self.each[index].busy > 0 {
            self.come_back(index);
        }
    }

    fn come_back(&mut self, index: usize) {
        let pool = &mut self.each[index];
        pool.busy -= 1;
        let donor = if pool.waiting > 0 { Donor::InDemand } else { Donor::Idle };
        if self.ledger.is_short() && self.ledger.owes(pool.id, donor) {
            pool.leaving += 1;
            self.ledger.leaves(pool.id);
        } else if pool.waiting > 0 {
            self.ledger.served(pool.id);
            (pool.waiting, pool.busy, pool.served) = (pool.waiting - 1, pool.busy + 1, pool.served + 1);
        } else {
            pool.idle += 1;
        }
        self.ask(index);
    }

    /// A connection that was on its way out is closed.
    fn closed(&mut self, index: usize) {
        if self.each[index].leaving > 0 {
            self.each[index].leaving -= 1;
            self.ledger.release(self.each[index].id, true);
            self.ask(index);
        }
    }

    /// The task that takes back from the idle has its turn.
    fn reclaim(&mut self, donor: Donor) {
        let mut order: Vec<usize> = (0..self.each.len()).filter(|index| self.each[*index].idle > 0).collect();
        order.sort_by_key(|index| Reverse(self.each[*index].open() - self.each[*index].leaving));
        for index in order {
            let pool = &mut self.each[index];
            if self.ledger.is_short() && self.ledger.owes(pool.id, donor) {
                (pool.idle, pool.leaving) = (pool.idle - 1, pool.leaving + 1);
                self.ledger.leaves(pool.id);
                return;
            }
        }
    }

    #[track_caller]
    fn is_sound(&self) {
        let open: u32 = self.each.iter().map(Pool::open).sum();
        assert!(open <= self.places, "{open} are open");
        assert_eq!(open, self.ledger.held());
        let shaking: u32 = self.each.iter().map(|pool| pool.shaking).sum();
        assert!(shaking <= HANDSHAKES, "{shaking} handshakes");
    }

    fn settle(&mut self) {
        for _ in 0..4 {
            for index in 0..self.each.len() {
                self.shaken(index);
                self.closed(index);
                self.is_sound();
            }
        }
    }
}

#[test]
fn a_flooding_pool_gives_a_quiet_one_its_place_at_the_first_return() {
    let mut pools = Pools::new(4, 2);
    for _ in 0..100 {
        pools.arrive(0);
        pools.settle();
    }
    assert_eq!(pools.each[0].busy, 4);
    pools.arrive(1);
    pools.finish(0);
    pools.settle();
    assert_eq!((pools.each[0].busy, pools.each[1].busy), (3, 1));
    // Up to an even share, and no further, as long as both have callers who wait.
    for _ in 0..100 {
        pools.arrive(0);
        pools.arrive(1);
        pools.arrive(1);
        pools.finish(0);
        pools.finish(1);
        pools.settle();
    }
    assert_eq!((pools.each[0].busy, pools.each[1].busy), (2, 2));
    assert!(pools.each[0].served > 40, "{}", pools.each[0].served);
}

#[test]
fn where_places_do_not_go_round_pools_take_turns() {
    let mut pools = Pools::new(2, 5);
    for index in 0..5 {
        for _ in 0..1000 {
            pools.arrive(index);
        }
    }
    for _ in 0..200 {
        for index in 0..5 {
            pools.finish(index);
        }
        pools.settle();
    }
    let served: Vec<u32> = pools.each.iter().map(|pool| pool.served).collect();
    let (fewest, most) = (*served.iter().min().unwrap(), *served.iter().max().unwrap());
    assert!(fewest > 0 && most - fewest <= 2 * (TURNS + 1), "{served:?}");
}

#[test]
fn a_minimum_takes_no_more_than_an_even_share_and_nothing_that_callers_want() {
    let mut ledger = Ledger::new(Some(6));
    let ids = [ledger.open(), ledger.open()];
    let mut got = [0, 0];
    let mut fill = |ledger: &mut Ledger| {
        while let Some(id) = ledger.next() {
            ledger.grant(id);
            ledger.shaken();
            got[usize::from(id == ids[1])] += 1;
        }
        got
    };
    ledger.ask(ids[0], 0, 10);
    assert_eq!(fill(&mut ledger), [3, 0]);
    ledger.ask(ids[1], 2, 0);
    assert_eq!(fill(&mut ledger), [3, 2]);
    assert!(!ledger.is_short());
    ledger.ask(ids[1], 2, 0);
    assert_eq!(fill(&mut ledger), [3, 3]);
    assert!(ledger.is_short(), "one more is wanted than there is");
    assert!(!ledger.owes(ids[0], Donor::Idle), "equals take nothing from each other");
    assert!(ledger.owes(ids[0], Donor::Forgotten));
}

#[test]
fn no_more_places_are_asked_back_than_are_wanted() {
    let mut ledger = Ledger::new(Some(4));
    let (rich, poor) = (ledger.open(), ledger.open());
    for _ in 0..4 {
        ledger.ask(rich, 1, 0);
        ledger.grant(rich);
        ledger.shaken();
    }
    ledger.ask(poor, 1, 0);
    assert!(ledger.owes(rich, Donor::InDemand));
    ledger.leaves(rich);
    assert!(!ledger.owes(rich, Donor::InDemand), "one is on its way");
    ledger.release(rich, true);
    assert_eq!(ledger.next(), Some(poor));
}

#[test]
fn a_place_that_nobody_waits_for_is_there_later() {
    let mut ledger = Ledger::new(Some(1));
    let id = ledger.open();
    ledger.ask(id, 1, 0);
    ledger.grant(id);
    ledger.shaken();
    ledger.release(id, false);
    assert_eq!(ledger.next(), None);
    let other = ledger.open();
    ledger.close(id);
    ledger.ask(other, 1, 0);
    assert_eq!(ledger.next(), Some(other));
}

proptest! {
    /// In any order of events no more are open than there are places, and when everybody gives back what he has, every
    /// caller is served.
    #[test]
    fn the_limit_holds_and_every_caller_is_served(
        places in 1u32..6,
        events in proptest::collection::vec((0u8..6, 0usize..5), 0..400),
    ) {
        let mut pools = Pools::new(places, 5);
        for (event, index) in events {
            match event {
                0 | 1 => pools.arrive(index),
                2 => pools.finish(index),
                3 => pools.shaken(index),
                4 => pools.closed(index),
                _ => pools.reclaim(Donor::Idle),
            }
            pools.is_sound();
        }
        let waiting = pools.each.iter().map(|pool| pool.waiting).sum::<u32>();
        // Each round serves somebody, or moves a place to somebody who is served in the next.
        for _ in 0..(waiting + 1) * 16 {
            pools.settle();
            pools.reclaim(Donor::Forgotten);
            for index in 0..5 {
                pools.finish(index);
            }
        }
        prop_assert_eq!(pools.each.iter().map(|pool| pool.waiting).sum::<u32>(), 0);
    }
}
