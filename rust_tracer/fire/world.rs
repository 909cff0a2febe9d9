// SPDX-License-Identifier: GPL-2.0

//! What a clause sees of the moment at which it runs, and the state that it shares with others.
//!
//! What the node does not show is refused when a program is loaded; here the same is asked again,
//! of the very firing.

use core::sync::atomic::AtomicU64;

use super::fired::{
    Fired,
    What, //
};
use crate::{
    abi, arch, bindings, clock,
    engine::{
        binding::Enabled,
        counters::Ran, //
    },
    functions,
    loaded::Loaded,
    outcome::outcome,
    own::Kind,
    program::{
        self,
        dynamic::NoRoom,
        insn::{
            user_register,
            var,
            ARG0,
            ENTRYARG0, //
        },
        scope,
        Clause,
        Fault,
        Full,
        NotSpeculated, //
    },
};

type Dynamic<'a> = program::dynamic::Table<&'a [AtomicU64]>;

/// Arguments that come in registers.
const REGISTERS: u32 = 6;

/// Bytes that DTrace counts for a record of a speculation beside its data: the enabling and the
/// speculation.
const SPECULATION_BYTES: u32 = 8;

/// Which clause asks.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    epid: u32,
    of_system_calls: bool,
}

impl Asked {
    #[inline(always)]
    pub(super) fn by(enabled: &Enabled, clause: &Clause) -> Self {
        Self {
            epid: enabled.epid,
            of_system_calls: Loaded::is_of_system_calls(clause),
        }
    }
}

/// The surroundings of a firing.
pub(super) struct World<'a> {
    fired: &'a Fired<'a>,
    pub(super) asked: Asked,
    /// For a stack of which only the depth is asked, or that goes to memory.
    frames: &'a mut [u64],
    /// The time of the firing, once somebody asked; ns.
    pub(super) time: u64,
}

/// The refusal of what the node does not show of user memory.
fn private_of_user(address: u64) -> Fault {
    Fault {
        kind: abi::RTRACE_FAULT_UPRIV,
        address,
    }
}

/// Copies as much of a text as there is room for.
fn copy_text(text: &[u8], into: &mut [u8]) -> usize {
    let len = text.len().min(into.len());
    for (to, from) in into.iter_mut().zip(text) {
        *to = *from;
    }
    len
}

/// What the shim tells of a length.
fn length(told: i64, address: u64, into: &[u8]) -> Result<usize, Fault> {
    usize::try_from(told)
        .map(|len| len.min(into.len()))
        .map_err(|_| Fault::bad_address(address))
}

impl<'a> World<'a> {
    #[inline(always)]
    pub(super) fn new(fired: &'a Fired<'a>, frames: &'a mut [u64], time: u64) -> Self {
        Self {
            fired,
            asked: Asked {
                epid: 0,
                of_system_calls: false,
            },
            frames,
            time,
        }
    }

    fn now(&mut self) -> u64 {
        if self.time == 0 {
            self.time = clock::now();
        }
        self.time
    }

    fn shows_data(&self) -> Result<(), Fault> {
        if self.fired.engine.node().shows_data() {
            return Ok(());
        }
        Err(Fault::private(0))
    }

    /// Whether the clause sees a system call's data as its own.
    fn shows_system_call(&self) -> bool {
        self.asked.of_system_calls
            && self.fired.probe.system_call
            && self.fired.engine.node().shows_own_system_calls()
    }

    fn argument(&mut self, number: u32) -> Result<u64, Fault> {
        if let Some(arguments) = &self.fired.error {
            let argument = arguments.get(number as usize);
            return Ok(argument.copied().unwrap_or(0));
        }
        match &self.fired.event.what {
            What::Entry => {
                if !self.shows_system_call() {
                    self.shows_data()?;
                }
                self.entry_argument(number)
            }
            What::Return { value, .. } => self.returned(number, *value),
            What::Own(_) => {
                let (mut kernel, mut user) = (0, 0);
                // SAFETY: The place is valid, and there is room for both.
                unsafe {
                    bindings::rtrace_counters(self.fired.event.place, &mut kernel, &mut user)
                };
                match number {
                    0 if kernel != 0 => self.shows_data().map(|()| kernel),
                    1 if user != 0 && self.fired.tells_of_task() => {
                        // Whose addresses a node shows is whose tasks it shows alone.
                        if self.fired.engine.node().shows_all_tasks() {
                            self.shows_data()?;
                        }
                        Ok(user)
                    }
                    _ => Ok(0),
                }
            }
        }
    }

