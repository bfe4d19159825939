//! Hosts that have the same to say, on one line.
//!
//! Hosts work side by side, so what one of them says is held back for a moment: others may say the same. Each host's lines keep
//! their order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::block::Block;

/// A block and the hosts that it is about, in the order in which they said it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) block: Arc<Block>,
    pub(super) hosts: Vec<String>,
    /// When the first of them said it, in milliseconds of the run.
    since: u64,
}

/// What is held back.
pub(super) struct Held {
    /// How long, in milliseconds.
    patience: u64,
    groups: VecDeque<Group>,
    /// The number of the first of the groups, counted from the beginning of the play.
    first: usize,
    /// Per block, the numbers of the groups with it, in order.
    alike: HashMap<Arc<Block>, VecDeque<usize>>,
    /// Per host, the number of the group after its last one.
    next: HashMap<String, usize>,
}

impl Held {
    /// Holds nothing back for longer than `patience`, in milliseconds.
    pub(super) fn new(patience: u64) -> Self {
        Self { patience, groups: VecDeque::new(), first: 0, alike: HashMap::new(), next: HashMap::new() }
    }

    /// Forgets who has said what: each host may say it again.
    pub(super) fn begin_again(&mut self) {
        *self = Self::new(self.patience);
    }

    /// A host says something at the time `at`.
    pub(super) fn add(&mut self, host: &str, block: Block, at: u64) {
        let block = Arc::new(block);
        let earliest = self.next.get(host).copied().unwrap_or_default();
        let alike = self.alike.entry(Arc::clone(&block)).or_default();
        let joined = alike.get(alike.partition_point(|number| *number < earliest)).copied();
        let number = joined.unwrap_or(self.first + self.groups.len());
        match self.groups.get_mut(number - self.first) {
            Some(group) => group.hosts.push(host.to_owned()),
            None => {
                alike.push_back(number);
                self.groups.push_back(Group { block, hosts: vec![host.to_owned()], since: at });
            }
        }
        self.next.insert(host.to_owned(), number + 1);
    }

    /// The first group, if it need not be held back any longer: it is about all `hosts` of the play, or has waited enough by now.
    pub(super) fn due(&mut self, hosts: usize, now: u64) -> Option<Group> {
        let group = self.groups.front()?;
        let is_due = group.hosts.len() >= hosts || now.saturating_sub(group.since) >= self.patience;
        if is_due { self.take() } else { None }
    }

    /// The first group.
    pub(super) fn take(&mut self) -> Option<Group> {
        let group = self.groups.pop_front()?;
        self.first += 1;
        if let Some(alike) = self.alike.get_mut(&group.block) {
            alike.pop_front();
            if alike.is_empty() {
                self.alike.remove(&group.block);
            }
        }
        Some(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: u64 = 1000;

    fn block(text: &str) -> Block {
        Block { text: text.to_owned(), ..Block::default() }
    }

    /// What hosts say, as `host:text`, all at once.
    fn said(words: &str) -> Held {
        let mut held = Held::new(PATIENCE);
        for word in words.split_whitespace() {
            let (host, text) = word.split_once(':').unwrap();
            held.add(host, block(text), 0);
        }
        held
    }

    fn all(mut held: Held) -> String {
        let groups = std::iter::from_fn(|| held.take());
        let words: Vec<String> =
            groups.map(|group| format!("{}:{}", group.hosts.join("+"), group.block.text)).collect();
        words.join(" ")
    }

    #[test]
    fn what_is_the_same_is_said_once_and_each_host_keeps_its_order() {
        for (words, expected) in [
            ("a:1 b:1 c:1", "a+b+c:1"),
            ("a:1 a:2 b:1 b:2", "a+b:1 a+b:2"),
            ("a:1 a:2 b:2 b:1", "a:1 a+b:2 b:1"),
            ("a:- a:- b:-", "a+b:- a:-"),
            ("a:- a:- b:- b:- b:-", "a+b:- a+b:- b:-"),
            ("a:1 b:x a:2 b:2 b:1", "a:1 b:x a+b:2 b:1"),
        ] {
            assert_eq!(all(said(words)), expected, "{words}");
        }
    }

    #[test]
    fn nothing_waits_for_hosts_that_have_said_it_nor_for_long() {
        let mut held = said("a:1 b:1 a:2");
        assert_eq!(held.due(2, 0).map(|group| group.hosts.len()), Some(2));
        assert_eq!(held.due(2, PATIENCE - 1), None);
        held.add("b", block("3"), PATIENCE);
        assert_eq!(held.due(2, PATIENCE).map(|group| group.block.text.clone()).as_deref(), Some("2"));
        assert_eq!(held.due(2, PATIENCE), None);
        // What has been said is not held back any more: it can't be joined.
        held.add("b", block("2"), PATIENCE);
        assert_eq!(all(held), "b:3 b:2");
    }
}
