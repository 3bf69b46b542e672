//! What `list` found.

use links::Name;
use links::volume::VolumeStats;
use serde::Serialize;

use super::ErrorRecord;
use super::link::Record;

/// What `list` found, and what it could not read.
#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) links: Vec<Record>,
    pub(crate) errors: Vec<ErrorRecord>,
    /// How volumes were read, where that was asked for: one for each volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stats: Option<Vec<StatsRecord>>,
}

/// What reading a volume took.
#[derive(Serialize)]
pub(crate) struct StatsRecord {
    partition: Option<u32>,
    way: &'static str,
    bytes: u64,
    reads: u64,
    records: u64,
    stale: u64,
    index_bytes: u64,
    link_records: u64,
    parent_records: u64,
    record_size: u64,
    mft_bytes: u64,
    milliseconds: f64,
}

impl StatsRecord {
    pub(crate) fn new(partition: Option<u32>, stats: &VolumeStats) -> Self {
        Self {
            partition,
            way: stats.way.as_str(),
            bytes: stats.bytes,
            reads: stats.reads,
            records: stats.records,
            stale: stats.stale,
            index_bytes: stats.index_bytes,
            link_records: stats.link_records,
            parent_records: stats.parent_records,
            record_size: stats.record_size,
            mft_bytes: stats.mft_bytes,
            milliseconds: stats.time.as_secs_f64() * 1e3,
        }
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
