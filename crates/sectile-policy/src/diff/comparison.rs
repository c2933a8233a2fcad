//! Compares the facts of two binaries.

use std::collections::BTreeMap;

use super::explained::is_explained;
use super::fact::{Fact, FactKey};
use super::{Aspect, BinaryFacts, Difference, FactValue};

/// The result of comparing two binaries.
#[derive(Clone, Debug)]
pub struct Comparison {
    differences: Vec<Difference>,
    not_compared: Vec<Aspect>,
    is_content_equal: Option<bool>,
    is_complete: bool,
}

impl Comparison {
    /// The differences, by item and aspect.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Whether everything that was compared is equal.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }

    /// The aspects that only one of the two has.
    pub fn not_compared(&self) -> &[Aspect] {
        &self.not_compared
    }

    /// Whether everything but custom sections is equal; `None` if it was not compared.
    pub fn is_content_equal(&self) -> Option<bool> {
        self.is_content_equal
    }

    /// Whether both binaries were read to their end.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// Compares the facts of two binaries.
///
/// A section is a difference if the number or the size of the sections of its name differs, and the decoded values of
/// the item do not explain it. Aspects that only one of the two has are not compared.
pub fn compare(old: &BinaryFacts, new: &BinaryFacts) -> Comparison {
    let both_know = |aspect| old.known.contains(aspect) && new.known.contains(aspect);
    let [of_old, of_new] =
        [old, new].map(|side| side.facts.iter().filter(|fact| both_know(fact.key.aspect)).collect::<Vec<_>>());
    let mut differences = unequal(of_old, of_new);
    let sections = match ((&old.sections, &new.sections), (&old.totals, &new.totals)) {
        ((Some(old), Some(new)), _) => Some((old, new, true)),
        (_, (Some(old), Some(new))) => Some((old, new, false)),
        _ => None,
    };
    if let Some((old, new, by_item)) = sections {
        let of_sections = unequal(old.iter().collect(), new.iter().collect());
        let unexplained = of_sections.into_iter().filter(|section| !is_explained(section, &differences, by_item));
        let unexplained: Vec<Difference> = unexplained.collect();
        differences.extend(unexplained);
    }
    differences.sort_by(|a, b| a.key.cmp(&b.key));
    let knows_either = |aspect| old.known.contains(aspect) || new.known.contains(aspect);
    let has_sections = |facts: &BinaryFacts| facts.totals.is_some();
    let is_only_in_one = |aspect: &Aspect| match aspect {
        Aspect::Section => has_sections(old) != has_sections(new),
        aspect => knows_either(*aspect) && !both_know(*aspect),
    };
    let has_other_content = differences.iter().any(|difference| difference.aspect() == Aspect::Content);
    Comparison {
        not_compared: Aspect::ALL.into_iter().filter(is_only_in_one).collect(),
        is_content_equal: both_know(Aspect::Content).then_some(!has_other_content),
        is_complete: old.is_complete && new.is_complete,
        differences,
    }
}

/// The differences of two lists of facts. Facts with the same key are paired in order, equal ones first.
fn unequal(old: Vec<&Fact>, new: Vec<&Fact>) -> Vec<Difference> {
    let mut by_key = BTreeMap::<&FactKey, [Vec<&FactValue>; 2]>::new();
    for (side, facts) in [old, new].into_iter().enumerate() {
        for fact in facts {
            by_key.entry(&fact.key).or_default()[side].push(&fact.value);
        }
    }
    let mut differences = Vec::new();
    for (key, [old, new]) in by_key {
        let (old, new) = without_common(old, new);
        for nth in 0..old.len().max(new.len()) {
            let value = |values: &[&FactValue]| values.get(nth).map(|value| (*value).clone());
            differences.push(Difference { key: key.clone(), old: value(&old), new: value(&new) });
        }
    }
    differences
}

/// Removes the values that both lists have, each as often as both have it, and sorts the others.
fn without_common<'f>(
    mut old: Vec<&'f FactValue>,
    mut new: Vec<&'f FactValue>,
) -> (Vec<&'f FactValue>, Vec<&'f FactValue>) {
    old.sort_unstable();
    new.sort_unstable();
    let (mut only_old, mut only_new) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        match (olds.peek(), news.peek()) {
            (Some(a), Some(b)) if a == b => {
                olds.next();
                news.next();
            }
            (Some(a), Some(b)) if a < b => only_old.extend(olds.next()),
            (_, Some(_)) => only_new.extend(news.next()),
            (Some(_), None) => only_old.extend(olds.next()),
            (None, None) => return (only_old, only_new),
        }
    }
}
