//! Names in JSON: `{"text": "..."}`, or where they are not Unicode `{"bytes": "<base64>"}`.

use std::ffi::{OsStr, OsString};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::platform::{from_bytes, to_bytes};

/// A file name or path that survives JSON whatever its bytes are.
///
/// ```
/// let name = links::Name(std::ffi::OsString::from("a\nb"));
/// let json = serde_json::to_string(&name)?;
/// assert_eq!(json, r#"{"text":"a\nb"}"#);
/// assert_eq!(serde_json::from_str::<links::Name>(&json)?, name);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name<T = OsString>(pub T);

/// A name by its bytes: those of the system on Linux, WTF-8 on Windows.
#[must_use]
pub fn name_from_bytes(bytes: Vec<u8>) -> OsString {
    from_bytes(bytes)
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wire {
    Text(String),
    Bytes(String),
}

/// As [`Wire`] would be; text is not copied.
fn serialize<S: Serializer>(name: &OsStr, serializer: S) -> Result<S::Ok, S::Error> {
    match name.to_str() {
        Some(text) => serializer.serialize_newtype_variant("Wire", 0, "text", text),
        None => {
            let code = STANDARD.encode(to_bytes(name));
            serializer.serialize_newtype_variant("Wire", 1, "bytes", &code)
        }
    }
}

fn from_wire<E: serde::de::Error>(wire: Wire) -> Result<OsString, E> {
    match wire {
        Wire::Text(text) => Ok(text.into()),
        Wire::Bytes(code) => STANDARD.decode(code).map(from_bytes).map_err(E::custom),
    }
}

impl<T: AsRef<OsStr>> Serialize for Name<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0.as_ref(), serializer)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_wire(Wire::deserialize(deserializer)?).map(Self)
    }
}

/// `#[serde(with)]` for an `OsString`.
pub(crate) mod os_string {
    use super::{Deserialize, Deserializer, OsString, Serializer, Wire, from_wire};

    pub(crate) fn serialize<S: Serializer>(name: &OsString, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(name, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OsString, D::Error> {
        from_wire(Wire::deserialize(deserializer)?)
    }
}

/// `#[serde(with)]` for an `OsString` that may be missing.
pub(crate) mod os_string_if_any {
    use super::{Deserialize, Deserializer, Name, OsString, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(name: &Option<OsString>, serializer: S) -> Result<S::Ok, S::Error> {
        name.as_ref().map(Name).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OsString>, D::Error> {
        Ok(Option::<Name>::deserialize(deserializer)?.map(|name| name.0))
    }
}

/// `#[serde(with)]` for a `PathBuf`.
pub(crate) mod path {
    use std::path::{Path, PathBuf};

    use super::{Deserialize, Deserializer, Serializer, Wire, from_wire};

    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(path.as_os_str(), serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        from_wire(Wire::deserialize(deserializer)?).map(PathBuf::from)
    }
}

/// `#[serde(with)]` for bytes, as base64.
pub(crate) mod bytes {
    use base64::Engine as _;

    use super::{Deserialize, Deserializer, STANDARD, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
