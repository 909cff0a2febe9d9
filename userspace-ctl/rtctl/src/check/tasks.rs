// SPDX-License-Identifier: GPL-2.0-only
//! Check 11: is every task that runs where tasks are listed?
//!
//! The kernel knows a task by its number, by the list of all, by its parent, by its control groups; CPUs run
//! it; user space is told by /proc, kill() and pidfd_open(). A task that one of these
//! leaves out, while it goes on running, is hidden.

use std::collections::BTreeMap;

use rust_tracer::abi;
use rust_tracer::views::Task;

use super::facts::Facts;
use super::report::{Finding, Outcome, Report, count};
use super::said::{Asked, Tasks};
use super::sample::Runs;

/// Judges the tasks.
pub fn check(facts: &Facts) -> Outcome {
    let told = facts.said.tasks.get()?;
    if !told.initial {
        return Err(
            "this pid namespace has other numbers than the kernel's own: run rtctl in the \
                    initial one"
                .into(),
        );
    }
    let tasks = match facts.tasks.get() {
        Ok(tasks) => tasks,
        Err(_) if facts.narrow => return of_runs_alone(facts.runs.get()?, told),
        Err(why) => return Err(why),
    };
    // Who says that he is about to end, and goes on running, is not let off.
    let (exiting, ran) = (abi::RTRACE_TASK_EXITING, abi::RTRACE_TASK_RAN);
    let alive = tasks
        .iter()
        .filter(|task| task.seen & (exiting | ran) != exiting);
    // A kernel without control groups, or without their symbol, tells of none.
    let grouped = tasks
        .iter()
        .any(|task| task.seen & abi::RTRACE_TASK_GROUPED != 0);
    let mut findings: Vec<_> = alive
        .clone()
        .filter_map(|task| within(task, grouped))
        .collect();
    for task in alive.clone() {
        let listed = match task.pid == task.tgid {
            true => &told.processes.ever,
            false => &told.threads.ever,
        };
        if !listed.contains(&task.pid) {
            let asked = told.asked.get(&task.pid).copied().unwrap_or_default();
            findings.push(left_out(task, asked));
        }
    }
    let known: BTreeMap<u32, &Task> = tasks.iter().map(|task| (task.pid, task)).collect();
    let odd = told
        .processes
        .always
        .iter()
        .filter(|pid| !known.contains_key(*pid));
    findings.extend(odd.map(|pid| Finding {
        key: format!("task {pid} unknown"),
        what: format!("/proc lists the process {pid}, which the kernel has nowhere"),
        forms: forms(),
        perhaps: "a process that began or ended at this moment".into(),
        look: format!("ls -l /proc/{pid}; rtctl -n 'fbt:::entry /pid == {pid}/'"),
        ..Finding::default()
    }));
    let mut looked = format!(
        "{}, {} in /proc",
        count(alive.count(), "task"),
        count(told.threads.ever.len(), "thread"),
    );
    if let Some(runs) = facts.runs.known() {
        looked += &format!(", {} seen to run", runs.threads.len());
        let nowhere = of_runs(runs, told);
        findings.extend(
            nowhere
                .filter(|(tid, _)| !known.contains_key(tid))
                .map(|(_, it)| it),
        );
    }
    Ok(Report { looked, findings })
}

/// Who runs, and is not in /proc.
fn of_runs<'a>(runs: &'a Runs, told: &'a Tasks) -> impl Iterator<Item = (u32, Finding)> + 'a {
    let nowhere = runs.threads.iter().filter(|(tid, _)| {
        let listed = told.threads.ever.contains(tid) || told.processes.ever.contains(tid);
        **tid != 0 && !listed && !runs.ended.contains(tid)
    });
    nowhere.map(|(&tid, (pid, comm))| {
        let finding = Finding {
            key: format!("task {tid} runs"),
            what: format!(
                "the thread {tid} of the process {pid} ({comm}) runs, and is listed nowhere"
            ),
            place: String::new(),
            forms: vec![
                "who runs, by tracing the scheduler".into(),
                "/proc, and the lists of tasks that the node tells".into(),
            ],
            perhaps: "a thread that ended while we looked".into(),
            look: format!("rtctl -n 'fbt:::entry /tid == {tid}/ {{ @[probefunc] = count(); }}'"),
            sampled: true,
            ..Finding::default()
        };
        (tid, finding)
    })
}

