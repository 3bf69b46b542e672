//! B-trees of NTFS: directories (`$I30`) and views such as `$R`.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::Error;
use crate::bytes::{length_at, slice, u16_at, u32_at, u64_at};
use crate::record::{Reference, kind};
use crate::runs::Stream;
use crate::source::ReadAt;
use crate::volume::{File, Volume};

/// `$I30`, the index of names.
pub(crate) const NAMES: &[u16] = &[0x24, 0x49, 0x33, 0x30];

/// No B-tree of as many names as there may be is deeper, even with blocks for a few of the longest.
const DEEPEST: usize = 24;

/// The blocks of an index: the root in the record, the others in clusters.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    root: Vec<u8>,
    blocks: Option<Stream>,
    /// The size of a block in bytes.
    block: usize,
    /// What the number of a block counts, in bytes.
    unit: u64,
    record: u64,
    position: u64,
    /// Whether its keys are names, each of which says in which directory it stands.
    of_names: bool,
}

/// One entry of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// The file that a name means; of a view, where its data is.
    pub(crate) reference: Reference,
    /// Empty in the last entry of a node.
    pub(crate) key: &'a [u8],
    /// The node with all that comes before this entry.
    pub(crate) child: Option<u64>,
    pub(crate) is_last: bool,
}

impl Entry<'_> {
    fn is_in(&self, directory: u64) -> bool {
        u64_at(self.key, 0).is_none_or(|parent| Reference(parent).record() == directory)
    }
}

impl Index {
    /// The index of a file. `None` where it has none.
    pub(crate) fn of<S: ReadAt>(volume: &Volume<S>, file: &File, name: &[u16]) -> Result<Option<Self>, Error> {
        let (number, position) = (file.base.number, file.base.position);
        let fail = |text| Error::damaged(position, text).of(number);
        let roots = file.pieces(kind::INDEX_ROOT, name).map_err(fail)?;
        let Some(root) = roots.first().and_then(crate::record::Attribute::resident) else { return Ok(None) };
        let (block, _) = crate::volume::root_sizes(root).ok_or_else(|| fail("an index that is too short"))?;
        if !block.is_power_of_two() || !(512..=65_536).contains(&block) {
            return Err(fail("an index with blocks of a size that none has"));
        }
        let pieces = file.pieces(kind::INDEX_ALLOCATION, name).map_err(fail)?;
        let blocks = volume.stream(&pieces).map_err(fail)?;
        let cluster = volume.geometry.cluster;
        // Blocks that are shorter than a cluster are counted in sectors.
        let unit = if u64::try_from(block).is_ok_and(|block| block < cluster) { 512 } else { cluster };
        Ok(Some(Self { root: root.to_vec(), blocks, block, unit, record: number, position, of_names: name == NAMES }))
    }