    /// An argument of what is entered; the caller may see it.
    fn entry_argument(&self, number: u32) -> Result<u64, Fault> {
        let regs = self.fired.event.place.regs;
        if self.asked.of_system_calls {
            let mut arguments = [0u64; REGISTERS as usize];
            // SAFETY: The event is an entry, so these are its registers; there is room for six. Who
            // sees own system calls only sees task context; elsewhere it says no by itself.
            let known = unsafe {
                bindings::rtrace_system_call_arguments(regs, arguments.as_mut_ptr())
                    || self.fired.engine.node().shows_data()
                        && bindings::rtrace_passed_registers(regs, arguments.as_mut_ptr())
            };
            if !known {
                return Err(Fault::private(0));
            }
            return Ok(arguments.get(number as usize).copied().unwrap_or(0));
        }
        match number.checked_sub(REGISTERS) {
            None => {
                // SAFETY: As above.
                let arguments = unsafe { arch::arguments(regs) };
                Ok(arguments.get(number as usize).copied().unwrap_or(0))
            }
            // SAFETY: As above.
            Some(behind) => Ok(unsafe { bindings::rtrace_stack_argument(regs, behind) }),
        }
    }

    /// What a return probe has as its arguments: of a function, the value is arg1; of a system
    /// call, arg0 as well.
    fn returned(&self, number: u32, value: u64) -> Result<u64, Fault> {
        let node = self.fired.engine.node();
        let is_value = number == 1 || number == 0 && self.asked.of_system_calls;
        if !is_value {
            return Ok(0);
        }
        if node.shows_data() || self.shows_system_call() {
            return Ok(value);
        }
        match outcome(value).filter(|_| node.shows_outcome()) {
            Some(outcome) => Ok(i64::from(outcome) as u64),
            None => Err(Fault::private(0)),
        }
    }

    fn entered_with(&self, number: u32) -> Result<u64, Fault> {
        if !self.shows_system_call() {
            self.shows_data()?;
        }
        match &self.fired.event.what {
            What::Return {
                arguments: Some(arguments),
                ..
            } => Ok(arguments.get(number as usize).copied().unwrap_or(0)),
            What::Entry => self.entry_argument(number),
            _ => Ok(0),
        }
    }

    fn error_number(&self) -> Result<u64, Fault> {
        let What::Return { value, .. } = &self.fired.event.what else {
            return Ok(0);
        };
        if !self.fired.engine.node().shows_outcome() {
            return Err(Fault::private(0));
        }
        Ok(outcome(*value).map_or(0, |outcome| outcome.unsigned_abs().into()))
    }

    /// Something about the current task, if the firing tells of it.
    fn of_task(&self, number: impl FnOnce() -> u64) -> u64 {
        if self.fired.tells_of_task() {
            number()
        } else {
            0
        }
    }

    fn who(&self) -> bindings::rtrace_who {
        let mut who = bindings::rtrace_who::default();
        if self.fired.tells_of_task() {
            // SAFETY: Any context.
            unsafe { bindings::rtrace_who(&mut who) };
        }
        who
    }

    /// A register of the current task in user space, `RTRACE_UREG_*`.
    fn user_register(&self, register: u32) -> Result<u64, Fault> {
        self.shows_data()?;
        // SAFETY: Any context, preemption off; any number.
        Ok(unsafe { bindings::rtrace_user_register(register) })
    }

