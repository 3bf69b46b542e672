//! Gives the Windows program its manifest: paths longer than 260 units, UTF-8, Windows 7 to 11.

use embed_manifest::manifest::{ActiveCodePage, Setting, SupportedOS};
use embed_manifest::{embed_manifest, new_manifest};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return;
    }
    let manifest = new_manifest("linkctl")
        .supported_os(SupportedOS::Windows7..=SupportedOS::Windows10)
        .active_code_page(ActiveCodePage::Utf8)
        .long_path_aware(Setting::Enabled);
    if let Err(error) = embed_manifest(manifest) {
        println!("cargo::error=the manifest could not be embedded: {error}");
    }
}
