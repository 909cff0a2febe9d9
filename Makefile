# SPDX-License-Identifier: GPL-2.0
#
# The project's commands. Without KDIR everything is built in the lab (scripts/), which needs Debian, root and network;
# with KDIR=TREE the module is built against that prepared kernel tree, and the tool, by what this machine has.

PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
MANDIR = $(DESTDIR)$(PREFIX)/share/man
NAME = rust_tracer

ifdef KDIR
release = $(shell cat $(KDIR)/include/config/kernel.release)
tool = userspace-ctl/target/release/rtctl
else
release = $(shell cat $$(scripts/lab/kernel-packages)/release)
tool = $(shell scripts/lab/tool)
endif

.DEFAULT_GOAL := help
.PHONY: help all module tool demo test test-host test-guest test-debug test-long test-rules fuzz bench lint install uninstall clean clean-cache rust-analyzer

help:
	@echo 'make demo           set everything up, trace real kernel functions, show what they did'
	@echo 'make test           set everything up, run every test; the last line is "N passed, N failed"'
	@echo 'make test-host      the tests that need no guest'
	@echo 'make test-guest     the tests in a guest on the stock kernel'
	@echo 'make test-debug     the same on a kernel with KASAN, lockdep and more, which is built first, and a long fuzz'
	@echo 'make test-long      what takes hours: a million random programs, each allocation failed, loading a thousand times'
	@echo 'make test-rules     takes away each rule of access in turn, and sees that a test notices'
	@echo 'make fuzz           hostile user space in one guest after the other, without end'
	@echo 'make bench          count what tracing costs, with other tracers beside it, and check the bars (FUNCTION=NAME)'
	@echo 'make lint           formatting, clippy and shellcheck'
	@echo 'make all            build the module and the tool'
	@echo 'make module         build rust_tracer/rust_tracer.ko for Debian'"'"'s stock kernel, in the lab'
	@echo 'make tool           build rtctl'
	@echo 'make install        install module, tool, headers, man page, documents, completions, udev rules, groups (PREFIX, DESTDIR)'
	@echo 'make uninstall      remove them again'
	@echo 'make rust-analyzer  write rust-project.json, for editors, for the kernel half'
	@echo 'make clean          remove what was built in this checkout'
	@echo 'make clean-cache    remove what the lab keeps outside it'
	@echo
	@echo 'KDIR=TREE           with all, module, tool, install: no lab, this kernel tree and this machine'"'"'s tools'
	@echo 'scripts/vm --help   boot the guest and run a command, or get a shell in it'

all: module tool

ifdef KDIR
module:
	@scripts/check-kdir '$(KDIR)'
	@rm -f rust_tracer/.lab.kernel
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' modules

tool:
	cd userspace-ctl && $(CARGO) build --release --locked --package rtctl --bins
else
module:
	@scripts/lab/announce
	@scripts/lab/module

tool:
	@scripts/lab/announce
	@scripts/lab/tool
endif

demo:
	@scripts/lab/host-needs
	@scripts/vm run --put tests/demo --timeout 300 -- sh /root/demo/run.sh

test:
	@scripts/lab/host-needs
	@scripts/test --short host lint guest debug one rogue

test-host:
	@scripts/lab/host-needs
	@scripts/test host

test-guest:
	@scripts/lab/host-needs
	@scripts/test guest

test-debug:
	@scripts/lab/host-needs
	@scripts/test debug-fuzz one

test-long:
	@scripts/lab/host-needs
	@scripts/test random random2 rogue rogue2 shortage hotplug reload shared fprobe shared-debug fprobe-debug kcsan

test-rules:
	@scripts/lab/host-needs
	@scripts/test-rules

fuzz:
	@scripts/lab/host-needs
	@scripts/fuzz

bench:
	@scripts/lab/host-needs
	@scripts/bench $(addprefix --function=,$(FUNCTION))

lint:
	@scripts/lab/host-needs
	@scripts/test lint

install: all
	@scripts/check-install '$(tool)' '$(PREFIX)'
	install -D -m 644 rust_tracer/rust_tracer.ko $(DESTDIR)/lib/modules/$(release)/updates/rust_tracer.ko
	install -D -m 755 $(tool) $(DESTDIR)$(PREFIX)/bin/rtctl
	install -d $(DESTDIR)$(PREFIX)/sbin
	ln -sf ../bin/rtctl $(DESTDIR)$(PREFIX)/sbin/rtctl
	install -D -m 644 packaging/60-rust_tracer.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-rust_tracer.rules
	install -D -m 644 packaging/rust_tracer.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/rust_tracer.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/rust_tracer include/uapi/*.h
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/rust_tracer docs/*.md
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/rust_tracer/examples docs/examples/*
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/share/doc/rust_tracer/examples userspace-ctl/examples/*.d
	@scripts/install-docs '$(tool)' '$(DESTDIR)$(PREFIX)/share'
	@[ -n '$(DESTDIR)' ] || scripts/activate '$(release)'

# Of all kernels, and without asking which one it was built for.
uninstall:
	rm -f $(DESTDIR)/lib/modules/*/updates/rust_tracer.ko $(DESTDIR)$(PREFIX)/bin/rtctl $(DESTDIR)$(PREFIX)/sbin/rtctl \
		$(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-rust_tracer.rules $(DESTDIR)$(PREFIX)/lib/sysusers.d/rust_tracer.conf \
		$(MANDIR)/man8/rtctl.8 $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rtctl \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rtctl $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rtctl.fish
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/rust_tracer $(DESTDIR)$(PREFIX)/include/rust_tracer
	@[ -n '$(DESTDIR)' ] || scripts/activate

rust-analyzer:
	@scripts/rust-analyzer

clean:
	@scripts/clean

clean-cache:
	rm -rf --one-file-system -- "$${XDG_CACHE_HOME:-$$HOME/.cache}/rust_tracer"
