//! What `list` found.

use links::volume::VolumeStats;
use links::{Found, Name};
use serde::{Serialize, Serializer};

use super::ErrorRecord;
use super::link::Record;

/// What `list` found, and what it could not read.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    #[serde(serialize_with = "records")]
    pub(crate) links: &'a [Found],
    pub(crate) errors: Vec<ErrorRecord>,
    /// How volumes were read, where that was asked for: one for each volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stats: Option<Vec<StatsRecord>>,
}

/// One record after the other: all of them at once would double the memory of a list.
fn records<S: Serializer>(found: &[Found], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(found.iter().map(Record::from))
}

record! {
    /// What reading a volume took.
    StatsRecord of read: &(Option<u32>, VolumeStats),
        stats = &read.1
    => {
        partition: Option<u32> = read.0,
        way: &'static str = stats.way.as_str(),
        bytes: u64 = stats.bytes,
        reads: u64 = stats.reads,
        records: u64 = stats.records,
        stale: u64 = stats.stale,
        index_bytes: u64 = stats.index_bytes,
        link_records: u64 = stats.link_records,
        parent_records: u64 = stats.parent_records,
        record_size: u64 = stats.record_size,
        mft_bytes: u64 = stats.mft_bytes,
        milliseconds: f64 = stats.time.as_secs_f64() * 1e3,
    }
}

/// How many links there are, of what sort and where.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) links: u64,
    pub(crate) broken: u64,
    pub(crate) kinds: Vec<Row>,
    pub(crate) states: Vec<Row>,
    pub(crate) filesystems: Vec<Row>,
    pub(crate) directories: Vec<Row>,
    pub(crate) errors: Vec<ErrorRecord>,
}

#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: Name,
    pub(crate) links: u64,
}
