//! Links whose target is on a volume that is not mounted: they are not broken, their volume is away.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{State, Target, Volume};
use crate::platform::Spot;
use crate::read::chain::{self, Chain};

/// A link that leads nowhere.
pub struct Nowhere<'a> {
    /// What it says.
    pub target: &'a Target,
    spot: Spot<'a>,
    /// The path at which nothing was found.
    wanted: &'a dyn Fn() -> Option<PathBuf>,
}

impl Nowhere<'_> {
    /// The link, by its path without links.
    #[must_use]
    pub fn link(&self) -> Option<PathBuf> {
        Some(self.spot.directory.physical_path().ok()?.join(self.spot.name))
    }

    /// The path at which nothing was found: costs a look at each part of it.
    #[must_use]
    pub fn wanted(&self) -> Option<PathBuf> {
        (self.wanted)()
    }
}

/// Tells on which volume the target of a link was that leads nowhere, if that is not mounted now. It is asked for such
/// links alone.
#[derive(Clone)]
pub struct VolumesAway(Arc<Asked>);

type Asked = dyn Fn(&Nowhere<'_>) -> Option<Volume> + Send + Sync;

impl VolumesAway {
    /// Asks this.
    pub fn new(asked: impl Fn(&Nowhere<'_>) -> Option<Volume> + Send + Sync + 'static) -> Self {
        Self(Arc::new(asked))
    }

    /// The state of a link that leads nowhere, and the volume that is away.
    pub(crate) fn state(
        &self,
        spot: Spot<'_>,
        target: &Target,
        wanted: &dyn Fn() -> Option<PathBuf>,
    ) -> (State, Option<Box<Volume>>) {
        match (self.0)(&Nowhere { target, spot, wanted }) {
            Some(volume) => (State::Unreachable, Some(Box::new(volume))),
            None => (State::Missing, None),
        }
    }

    /// The same of a link that was not followed yet.
    pub(crate) fn follow(&self, spot: Spot<'_>, target: &Target, drive: char) -> (State, Option<Box<Volume>>) {
        self.state(spot, target, &|| wanted(&chain::follow(spot, drive)))
    }
}

/// Where the link of a chain that failed would lead.
pub(crate) fn wanted(chain: &Chain) -> Option<PathBuf> {
    chain.wanted.clone().or_else(|| chain.failed_at.clone())
}

impl fmt::Debug for VolumesAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VolumesAway")
    }
}
