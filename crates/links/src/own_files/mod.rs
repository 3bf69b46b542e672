//! Files of the library's own, never a user's: the state directory and what is in it.

pub(crate) mod os;