/// All that nodes tell that do not show the kernel's own lists.
fn of_runs_alone(runs: &Runs, told: &Tasks) -> Outcome {
    // hidepid: what others do is not in /proc for us.
    if !told.processes.ever.contains(&1) {
        return Err("this /proc leaves out the processes of others".into());
    }
    Ok(Report {
        looked: format!(
            "{} in /proc, {} seen to run; of the kernel's own lists only the node kernel tells",
            count(told.threads.ever.len(), "thread"),
            runs.threads.len()
        ),
        findings: of_runs(runs, told).map(|(_, finding)| finding).collect(),
    })
}

/// A task that the kernel's own ways do not agree about.
fn within(task: &Task, grouped: bool) -> Option<Finding> {
    let leader = task.pid == task.tgid;
    let mut ways = vec![(abi::RTRACE_TASK_PID, "the table of numbers")];
    if leader {
        ways.push((abi::RTRACE_TASK_LISTED, "the list of all tasks"));
        if task.pid > 1 {
            ways.push((abi::RTRACE_TASK_CHILD, "its parent's list of children"));
        }
    } else {
        ways.push((abi::RTRACE_TASK_THREAD, "its process's list of threads"));
    }
    if grouped {
        ways.push((
            abi::RTRACE_TASK_GROUPED,
            "its control groups' list of tasks",
        ));
    }
    let missing: Vec<_> = ways
        .iter()
        .filter(|(way, _)| task.seen & way == 0)
        .map(|(_, name)| *name)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let runs = match task.seen & abi::RTRACE_TASK_RAN != 0 {
        true => "; a CPU runs it",
        false => "",
    };
    Some(Finding {
        key: format!("task {}", task.pid),
        what: format!(
            "{} is missing from {}{runs}",
            name(task),
            missing.join(", from ")
        ),
        place: format!("its structure is at {:#x}", task.structure),
        forms: vec![
            "the kernel's lists of tasks, and what CPUs run".into(),
            missing.join("; "),
        ],
        perhaps: "a task that begins or ends at this moment".into(),
        look: look(task),
        ..Finding::default()
    })
}

fn left_out(task: &Task, asked: Asked) -> Finding {
    let ways = [
        (asked.stat, "opening /proc/PID"),
        (asked.kill, "kill()"),
        (asked.pidfd, "pidfd_open()"),
    ];
    let knows = |know: bool| {
        let ways = ways.iter().filter(|(does, _)| *does == know);
        ways.map(|(_, name)| *name).collect::<Vec<_>>()
    };
    let (with, without) = (knows(true), knows(false));
    let mut rest = String::new();
    if !with.is_empty() {
        rest += &format!("; {} know it", with.join(", "));
    }
    if !without.is_empty() {
        rest += &format!("; {} do not", without.join(", "));
    }
    Finding {
        key: format!("task {} left out", task.pid),
        what: format!(
            "{} is in the kernel, but reading /proc leaves it out",
            name(task)
        ),
        place: format!("its structure is at {:#x}{rest}", task.structure),
        forms: forms(),
        perhaps: "a task that begins or ends at this moment; a /proc that is mounted with hidepid"
            .into(),
        look: look(task),
        ..Finding::default()
    }
}

fn forms() -> Vec<String> {
    vec![
        "the kernel's lists of tasks, and what CPUs run".into(),
        "/proc, read as a directory".into(),
    ]
}

fn name(task: &Task) -> String {
    let Task {
        pid, tgid, comm, ..
    } = task;
    match pid == tgid {
        true => format!("the process {pid} ({comm})"),
        false => format!("the thread {pid} ({comm}) of the process {tgid}"),
    }
}

fn look(task: &Task) -> String {
    format!(
        "rtctl -n 'fbt:::entry /tid == {}/ {{ @[probefunc] = count(); }}'",
        task.pid
    )
}

#[cfg(test)]
mod tests {
    use super::super::fact::Told;
    use super::super::said::Twice;
    use super::*;

    const WHOLE: u32 = abi::RTRACE_TASK_LISTED
        | abi::RTRACE_TASK_THREAD
        | abi::RTRACE_TASK_PID
        | abi::RTRACE_TASK_CHILD
        | abi::RTRACE_TASK_GROUPED;

    fn task(pid: u32, tgid: u32, seen: u32) -> Task {
        Task {
            pid,
            tgid,
            seen,
            comm: "worker".into(),
            ..Task::default()
        }
    }

