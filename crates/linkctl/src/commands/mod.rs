//! One file a verb. `relocation.rs` is shared by the verbs that move whole trees, `volume.rs` by those that read volumes.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod create;
pub(crate) mod doctor;
pub(crate) mod drop_ins;
pub(crate) mod help;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod r#move;
pub(crate) mod recover;
mod relocation;
pub(crate) mod remove;
pub(crate) mod repair;
pub(crate) mod restore;
pub(crate) mod show;
pub(crate) mod track;
pub(crate) mod undo;
mod volume;
