//! Shrinks a case whose module is hidden: as many choices as possible become honest.

use std::collections::BTreeSet;

use super::comparison::Workshop;
use super::generator::Case;

/// Returns the simplest case found that still hides a module that one of these readers extracts.
pub(crate) fn shrink(workshop: &Workshop, mut case: Case, readers: &BTreeSet<String>) -> Case {
    const ROUNDS: usize = 60;
    // Readers of one language run together, and share its name.
    let reads = |name: &str| readers.iter().any(|reader| reader == name || reader.starts_with(&format!("{name} ")));
    let is_one = |name: &str| readers.contains(name);
    for _ in 0..ROUNDS {
        let candidates = candidates(&case);
        let mut comparison = workshop.compare_with(&candidates, 1, &reads);
        comparison.extractions.retain(|extraction| is_one(&extraction.reader));
        let hidden = comparison.hidden();
        let simplest = hidden.keys().map(|&nth| &candidates[nth]).min_by_key(|candidate| complexity(candidate));
        match simplest.filter(|simplest| complexity(simplest) < complexity(&case)) {
            Some(simplest) => case = simplest.clone(),
            None => break,
        }
    }
    case
}

fn complexity(case: &Case) -> (usize, usize, u64) {
    let dishonest = case.choices.iter().filter(|&&choice| choice != 0).count();
    (case.recipe.len(), dishonest, case.choices.iter().map(|&choice| u64::from(choice)).sum())
}

/// The case with each range of its choices made honest or removed, in halves, quarters, and so on.
fn candidates(case: &Case) -> Vec<Case> {
    let choices = &case.choices;
    let mut all = Vec::new();
    let mut len = choices.len().next_power_of_two() / 2;
    while len > 0 {
        for start in (0..choices.len()).step_by(len) {
            let range = start..(start + len).min(choices.len());
            if choices[range.clone()].iter().any(|&choice| choice != 0) {
                let mut honest = choices.clone();
                honest[range.clone()].fill(0);
                all.push(honest);
            }
            if len > 1 {
                let mut shorter = choices.clone();
                shorter.drain(range);
                all.push(shorter);
            }
        }
        len /= 2;
    }
    all.sort();
    all.dedup();
    let mut cases: Vec<Case> = all.into_iter().map(Case::replay).collect();
    cases.retain(|candidate| complexity(candidate) < complexity(case));
    cases.sort_by_key(complexity);
    cases.truncate(120);
    cases
}
