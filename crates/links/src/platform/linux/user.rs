//! Whose doing it is.

use std::fs;

use crate::model::User;

impl User {
    pub(crate) fn current() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let sudo = (uid == 0).then(|| std::env::var("SUDO_USER").ok()).flatten();
        Self { uid, name: account(|fields| fields.uid == uid).map(|fields| fields.name), sudo }
    }

    /// The home directory of the user who called `sudo`.
    pub(crate) fn sudo_home(&self) -> Option<std::path::PathBuf> {
        let sudo = self.sudo.as_deref()?;
        account(|fields| fields.name == sudo).map(|fields| fields.home.into())
    }
}

struct Account {
    name: String,
    uid: u32,
    home: String,
}

/// Looks in `/etc/passwd` only: a name is a convenience, not worth a directory service.
fn account(is: impl Fn(&Account) -> bool) -> Option<Account> {
    let table = fs::read_to_string("/etc/passwd").ok()?;
    let mut accounts = table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let (&name, uid, &home) = (fields.first()?, fields.get(2)?.parse().ok()?, fields.get(5)?);
        Some(Account { name: name.to_owned(), uid, home: home.to_owned() })
    });
    accounts.find(is)
}
