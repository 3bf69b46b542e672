//! Filled volumes, each made once for all tests of this program.

use std::sync::OnceLock;

use testkit::ntfs_volumes::{Expected, fill, walk};

use super::*;

/// A filled volume of one shape, unmounted, and what was found on its mount.
pub struct Filled {
    pub shape: &'static Shape,
    /// It has no name any more: nothing is left when the tests end.
    image: File,
    pub expected: Expected,
    /// What the live walker said of the mount; paths are those of the volume.
    pub live: Vec<Live>,
}

/// One row of `list --json` on the mount.
pub struct Live {
    pub path: String,
    pub resolved: Option<String>,
    pub link: Value,
}

impl Filled {
    /// The one with this number in [`SHAPES`].
    pub fn of(number: usize) -> &'static Filled {
        static ALL: [OnceLock<Filled>; SHAPES.len()] = [const { OnceLock::new() }; SHAPES.len()];
        ALL[number].get_or_init(|| Filled::new(&SHAPES[number]))
    }

    fn new(shape: &'static Shape) -> Filled {
        let mut volume = shape.volume();
        fill(&volume);
        volume.remount();
        let expected = walk(&volume);
        let listed = Linkctl::new().output([OsStr::new("list"), OsStr::new("--json"), volume.path().as_os_str()]);
        // Some of its directories only Windows can enter.
        let live = links(&listed.exits(3).json());
        let live = live.into_iter().map(|link| Live {
            path: on_volume(&volume, &link["path"]),
            resolved: link.get("resolved").filter(|path| !path.is_null()).map(|path| on_volume(&volume, path)),
            link,
        });
        let live = live.collect();
        volume.unmount();
        Filled { shape, image: File::open(volume.image()).unwrap(), expected, live }
    }

    /// The image, to be read.
    pub fn source(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        format!("/proc/{}/fd/{}", std::process::id(), self.image.as_raw_fd()).into()
    }

    /// An image of the test's own, to be changed, and the directory that holds it.
    pub fn copy(&self) -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        fs::copy(self.source(), &image).unwrap();
        (dir, image)
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.source()).unwrap()
    }

    /// A mounted copy.
    pub fn mounted(&self) -> Volume {
        let mut volume = Volume::ntfs(self.shape.size, &[], self.shape.mount);
        volume.unmount();
        fs::copy(self.source(), volume.image()).unwrap();
        volume.mount();
        volume
    }

    pub fn expected_link(&self, path: &str) -> &ExpectedLink {
        self.expected.links.iter().find(|link| link.path == path).unwrap_or_else(|| panic!("{path}"))
    }
}

/// A path on a mount, as it is on the volume.
pub fn on_volume(volume: &Volume, path: &Value) -> String {
    let bytes = name(path);
    let root = volume.path();
    let below = bytes.strip_prefix(root.as_os_str().as_bytes());
    let Some(below) = below else { return String::from_utf8_lossy(&bytes).into_owned() };
    let below: Vec<u8> = below.iter().map(|byte| if *byte == b'/' { b'\\' } else { *byte }).collect();
    let below = WideString::from_wtf8(&below).unwrap().to_string();
    if below.is_empty() { r"C:\".to_owned() } else { format!("C:{below}") }
}