    /// What names the current thread for good: in interrupts, which are not the task that they came
    /// upon, another for each kind. A firing that tells of no task has one for all.
    fn thread(&self) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        if !self.fired.tells_of_task() {
            return ODD;
        }
        // SAFETY: Any context.
        let (task, start) =
            unsafe { (bindings::rtrace_current(), bindings::rtrace_current_start()) };
        let context = u64::from(self.fired.moment.context);
        // A task's address is a multiple of more than four.
        (task | context).wrapping_add(start.wrapping_mul(ODD))
    }

    /// The thread of a dynamic variable; 0 for one that is everybody's.
    fn thread_of(&self, variable: u32) -> u64 {
        let slots = &self.fired.running.loaded.slots;
        let slot = slots.get(variable as usize);
        match slot.map(|slot| slot.scope) {
            Some(scope::THREAD | scope::THREAD_ARRAY) => self.thread(),
            _ => 0,
        }
    }

    /// Does something to a dynamic variable; what finds no room is counted.
    fn change_dynamic(
        &mut self,
        variable: u32,
        change: impl FnOnce(&Dynamic<'_>, u64) -> Result<(), NoRoom>,
    ) {
        let thread = self.thread_of(variable);
        let table = self.fired.running.dynamic();
        let done = table.map_or(Err(NoRoom), |table| change(&table, thread));
        if done.is_err() {
            self.fired.clauses.clause(Ran::Dynamic);
        }
    }

    fn may_read_kernel(&self, address: u64) -> Result<(), Fault> {
        if self.fired.engine.node().shows_data() {
            return Ok(());
        }
        Err(Fault::private(address))
    }

    fn may_read_user(&self, address: u64) -> Result<(), Fault> {
        if self.fired.engine.node().shows_data() {
            return Ok(());
        }
        Err(private_of_user(address))
    }
}

