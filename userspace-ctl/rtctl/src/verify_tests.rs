// SPDX-License-Identifier: GPL-2.0-only
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use proptest::prelude::*;
use rust_tracer::Record;

use super::*;
use crate::chain::tests::records;
use crate::chain::{Chain, Sealed};

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A chain of these records, each with a piece of output; and what that output is.
fn written(records: &[Record]) -> (Vec<u8>, Vec<u8>, Sealed) {
    let memory = Memory::default();
    let file = Box::new(memory.clone());
    let mut chain = Chain::over(Path::new("x.chain"), file, b"{}", 0).unwrap();
    let mut output = Vec::new();
    for (at, record) in records.iter().enumerate() {
        chain.record(record).unwrap();
        let line = format!("line {at}\n");
        chain.output(line.as_bytes()).unwrap();
        output.extend(line.as_bytes());
    }
    let sealed = chain.seal().unwrap();
    let bytes = memory.0.borrow().clone();
    (bytes, output, sealed)
}

/// Where the links of a chain are.
fn links(chain: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut rest, _) = header(chain).unwrap();
    let mut links = Vec::new();
    while !rest.is_empty() {
        let begin = chain.len() - rest.len();
        Link::take(&mut rest).unwrap();
        links.push(begin..chain.len() - rest.len());
    }
    links
}

fn is_whole(chain: &[u8], output: Option<&[u8]>) -> bool {
    verify(chain, output).wrong.is_empty()
}

proptest! {
    #[test]
    fn a_chain_is_verified_as_it_was_written(records in records()) {
        let (chain, output, sealed) = written(&records);
        let verdict = verify(&chain, Some(&output));
        prop_assert_eq!(&verdict.wrong, &Vec::<String>::new());
        prop_assert_eq!(verdict.records, records.len() as u64);
        prop_assert_eq!(sealed.records, records.len() as u64);
        prop_assert_eq!(verdict.output, Some(output.len() as u64));
        prop_assert_eq!(verdict.digest, Some(sealed.digest));
    }

    #[test]
    fn any_link_that_is_removed_is_missed(records in records(), which in any::<prop::sample::Index>()) {
        let (mut chain, ..) = written(&records);
        let links = links(&chain);
        chain.drain(links[which.index(links.len())].clone());
        prop_assert!(!is_whole(&chain, None));
    }

    #[test]
    fn any_byte_that_is_changed_is_found(
        records in records(),
        which in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let (mut chain, ..) = written(&records);
        let at = which.index(chain.len());
        chain[at] ^= change;
        prop_assert!(!is_whole(&chain, None));
    }

    #[test]
    fn any_two_links_that_change_places_are_found(
        records in records(),
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
    ) {
        let (chain, ..) = written(&records);
        let links = links(&chain);
        let (one, other) = (one.index(links.len()), other.index(links.len()));
        prop_assume!(one != other);
        let mut order: Vec<usize> = (0..links.len()).collect();
        order.swap(one, other);
        let mut changed = chain[..links[0].start].to_vec();
        for at in order {
            changed.extend_from_slice(&chain[links[at].clone()]);
        }
        prop_assert!(!is_whole(&changed, None));
    }

    #[test]
    fn a_link_that_is_put_in_twice_is_found(records in records(), which in any::<prop::sample::Index>()) {
        let (chain, ..) = written(&records);
        let links = links(&chain);
        let link = links[which.index(links.len())].clone();
        let twice = [&chain[..link.end], &chain[link.clone()], &chain[link.end..]].concat();
        prop_assert!(!is_whole(&twice, None));
    }

    #[test]
    fn a_chain_that_is_cut_off_is_found(records in records(), which in any::<prop::sample::Index>()) {
        let (chain, ..) = written(&records);
        prop_assert!(!is_whole(&chain[..which.index(chain.len())], None));
    }

    #[test]
    fn any_change_of_the_output_is_found(
        records in records(),
        which in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let (chain, mut output, _) = written(&records);
        let at = which.index(output.len());
        prop_assert!(!is_whole(&chain, Some(&output[..at])));
        prop_assert!(!is_whole(&chain, Some(&[&output[..], b"more"].concat())));
        output[at] ^= change;
        prop_assert!(!is_whole(&chain, Some(&output)));
    }

    #[test]
    fn any_bytes_are_no_reason_to_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!is_whole(&bytes, None));
        let chain = [&MAGIC[..], &[0; 4], &bytes].concat();
        prop_assert!(!is_whole(&chain, Some(&bytes)));
    }
}

#[test]
fn a_chain_that_was_made_anew_has_another_digest() {
    let record = |time| Record {
        time,
        cpu: 0,
        context: rust_tracer::Context::Task,
        event: rust_tracer::Event::Lost { count: 1 },
    };
    let (_, _, first) = written(&[record(1), record(2)]);
    let (forged, _, second) = written(&[record(2)]);
    assert!(is_whole(&forged, None));
    assert_ne!(first.digest, second.digest);
}

#[test]
fn what_is_missing_is_told_by_number() {
    let record = |time| Record {
        time,
        cpu: 0,
        context: rust_tracer::Context::Task,
        event: rust_tracer::Event::Lost { count: 1 },
    };
    let (mut chain, ..) = written(&[record(1), record(2), record(3)]);
    let links = links(&chain);
    chain.drain(links[2].start..links[4].start);
    let wrong = verify(&chain, None).wrong;
    assert_eq!(wrong[0], "links 2 to 3 are missing");
    assert!(wrong[1].starts_with("link 4 (CPU 0, time 3) does not follow"));
}

#[test]
fn an_output_is_verified_by_its_name_and_by_its_chains() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out");
    let mut chain = Chain::create(&beside(&output), 0).unwrap();
    fs::write(&output, "text\n").unwrap();
    chain.output(b"text\n").unwrap();
    let digest = chain.seal().unwrap().digest;
    let verified = |file: PathBuf, digest: Option<&str>| {
        let verifying = Verifying {
            file,
            digest: digest.map(str::to_owned),
            json: false,
        };
        let mut out = Vec::new();
        let right = run(&verifying, &mut out).unwrap();
        (right, String::from_utf8(out).unwrap())
    };
    let (right, text) = verified(output.clone(), Some(&format!("sha256:{digest}")));
    assert!(right, "{text}");
    assert!(text.starts_with("ok: 2 links") && text.contains("5 bytes of output"));
    assert!(verified(beside(&output), None).0);
    assert!(!verified(output.clone(), Some("00")).0);
    fs::write(&output, "test\n").unwrap();
    let (right, text) = verified(output, None);
    assert!(!right && text.contains("not what was written, in the 5 bytes"));
}
