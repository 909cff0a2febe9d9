// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl revoke`: ends sessions, as root anybody's, else one's own.

use anyhow::{Result, anyhow};
use nix::unistd::User;
use rust_tracer::{Access, Session, Whose};

use crate::access;
use crate::speaker::Speaker;

/// Ends these sessions, or all of a user's. Returns whether each could be ended.
pub fn run(ids: &[u64], user: Option<&str>, says: &mut Speaker) -> Result<bool> {
    let uid = user.map(uid_of).transpose()?;
    let session = access::open(None, Access::Trace)?;
    match (user, uid) {
        (Some(name), Some(uid)) => all_of(&session, name, uid, says),
        _ => Ok(each(&session, ids, says)),
    }
}

fn each(session: &Session, ids: &[u64], says: &mut Speaker) -> bool {
    let mut all = true;
    for &id in ids {
        match session.revoke(Whose::Id(id)) {
            Ok(0) => says.notice(&format!("session {id} was dead already")),
            Ok(_) => says.notice(&format!("session {id} is ended")),
            Err(error) => {
                says.error(&format!("session {id}: {error}"));
                all = false;
            }
        }
    }
    all
}

fn all_of(session: &Session, name: &str, uid: u32, says: &mut Speaker) -> Result<bool> {
    let ended = session
        .revoke(Whose::Uid(uid))
        .map_err(|error| anyhow!("cannot revoke the sessions of {name}: {error}"))?;
    says.notice(&match ended {
        0 => format!("{name} has no session to end"),
        1 => format!("1 session of {name} is ended"),
        _ => format!("{ended} sessions of {name} are ended"),
    });
    Ok(true)
}

/// The id of a user, by name or by number.
fn uid_of(name: &str) -> Result<u32> {
    if let Ok(Some(user)) = User::from_name(name) {
        return Ok(user.uid.as_raw());
    }
    name.parse()
        .map_err(|_| anyhow!("there is no user called {name}: give a user's name or number"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rust_tracer::abi;
    use rust_tracer::fake::{Fake, FakeFunction};
    use rustix::io::Errno;

    use super::*;
    use crate::speaker::tests::Heard;

    fn module() -> (Arc<Fake>, Session) {
        let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
        for id in [4, 5] {
            let session = abi::rtrace_session {
                id,
                uid: 1001,
                ..Default::default()
            };
            module.add_session(session, "");
        }
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        (module, session)
    }

    #[test]
    fn each_session_is_ended_and_each_that_cannot_be_is_told() {
        let (module, session) = module();
        let (heard, mut says) = Heard::speaker(false);
        assert!(!each(&session, &[4, 6, 5], &mut says));
        assert_eq!(
            heard.text(),
            "rtctl: session 4 is ended
rtctl: session 6: there is no such session
rtctl: session 5 is ended\n"
        );
        assert_eq!(module.revoked(), [Whose::Id(4), Whose::Id(5)]);
        assert!(each(&session, &[4], &mut says));
    }

    #[test]
    fn all_sessions_of_a_user_are_counted() {
        let (module, session) = module();
        let (heard, mut says) = Heard::speaker(false);
        assert!(all_of(&session, "bob", 1001, &mut says).unwrap());
        assert!(all_of(&session, "carol", 1003, &mut says).unwrap());
        assert_eq!(
            heard.text(),
            "rtctl: 2 sessions of bob are ended\nrtctl: carol has no session to end\n"
        );
        module.refuse("revoke", Errno::PERM, "that session is another user's");
        let error = all_of(&session, "alice", 1002, &mut says).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot revoke the sessions of alice: that session is another user's"
        );
    }

    #[test]
    fn users_have_names_and_numbers() {
        assert_eq!(uid_of("root").unwrap(), 0);
        assert_eq!(uid_of("40077").unwrap(), 40077);
        assert_eq!(
            uid_of("no such user").unwrap_err().to_string(),
            "there is no user called no such user: give a user's name or number"
        );
    }
}