    /// The size of its blocks outside the record, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.blocks.as_ref().map_or(0, |blocks| blocks.size)
    }

    pub(crate) fn root(&self) -> Result<Node<'_>, Error> {
        Node::new(&self.root, 0x10).ok_or_else(|| self.damaged("an index that is too short"))
    }

    fn damaged(&self, text: &'static str) -> Error {
        Error::damaged(self.position, text).of(self.record)
    }

    /// A block, by its number.
    pub(crate) fn block<S: ReadAt>(&self, volume: &Volume<S>, number: u64) -> Result<Vec<u8>, Error> {
        let blocks = self.blocks.as_ref().ok_or_else(|| self.damaged("an index whose blocks are missing"))?;
        let at = number.checked_mul(self.unit).ok_or_else(|| self.damaged("a block outside its index"))?;
        let bytes = volume.block(blocks, at, self.block).map_err(|error| error.of(self.record))?;
        if u64_at(&bytes, 0x10) != Some(number) {
            return Err(self.damaged("an index block in the place of another"));
        }
        Ok(bytes)
    }

    /// Every entry, in the order of blocks. What a damaged block holds is missing, and told.
    pub(crate) fn visit<S: ReadAt>(
        &self,
        volume: &Volume<S>,
        faults: &mut Vec<Error>,
        mut visit: impl FnMut(Entry<'_>),
    ) {
        let mut met = HashSet::new();
        let mut level = Vec::new();
        let mut node = |node: Result<Node<'_>, Error>, level: &mut Vec<u64>, faults: &mut Vec<Error>| {
            let entries = node.map(|node| node.entries(self));
            match entries {
                Ok(entries) => {
                    for entry in entries {
                        match entry {
                            Ok(entry) => {
                                if let Some(child) = entry.child {
                                    // A cycle, or two ways to one block, would be read for ever.
                                    if met.insert(child) {
                                        level.push(child);
                                    } else {
                                        faults.push(self.damaged("an index that comes back to one of its blocks"));
                                    }
                                }
                                if !entry.is_last {
                                    visit(entry);
                                }
                            }
                            Err(error) => faults.push(error),
                        }
                    }
                }
                Err(error) => faults.push(error),
            }
        };
        node(self.root(), &mut level, faults);
        for depth in 0.. {
            if level.is_empty() {
                break;
            }
            if depth == DEEPEST {
                faults.push(self.damaged("an index that does not end"));
                break;
            }
            level.sort_unstable();
            for number in std::mem::take(&mut level) {
                match self.block(volume, number) {
                    Ok(bytes) => {
                        let parsed =
                            Node::of_block(&bytes).ok_or_else(|| self.damaged("an index block that is too short"));
                        node(parsed, &mut level, faults);
                    }
                    Err(error) => faults.push(error),
                }
            }
        }
    }

    /// Looks a key up. `compare` tells how the key that is looked for stands to that of an entry; `met` sees every entry
    /// on the way, among them the two between which the key stands.
    pub(crate) fn find(
        &self,
        mut block: impl FnMut(u64) -> Result<std::sync::Arc<Vec<u8>>, Error>,
        mut compare: impl FnMut(&[u8]) -> Ordering,
        mut met: impl FnMut(Entry<'_>),
    ) -> Result<(), Error> {
        let mut step = |node: Node<'_>| -> Result<Option<u64>, Error> {
            for entry in node.entries(self) {
                let entry = entry?;
                if entry.is_last {
                    return Ok(entry.child);
                }
                let order = compare(entry.key);
                if order != Ordering::Less {
                    met(entry);
                }
                match order {
                    Ordering::Equal => return Ok(None),
                    Ordering::Less => {
                        met(entry);
                        return Ok(entry.child);
                    }
                    Ordering::Greater => {}
                }
            }
            Ok(None)
        };
        let mut next = step(self.root()?)?;
        let mut passed = Vec::new();
        for _ in 0..DEEPEST {
            let Some(number) = next else { return Ok(()) };
            if passed.contains(&number) {
                return Err(self.damaged("an index that comes back to one of its blocks"));
            }
            passed.push(number);
            let bytes = block(number)?;
            next = step(Node::of_block(&bytes).ok_or_else(|| self.damaged("an index block that is too short"))?)?;
        }
        Err(self.damaged("an index that does not end"))
    }
}

/// The entries of a root or a block.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    entries: &'a [u8],
    has_children: bool,
}

impl<'a> Node<'a> {
    pub(crate) fn of_block(block: &'a [u8]) -> Option<Self> {
        Self::new(block, 0x18)
    }

    /// `at` is where its header is.
    fn new(bytes: &'a [u8], at: usize) -> Option<Self> {
        let first = length_at(bytes, at)?;
        let end = length_at(bytes, at + 4)?;
        let has_children = u32_at(bytes, at + 0xc)? & 1 != 0;
        let entries = slice(bytes, at.checked_add(first)?, end.checked_sub(first)?)?;
        Some(Self { entries, has_children })
    }

    fn entries(self, index: &Index) -> impl Iterator<Item = Result<Entry<'a>, Error>> {
        let mut rest = Some(self.entries);
        std::iter::from_fn(move || {
            let bytes = rest.take()?;
            let parsed = parse(bytes, self.has_children);
            match parsed {
                // Blocks of another directory: any number could share them, and have them read for each.
                Some((entry, _)) if index.of_names && !entry.is_last && !entry.is_in(index.record) => {
                    Some(Err(index.damaged("an index with a name of another directory")))
                }
                Some((entry, behind)) => {
                    if !entry.is_last {
                        rest = Some(behind);
                    }
                    Some(Ok(entry))
                }
                None => Some(Err(index.damaged("an index with an entry that runs out of it"))),
            }
        })
    }
}

fn parse(bytes: &[u8], has_children: bool) -> Option<(Entry<'_>, &[u8])> {
    let length = usize::from(u16_at(bytes, 8)?);
    let key_length = usize::from(u16_at(bytes, 0xa)?);
    let flags = u16_at(bytes, 0xc)?;
    let (entry, behind) = bytes.split_at_checked(length).filter(|_| length >= 0x10)?;
    let is_last = flags & 2 != 0;
    let child = if flags & 1 != 0 && has_children { Some(u64_at(entry, length.checked_sub(8)?)?) } else { None };
    let key = if is_last { &[] } else { slice(entry, 0x10, key_length)? };
    Some((Entry { reference: Reference(u64_at(entry, 0)?), key, child, is_last }, behind))
}