    fn facts(tasks: Vec<Task>) -> Facts {
        let mut facts = Facts {
            tasks: Told::Is(tasks),
            ..Facts::default()
        };
        facts.said.tasks = Told::Is(Tasks {
            processes: Twice::new(&[1, 7].into(), &[1, 7].into()),
            threads: Twice::new(&[1, 7, 8].into(), &[1, 7, 8].into()),
            asked: BTreeMap::new(),
            initial: true,
        });
        facts
    }

    fn found(tasks: Vec<Task>) -> Vec<String> {
        let findings = check(&facts(tasks)).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    fn all(seen: u32) -> Vec<Task> {
        let init = task(1, 1, WHOLE & !abi::RTRACE_TASK_CHILD);
        vec![
            init,
            task(7, 7, seen),
            task(8, 7, WHOLE & !abi::RTRACE_TASK_LISTED),
        ]
    }

    #[test]
    fn tasks_that_are_everywhere_are_fine_and_so_are_those_that_end() {
        assert_eq!(found(all(WHOLE)), [""; 0]);
        assert_eq!(found(all(abi::RTRACE_TASK_EXITING)), [""; 0]);
    }

    #[test]
    fn a_task_that_one_of_the_kernels_ways_leaves_out_is_found() {
        for way in [
            abi::RTRACE_TASK_PID,
            abi::RTRACE_TASK_LISTED,
            abi::RTRACE_TASK_CHILD,
            abi::RTRACE_TASK_GROUPED,
        ] {
            assert_eq!(found(all(WHOLE & !way)).len(), 1, "{way}");
        }
        // It sleeps, and is nowhere else.
        let mut more = all(WHOLE);
        more.push(task(0, 9, abi::RTRACE_TASK_GROUPED));
        assert_eq!(
            found(more)[0],
            "the thread 0 (worker) of the process 9 is missing from the table of numbers, from its process's list of \
             threads"
        );
    }

    #[test]
    fn a_kernel_that_tells_of_no_control_groups_hides_nobody() {
        let mut tasks = all(WHOLE);
        for task in &mut tasks {
            task.seen &= !abi::RTRACE_TASK_GROUPED;
        }
        assert_eq!(found(tasks), [""; 0]);
    }

    #[test]
    fn a_task_that_proc_leaves_out_or_invents_is_found() {
        let exiting = abi::RTRACE_TASK_EXITING;
        for (pid, ends) in [(9, 0), (9, exiting), (0, 0)] {
            let mut more = all(WHOLE);
            more.push(task(pid, 9, WHOLE | abi::RTRACE_TASK_RAN | ends));
            assert_eq!(found(more).len(), 1, "{pid} {ends}");
        }
        let mut less = all(WHOLE);
        less.remove(1);
        assert!(found(less)[0].starts_with("/proc lists the process 7"));
    }

    #[test]
    fn a_thread_that_was_seen_to_run_must_be_somewhere() {
        let mut facts = facts(all(WHOLE));
        let run = |pid: u32| (pid, "worker".to_owned());
        facts.runs = Told::Is(Runs {
            threads: BTreeMap::from([(0, run(0)), (8, run(7)), (66, run(66))]),
            ..Runs::default()
        });
        let findings = check(&facts).unwrap().findings;
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0]
                .what
                .starts_with("the thread 66 of the process 66")
        );
        // The same through a node that does not show the kernel's own lists.
        facts.tasks = Told::default();
        assert!(check(&facts).is_err());
        facts.narrow = true;
        assert_eq!(check(&facts).unwrap().findings, findings);
        let Told::Is(runs) = &mut facts.runs else {
            panic!("nobody ran");
        };
        // It has ended while we looked.
        runs.ended.insert(66);
        assert_eq!(check(&facts).unwrap().findings, []);
        // A /proc with hidepid shows nothing of others.
        if let Told::Is(told) = &mut facts.said.tasks {
            told.processes = Twice::default();
        }
        assert!(check(&facts).unwrap_err().contains("leaves out"));
    }

    #[test]
    fn other_numbers_than_the_kernels_own_cannot_be_compared() {
        let mut facts = facts(all(WHOLE));
        facts.said.tasks = Told::Is(Tasks::default());
        assert!(check(&facts).unwrap_err().contains("namespace"));
    }
}
