use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

static SINK: AtomicUsize = AtomicUsize::new(0);

#[inline(always)]
fn innermost(x: usize) -> usize {
    SINK.store(x, Ordering::SeqCst); // line:innermost
    SINK.load(Ordering::SeqCst) * 3
}

#[inline(always)]
fn middle(x: usize) -> usize {
    innermost(x + 1) + 1 // line:middle
}

#[inline(never)]
pub fn outer(x: usize) -> usize {
    middle(x) + 2 // line:outer
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for w in words.iter() {
        *counts.entry(w.clone()).or_default() += outer(w.len());
    }
    println!("{:?} {}", counts, SINK.load(Ordering::SeqCst));
}
