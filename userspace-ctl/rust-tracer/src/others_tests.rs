// SPDX-License-Identifier: GPL-2.0-only
//! Commands about other sessions, over the module in memory.

use proptest::prelude::*;

use super::*;
use crate::fake::{Fake, FakeFunction};

fn module() -> (std::sync::Arc<Fake>, Session) {
    let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
    let session = Session::over(std::sync::Arc::clone(&module) as _).unwrap();
    (module, session)
}

#[test]
fn sessions_are_listed_over_many_calls() {
    let (module, session) = module();
    assert_eq!(session.sessions().unwrap(), []);
    let first = abi::rtrace_session {
        id: 4,
        node: abi::RTRACE_NODE_USER,
        state: abi::RTRACE_STATE_RUNNING,
        uid: 1001,
        pid: 812,
        flags: abi::RTRACE_SESSION_MINE | abi::RTRACE_SESSION_THIS,
        fired: 7,
        comm: b"rtctl\0\0\0\0\0\0\0\0\0\0\0".map(|byte| byte as _),
        ..Default::default()
    };
    module.add_session(first, "reads.1");
    module.add_session(
        abi::rtrace_session {
            id: 9,
            node: 77,
            flags: abi::RTRACE_SESSION_OBSERVER,
            ..Default::default()
        },
        "",
    );
    let sessions = session.sessions().unwrap();
    let [first, second] = &sessions[..] else {
        panic!("{sessions:?}");
    };
    assert_eq!((first.id, first.uid, first.fired), (4, 1001, 7));
    assert_eq!(first.node, Some(Node::User));
    assert_eq!(first.comm.to_string(), "rtctl");
    assert_eq!(first.name.as_deref(), Some("reads.1"));
    assert!(first.mine && first.this && !first.observer);
    assert_eq!((second.id, second.node), (9, None));
    assert_eq!(second.name, None);
    assert!(second.observer && !second.mine);
}

#[test]
fn sessions_are_revoked_by_id_and_by_user() {
    let (module, session) = module();
    for id in [4, 5] {
        let row = abi::rtrace_session {
            id,
            uid: 1001,
            ..Default::default()
        };
        module.add_session(row, "");
    }
    assert_eq!(session.revoke(Whose::Id(5)).unwrap(), 1);
    assert_eq!(session.revoke(Whose::Uid(1001)).unwrap(), 2);
    assert_eq!(session.revoke(Whose::Uid(0)).unwrap(), 0);
    let error = session.revoke(Whose::Id(6)).unwrap_err();
    assert_eq!(error.to_string(), "there is no such session");
    assert_eq!(
        module.revoked(),
        [Whose::Id(5), Whose::Uid(1001), Whose::Uid(0)]
    );
}

#[test]
fn a_session_is_published_until_it_is_not() {
    let (module, session) = module();
    session.publish("reads").unwrap();
    assert_eq!(module.published().as_deref(), Some("reads"));
    session.publish("").unwrap();
    assert_eq!(module.published(), None);
}

#[test]
fn an_address_has_a_name_or_none() {
    let (module, session) = module();
    module.add_symbol(0xffff_ffff_8100_0010, "vfs_read+0x10/0x40");
    let name = session.symbol(0xffff_ffff_8100_0010).unwrap();
    assert_eq!(name.as_deref(), Some("vfs_read+0x10/0x40"));
    assert_eq!(session.symbol(1).unwrap(), None);
    module.refuse("symbol", Errno::ACCESS, "not on this node");
    assert!(session.symbol(1).is_err());
}

#[test]
fn the_quota_is_what_the_module_says() {
    let (module, session) = module();
    let quota = Quota {
        uid: 1001,
        sessions: 2,
        sessions_max: 16,
        ..Quota::default()
    };
    module.set_quota(quota);
    assert_eq!(session.quota().unwrap(), quota);
}

#[test]
fn states_and_reasons_have_names() {
    assert_eq!(state_name(abi::RTRACE_STATE_DEAD), "dead");
    assert_eq!(reason_name(abi::RTRACE_REASON_ADMIN), "admin");
    assert_eq!((state_name(99), reason_name(99)), ("other", "other"));
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut buf = &bytes[..];
        while let (left, Some(_)) = (buf.len(), take_session(&mut buf)) {
            prop_assert!(buf.len() < left);
        }
    }
}
