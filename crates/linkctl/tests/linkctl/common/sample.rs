//! Sweeps: `cargo xtask test` runs a seeded sample of each, with at least one of every kind; `cargo xtask torture` all.

use std::collections::BTreeMap;

/// Whether everything is run and not a sample: with `LINKCTL_TORTURE` set.
pub(crate) fn the_whole() -> bool {
    std::env::var_os("LINKCTL_TORTURE").is_some()
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    /// Prints the seed. `LINKCTL_TEST_SEED` gives another one.
    pub(crate) fn new(seed: u64) -> Dice {
        let given = std::env::var("LINKCTL_TEST_SEED").ok().map(|text| text.parse::<u64>().unwrap());
        let seed = given.map_or(seed, |given| given.wrapping_add(seed));
        println!("seed {seed}");
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    /// At most `n` of these, in their order; all of them if the whole is asked for.
    pub(crate) fn some<T>(&mut self, mut all: Vec<T>, n: usize) -> Vec<T> {
        while all.len() > n && !the_whole() {
            all.remove(self.below(all.len()));
        }
        all
    }

    /// At most `n` of each kind, in their order; all of them if the whole is asked for.
    pub(crate) fn some_of_each<T, K: Ord>(&mut self, all: Vec<T>, n: usize, kind: impl Fn(&T) -> K) -> Vec<T> {
        let mut kinds: BTreeMap<K, Vec<T>> = BTreeMap::new();
        for one in all {
            kinds.entry(kind(&one)).or_default().push(one);
        }
        kinds.into_values().flat_map(|of_kind| self.some(of_kind, n)).collect()
    }

    /// One of these; all of them if the whole is asked for.
    pub(crate) fn one_of<T>(&mut self, all: Vec<T>) -> Vec<T> {
        self.some(all, 1)
    }
}
