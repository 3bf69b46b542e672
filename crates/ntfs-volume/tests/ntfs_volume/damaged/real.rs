//! A real volume, cut off.

use std::fs::{self, create_dir_all};

use ntfs_volume::{Contents, End, contents};
use testkit::ntfs::set_reparse;
use testkit::{Fs, Volume, tree};

use super::image::{junction, symlink, wide};
use super::survey::survey;

#[test]
fn an_image_that_ends_anywhere_is_read_as_far_as_it_goes() {
    let mut volume = Volume::ntfs(4 << 20, &["-c", "1024"], "");
    assert_eq!(volume.fs(), Fs::Ntfs);
    let at = |name: &str| volume.path().join(name);
    tree!(volume.path(), { "Real/deep/f" => file("text"), "link" => file(""), "many/0" => file("") });
    for other in 1..100 {
        fs::hard_link(at("many/0"), at(&format!("many/a name of some length, number {other}"))).unwrap();
    }
    create_dir_all(at("junction")).unwrap();
    set_reparse(at("junction"), &junction(r"C:\Real"));
    set_reparse(at("link"), &symlink(&wide(r"Real\deep")));
    volume.unmount();
    let image = fs::read(volume.image()).unwrap();
    let whole = survey(&image).unwrap();
    assert_eq!(whole.scan.links, [(r"\junction".to_owned(), End::Ok), (r"\link".to_owned(), End::WrongKind)]);
    assert_eq!((whole.hard.len(), whole.hard[0].1), (1, 100));
    let mut readable = 0;
    for length in (0..image.len()).step_by(64 << 10).chain([511, 512, 513, image.len() - 1]) {
        let cut = &image[..length];
        assert_eq!(contents(&cut).unwrap() == Contents::Volume, length > 0, "{length}");
        let Ok(found) = survey(cut) else { continue };
        readable += 1;
        assert!(found.scan.links.iter().all(|link| link.0 == r"\junction" || link.0 == r"\link"), "{length}");
        assert!(found.bytes <= 8 * whole.bytes, "{length}: {} bytes", found.bytes);
    }
    assert!(readable > 40, "{readable}");
}