impl program::World for World<'_> {
    #[inline]
    fn number(&mut self, which: u32) -> Result<u64, Fault> {
        let moment = self.fired.moment;
        // SAFETY (of all calls below): Any context, preemption off.
        Ok(match which {
            var::TIMESTAMP => self.now(),
            var::PROBE => self.fired.probe.index.into(),
            var::CPU => moment.cpu.into(),
            var::PID => self.fired.who().0.into(),
            var::TID => self.fired.who().1.into(),
            var::IPL => moment.context.into(),
            var::EPID => self.asked.epid.into(),
            var::ELAPSED => match &self.fired.event.what {
                What::Return { entered, .. } => {
                    let entered = *entered;
                    self.now().saturating_sub(entered)
                }
                _ => 0,
            },
            var::ID => {
                let bound = self.fired.binding.probe(self.fired.probe.index);
                bound.map_or(0, |bound| bound.id.into())
            }
            which if which < ARG0 + 10 => self.argument(which - ARG0)?,
            which if (ENTRYARG0..ENTRYARG0 + REGISTERS).contains(&which) => {
                self.entered_with(which.wrapping_sub(ENTRYARG0))?
            }
            // SAFETY: As above.
            var::VTIMESTAMP => self.of_task(|| unsafe { bindings::rtrace_virtual_time() }),
            // SAFETY: As above.
            var::WALLTIMESTAMP => unsafe { bindings::rtrace_wall_time() },
            // SAFETY: As above.
            var::PPID => self.of_task(|| unsafe { bindings::rtrace_parent() }.into()),
            var::UID => self.of_task(|| self.who().uid.into()),
            // SAFETY: As above.
            var::GID => self.of_task(|| unsafe { bindings::rtrace_gid() }.into()),
            var::ERRNO => self.error_number()?,
            var::CURTHREAD => {
                self.shows_data()?;
                // SAFETY: As above.
                unsafe { bindings::rtrace_current() }
            }
            var::CALLER | var::UCALLER => {
                self.shows_data()?;
                self.fired.caller(which == var::UCALLER)
            }
            var::STACKDEPTH | var::USTACKDEPTH => {
                self.shows_data()?;
                self.fired.stack(which == var::USTACKDEPTH, self.frames) as u64
            }
            var::TARGET => self.fired.engine.target().into(),
            which => match user_register(which) {
                Some(register) => self.user_register(register)?,
                None => return Err(Fault::of(abi::RTRACE_FAULT_ILLOP)),
            },
        })
    }

    fn text(&mut self, which: u32, into: &mut [u8]) -> Result<usize, Fault> {
        let of_system_calls = self.asked.of_system_calls;
        let names = self.fired.binding.names(self.fired.probe.index);
        let (module, function) = names.unwrap_or((&[], &[]));
        let own = match (self.fired.error, &self.fired.event.what) {
            (Some(_), _) => Some(Kind::Error),
            (None, What::Own(kind)) => Some(*kind),
            _ => None,
        };
        let text: &[u8] = match (which, own) {
            (var::EXECNAME, _) => {
                let [first, second] = self.who().execname;
                let mut name = [0; 16];
                let words = first.to_ne_bytes().into_iter().chain(second.to_ne_bytes());
                for (to, from) in name.iter_mut().zip(words) {
                    *to = from;
                }
                let len = name.iter().position(|byte| *byte == 0);
                let name = name.get(..len.unwrap_or(name.len())).unwrap_or(&[]);
                return Ok(copy_text(name, into));
            }
            (var::CWD, _) => {
                self.shows_data()?;
                let room = into.len() as u32;
                // SAFETY: Any context, preemption off; there is as much room.
                let told = unsafe { bindings::rtrace_cwd(into.as_mut_ptr().cast(), room) };
                return length(told, 0, into);
            }
            (var::PROBEPROV, Some(kind)) => kind.provider(),
            (var::PROBEPROV, None) if of_system_calls => b"syscall",
            (var::PROBEPROV, None) => b"fbt",
            (var::PROBEMOD, _) => module,
            (var::PROBEFUNC, Some(_)) => b"",
            (var::PROBEFUNC, None) if of_system_calls => functions::system_call(function),
            (var::PROBEFUNC, None) => function,
            (var::PROBENAME, Some(_)) => function,
            (var::PROBENAME, None) => match self.fired.event.what {
                What::Return { .. } => b"return",
                _ => b"entry",
            },
            _ => return Err(Fault::of(abi::RTRACE_FAULT_ILLOP)),
        };
        Ok(copy_text(text, into))
    }

    fn read_kernel(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        self.may_read_kernel(address)?;
        let bytes = into.len() as u32;
        // SAFETY: Any context, preemption off; there is as much room.
        if unsafe { bindings::rtrace_read_kernel(into.as_mut_ptr().cast(), address, bytes) } {
            return Ok(());
        }
        Err(Fault::bad_address(address))
    }

    fn read_kernel_text(&mut self, address: u64, into: &mut [u8]) -> Result<usize, Fault> {
        self.may_read_kernel(address)?;
        let room = into.len() as u32;
        // SAFETY: As above.
        let told =
            unsafe { bindings::rtrace_read_kernel_text(into.as_mut_ptr().cast(), address, room) };
        length(told, address, into)
    }

    fn read_user(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        self.may_read_user(address)?;
        let bytes = into.len() as u32;
        // SAFETY: As above.
        if unsafe { bindings::rtrace_read_user(into.as_mut_ptr().cast(), address, bytes) } {
            return Ok(());
        }
        Err(Fault::bad_address(address))
    }

    fn read_user_text(&mut self, address: u64, into: &mut [u8]) -> Result<usize, Fault> {
        self.may_read_user(address)?;
        let room = into.len() as u32;
        // SAFETY: As above.
        let told =
            unsafe { bindings::rtrace_read_user_text(into.as_mut_ptr().cast(), address, room) };
        length(told, address, into)
    }

    fn path(&mut self, path: u64, into: &mut [u8]) -> Result<usize, Fault> {
        self.may_read_kernel(path)?;
        let room = into.len() as u32;
        // SAFETY: As above.
        let told = unsafe { bindings::rtrace_path_of(path, into.as_mut_ptr().cast(), room) };
        length(told, path, into)
    }

    fn kernel_stack(&mut self, frames: &mut [u64]) -> usize {
        self.fired.stack(false, frames)
    }

    fn user_stack(&mut self, frames: &mut [u64]) -> (u64, usize) {
        (self.fired.who().0.into(), self.fired.stack(true, frames))
    }

    fn stack_of(&mut self, user: bool, most: usize) -> (u64, &[u64]) {
        let most = most.min(self.frames.len());
        let room = self.frames.get_mut(..most).unwrap_or(&mut []);
        let count = self.fired.stack(user, room);
        let pid = if user { self.fired.who().0 } else { 0 };
        (pid.into(), room.get(..count).unwrap_or(&[]))
    }

    fn random(&mut self) -> u64 {
        self.fired.cpu.random()
    }

    fn progeny_of(&mut self, pid: u64) -> bool {
        let Ok(pid) = u32::try_from(pid) else {
            return false;
        };
        // SAFETY: As above.
        self.fired.tells_of_task() && unsafe { bindings::rtrace_descends_from(pid) }
    }

    #[inline]
    fn load_global(&mut self, at: usize) -> u64 {
        self.fired.running.globals().load(at)
    }

    #[inline]
    fn store_global(&mut self, at: usize, value: u64) {
        self.fired.running.globals().store(at, value);
    }

    fn load_global_bytes(&mut self, at: usize, into: &mut [u8]) {
        self.fired.running.globals().read_bytes(at, into);
    }

    fn store_global_bytes(&mut self, at: usize, bytes: &[u8]) {
        self.fired.running.globals().write_bytes(at, bytes);
    }

    fn load_global_text(&mut self, at: usize, into: &mut [u8]) -> usize {
        self.fired.running.globals().read_string(at, into)
    }

    fn store_global_text(&mut self, at: usize, room: usize, text: &[u8]) {
        self.fired.running.globals().write_string(at, room, text);
    }

    #[inline]
    fn aggregate(
        &mut self,
        aggregation: u32,
        keys: &[u64],
        value: u64,
        weight: u64,
    ) -> Result<(), Full> {
        let table = self.fired.running.active(self.fired.cpu).ok_or(Full)?;
        table.update(aggregation, keys, value, weight)
    }

    fn load_dynamic(&mut self, variable: u32, keys: &[u64]) -> u64 {
        let table = self.fired.running.dynamic();
        let thread = self.thread_of(variable);
        table
            .and_then(|table| table.load(variable, thread, keys))
            .unwrap_or(0)
    }

    fn load_dynamic_bytes(&mut self, variable: u32, keys: &[u64], into: &mut [u8]) -> bool {
        let thread = self.thread_of(variable);
        self.fired
            .running
            .dynamic()
            .is_some_and(|table| table.load_bytes(variable, thread, keys, into))
    }

    fn store_dynamic(&mut self, variable: u32, keys: &[u64], value: u64) {
        self.change_dynamic(variable, |table, thread| {
            table.store(variable, thread, keys, value)
        });
    }

    fn store_dynamic_bytes(&mut self, variable: u32, keys: &[u64], value: &[u8]) {
        self.change_dynamic(variable, |table, thread| {
            table.store_bytes(variable, thread, keys, value)
        });
    }

    fn free_dynamic(&mut self, variable: u32, keys: &[u64]) {
        self.change_dynamic(variable, |table, thread| {
            table.remove(variable, thread, keys)
        });
    }

    fn speculation(&mut self) -> u64 {
        self.fired.running.take_speculation()
    }

    fn speculate(&mut self, number: u64, bytes: u32) -> Result<u64, NotSpeculated> {
        let running = self.fired.running;
        let speculations = running.speculations();
        let mark = speculations.mark(number).ok_or(NotSpeculated::Inactive)?;
        let bytes = bytes.saturating_add(SPECULATION_BYTES);
        let most = running.loaded.sizes.specsize;
        if u64::from(bytes) > most {
            return Err(NotSpeculated::NoRoom);
        }
        if speculations.charge(mark, self.fired.moment.cpu, bytes, most) {
            Ok(mark)
        } else {
            Err(NotSpeculated::Full)
        }
    }

    fn end_speculation(&mut self, number: u64, commit: bool) -> Option<u64> {
        let speculations = self.fired.running.speculations();
        if commit {
            speculations.begin_end(number)
        } else {
            speculations.end(number)
        }
    }

    fn settle_speculation(&mut self, mark: u64, ended: bool) {
        self.fired.running.speculations().settle(mark, ended);
    }
}
