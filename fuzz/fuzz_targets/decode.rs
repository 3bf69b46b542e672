//! Any bytes are read or refused; what is read can be shown, and written and read again as the same value.
#![no_main]
#![allow(clippy::disallowed_methods)] // the macro, on request, writes what it made of the input to a file

use libfuzzer_sys::fuzz_target;
use reparse::{EncodeError, MountPoint, ReparseData, Symlink, WideString, path};

fuzz_target!(|bytes: &[u8]| {
    let data = match ReparseData::decode(bytes) {
        Ok(data) => data,
        Err(error) => {
            assert!(error.offset <= bytes.len(), "{error}");
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    if let Some(target) = data.target() {
        show(&target);
    }
    match &data {
        ReparseData::Symlink(link) => show(&link.destination()),
        ReparseData::MountPoint(link) => show(&link.destination()),
        _ => {}
    }
    assert!(!format!("{data:?} {:?}", data.tag()).is_empty());
    match data.encode() {
        Ok(again) => assert_eq!(ReparseData::decode(&again).as_ref(), Ok(&data)),
        // The two names of a link may share bytes; side by side, as they are written, they need more room. So may an
        // app alias that fills the buffer without a last NUL.
        Err(EncodeError::TooLong { .. }) => {}
        Err(error) => panic!("{data:?}: {error}"),
    }
});

/// Everything that is done with a stored name.
fn show(name: &WideString) {
    assert_eq!(name.to_string(), String::from_utf16_lossy(name.units()));
    assert_eq!(WideString::from_wtf8(&name.to_wtf8()).as_ref(), Some(name));
    if let Some(full) = path::normalise(name) {
        assert_eq!(path::normalise(&full).as_ref(), Some(&full));
    }
    for link in [Symlink::new(name).map(ReparseData::from), MountPoint::junction(name).map(ReparseData::from)] {
        if let Ok(link) = link
            && let Ok(bytes) = link.encode()
        {
            assert_eq!(ReparseData::decode(&bytes), Ok(link));
        }
    }
}
