//! Names in JSON: `{"text": "..."}`, or where they are not Unicode `{"bytes": "<base64>"}`.

use std::ffi::{OsStr, OsString};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
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

/// `#[serde(with)]` for an `OsString` or `PathBuf`. As [`Wire`] would be; text is not copied.
pub(crate) fn serialize<S: Serializer>(name: &impl AsRef<OsStr>, serializer: S) -> Result<S::Ok, S::Error> {
    let name = name.as_ref();
    match name.to_str() {
        Some(text) => serializer.serialize_newtype_variant("Wire", 0, "text", text),
        None => {
            let code = STANDARD.encode(to_bytes(name));
            serializer.serialize_newtype_variant("Wire", 1, "bytes", &code)
        }
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: From<OsString>>(deserializer: D) -> Result<T, D::Error> {
    match Wire::deserialize(deserializer)? {
        Wire::Text(text) => Ok(OsString::from(text).into()),
        Wire::Bytes(code) => STANDARD.decode(code).map(|bytes| from_bytes(bytes).into()).map_err(D::Error::custom),
    }
}

impl<T: AsRef<OsStr>> Serialize for Name<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, T: From<OsString>> Deserialize<'de> for Name<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

/// `#[serde(with)]` for an `OsString` that may be missing.
pub(crate) mod if_any {
    use super::{Deserialize, Deserializer, Name, OsString, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(name: &Option<OsString>, serializer: S) -> Result<S::Ok, S::Error> {
        name.as_ref().map(Name).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OsString>, D::Error> {
        Ok(Option::<Name>::deserialize(deserializer)?.map(|name| name.0))
    }
}

/// `#[serde(with)]` for bytes, as base64.
pub(crate) mod bytes {
    use base64::Engine as _;
    use serde::de::Error as _;

    use super::{Deserialize, Deserializer, STANDARD, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
