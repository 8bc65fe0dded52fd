use std::collections::{BTreeMap, BTreeSet, HashSet};

use schema_model::{MapKeys, Observed, ObservedField, ObservedMap, ObservedType};
use shared_kernel::database::Shape;

use super::{keys, share};

/// What has been seen at one place.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) types: BTreeMap<&'static str, u64>,
    pub(super) objects: u64,
    pub(super) children: BTreeMap<String, Child>,
    pub(super) mapped: Option<Box<Mapped>>,
    elements: Option<Box<Self>>,
    too_deep: u64,
    too_many: u64,
}

/// What has been seen under one name.
#[derive(Debug, Default)]
pub(super) struct Child {
    /// How many objects have it.
    pub(super) present: u64,
    pub(super) node: Node,
}

/// What has been seen under keys that are values.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    pub(super) kinds: BTreeSet<MapKeys>,
    pub(super) entries: u64,
    pub(super) node: Node,
}

/// How many names there is room for yet.
#[derive(Debug)]
pub(super) struct Room(pub(super) u32);

impl Room {
    fn take(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        is_left
    }
}

impl Node {
    /// Looks at one more value, so many levels of names deep.
    pub(super) fn observe(&mut self, shape: &Shape, depth: u32, room: &mut Room) {
        *self.types.entry(shape.word()).or_default() += 1;
        match shape {
            Shape::Scalar(_) => {}
            Shape::Object(_, fields) => {
                self.objects += 1;
                match depth.checked_sub(1) {
                    _ if fields.is_empty() => {}
                    Some(depth) => self.object(fields, depth, room),
                    None => self.too_deep += 1,
                }
            }
            Shape::Array(_, items) => self.array(items, depth, room),
        }
    }

    fn object(&mut self, fields: &[(String, Shape)], depth: u32, room: &mut Room) {
        let mut known = HashSet::new();
        let mut told = Vec::with_capacity(fields.len());
        let mut is_crowded = false;
        // Names of this level come before those within them, should there be no room for all.
        for (name, value) in fields {
            // A name that is there twice is what its first value is.
            if !known.insert(name) {
                continue;
            }
            if let Some(kind) = keys::kind_of(name) {
                let mapped = self.mapped.get_or_insert_default();
                mapped.kinds.insert(kind);
                mapped.entries += 1;
                told.push((None, value));
            } else if self.children.contains_key(name) || room.take() {
                self.children.entry(name.clone()).or_default().present += 1;
                told.push((Some(name), value));
            } else {
                is_crowded = true;
            }
        }
        self.too_many += u64::from(is_crowded);
        for (name, value) in told {
            let node = match name {
                Some(name) => self.children.get_mut(name).map(|child| &mut child.node),
                None => self.mapped.as_mut().map(|mapped| &mut mapped.node),
            };
            if let Some(node) = node {
                node.observe(value, depth, room);
            }
        }
    }

    fn array(&mut self, items: &[Shape], depth: u32, room: &mut Room) {
        let mut is_cut = false;
        for item in items {
            // An array in an array is a level as a name is one.
            let inner = if matches!(item, Shape::Array(..)) { depth.checked_sub(1) } else { Some(depth) };
            let elements = self.elements.get_or_insert_default();
            match (inner, item) {
                (None, Shape::Array(word, within)) => {
                    *elements.types.entry(*word).or_default() += 1;
                    is_cut |= !within.is_empty();
                }
                (inner, _) => elements.observe(item, inner.unwrap_or_default(), room),
            }
        }
        self.too_deep += u64::from(is_cut);
    }

    /// What was seen by somebody else as well.
    pub(super) fn merge(&mut self, other: Self) {
        for (word, count) in other.types {
            *self.types.entry(word).or_default() += count;
        }
        self.objects += other.objects;
        self.too_deep += other.too_deep;
        self.too_many += other.too_many;
        for (name, child) in other.children {
            let own = self.children.entry(name).or_default();
            own.present += child.present;
            own.node.merge(child.node);
        }
        if let Some(mapped) = other.mapped {
            let own = self.mapped.get_or_insert_default();
            own.kinds.extend(mapped.kinds);
            own.entries += mapped.entries;
            own.node.merge(mapped.node);
        }
        if let Some(elements) = other.elements {
            self.elements.get_or_insert_default().merge(*elements);
        }
    }

    /// The places within this one.
    pub(super) fn within_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        let mapped = self.mapped.iter_mut().map(|mapped| &mut mapped.node);
        let elements = self.elements.iter_mut().map(|elements| &mut **elements);
        self.children.values_mut().map(|child| &mut child.node).chain(mapped).chain(elements)
    }

    fn within(&self) -> impl Iterator<Item = &Self> {
        let mapped = self.mapped.iter().map(|mapped| &mapped.node);
        let elements = self.elements.iter().map(|elements| &**elements);
        self.children.values().map(|child| &child.node).chain(mapped).chain(elements)
    }

    /// Whether something lies too deep, here or within.
    pub(super) fn is_cut(&self) -> bool {
        self.too_deep > 0 || self.within().any(Self::is_cut)
    }

    /// Whether there were too many names, here or within.
    pub(super) fn is_crowded(&self) -> bool {
        self.too_many > 0 || self.within().any(Self::is_crowded)
    }

    /// What was seen, in the model's words. Each object is of a document of its own that was picked at random, or not.
    pub(super) fn told(self, is_random: bool) -> Observed {
        let values: u64 = self.types.values().sum();
        let told = |(name, count): (&str, u64)| ObservedType {
            name: name.to_owned(),
            count,
            share: share::share(count, values),
        };
        let mut types: Vec<ObservedType> = self.types.into_iter().map(told).collect();
        // Those that are as frequent stay in the order of their names.
        types.sort_by_key(|observed| std::cmp::Reverse(observed.count));
        let fields = self.children.into_iter().map(|(name, Child { present, node })| ObservedField {
            name,
            presence: share::presence(present, self.objects, is_random),
            values: node.told(is_random),
        });
        Observed {
            types,
            fields: fields.collect(),
            map: self.mapped.map(|mapped| {
                let Mapped { kinds, entries, node } = *mapped;
                Box::new(ObservedMap { keys: kinds.into_iter().collect(), entries, values: node.told(false) })
            }),
            elements: self.elements.map(|elements| Box::new(elements.told(false))),
            too_deep: self.too_deep,
            too_many: self.too_many,
        }
    }
}
