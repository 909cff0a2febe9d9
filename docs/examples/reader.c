// SPDX-License-Identifier: GPL-2.0
/*
 * A complete reader of the rust_tracer ABI: traces the functions that a glob names for some
 * seconds, prints their records CPU by CPU, and closes with the ledger. docs/abi.md explains it.
 *
 *   gcc -O2 -Wall -Wextra -I include/uapi docs/examples/reader.c -o reader && ./reader 'vfs_*' 2
 *   ./reader 'vfs_*' 2 user # by another node than kernel
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rust_tracer.h"

struct ring {
	const struct rtrace_ring_status *status; /* NULL: the CPU has no ring (yet) */
	uint64_t *consumer;
	const unsigned char *data;
	uint64_t position; /* read up to here */
};

static int session;
static struct rtrace_info info = { .size = sizeof(info) };
static struct rtrace_status status = { .size = sizeof(status) };
static struct ring *rings; /* by CPU number */
static char **names;	   /* what each probe is called, by index */
static uint32_t names_count;

static void die(const char *what)
{
	fprintf(stderr, "reader: %s\n", what);
	exit(1);
}

/* Carries out a command; if it fails, the module has left a sentence. */
static void command(unsigned long number, void *argument)
{
	char text[512] = "";
	struct rtrace_error error = {
		.size = sizeof(error), .buf = (uintptr_t)text, .buf_len = sizeof(text) - 1,
	};

	if (ioctl(session, number, argument) == 0)
		return;
	number = errno;
	ioctl(session, RTRACE_IOC_LAST_ERROR, &error);
	die(error.len ? text : strerror(number));
}

static void *map(uint32_t cpu, uint64_t area, size_t bytes, int protection)
{
	void *at = mmap(NULL, bytes, protection, MAP_SHARED, session, RTRACE_MMAP_OFFSET(cpu, area));

	if (at == MAP_FAILED && errno != ENXIO) /* ENXIO: this CPU has no ring */
		die(strerror(errno));
	return at == MAP_FAILED ? NULL : at;
}

/* Maps the rings that are not mapped: all at first, later those of CPUs that came online. */
static void map_rings(void)
{
	for (uint32_t cpu = 0; cpu < info.cpus; cpu++) {
		struct ring *ring = &rings[cpu];

		if (ring->status || !(ring->status = map(cpu, RTRACE_AREA_STATUS, info.page_size, PROT_READ)))
			continue;
		ring->consumer = map(cpu, RTRACE_AREA_CONSUMER, info.page_size, PROT_READ | PROT_WRITE);
		ring->data = map(cpu, RTRACE_AREA_DATA, status.ring_bytes, PROT_READ);
		ring->position = *ring->consumer;
	}
}

/* Learns what probes are called: all at first, later those in modules that were loaded. */
static void learn_names(void)
{
	static unsigned char buf[65536] __attribute__((aligned(8)));
	struct rtrace_probes probes = {
		.size = sizeof(probes), .buf = (uintptr_t)buf, .buf_len = sizeof(buf),
	};

	do {
		probes.first = names_count;
		command(RTRACE_IOC_PROBES, &probes);
		names = realloc(names, (probes.total + 1) * sizeof(*names));
		for (unsigned char *at = buf; names && at < buf + probes.filled;) {
			struct rtrace_probe *probe = (void *)at;
			char *text = (char *)(probe + 1);
			const char *kind = probe->kind == RTRACE_KIND_RETURN ? "return" : "entry";

			if (asprintf(&names[names_count++], "%.*s:%.*s:%s", probe->module_len, text,
				     probe->name_len, text + probe->module_len, kind) < 0)
				die("out of memory");
			at += probe->entry_size;
		}
	} while (probes.next < probes.total);
}

static void show(uint32_t cpu, const struct rtrace_record *record)
{
	const struct rtrace_record_entry *entry = (const void *)record; /* the others begin as it does */
	const struct rtrace_record_return *ret = (const void *)record;
	const struct rtrace_record_called *called = (const void *)record;
	const struct rtrace_record_returned *returned = (const void *)record;
	const struct rtrace_record_lost *lost = (const void *)record;
	uint32_t type = RTRACE_RECORD_TYPE(record->info);

	if (type == RTRACE_RECORD_LOST)
		printf("%3u %16llu %llu firings lost\n", cpu, record->time, lost->count);
	if (type < RTRACE_RECORD_ENTRY || type > RTRACE_RECORD_RETURNED)
		return; /* PAD and DISCARD as well, and types that a later minor version adds */
	if (entry->probe >= names_count)
		learn_names();
	printf("%3u %16llu %7u %s", entry->cpu, record->time, entry->tid, names[entry->probe]);
	if (type == RTRACE_RECORD_ENTRY)
		printf(" %#llx %#llx %#llx\n", entry->args[0], entry->args[1], entry->args[2]);
	else if (type == RTRACE_RECORD_RETURN)
		printf(" = %lld in %llu ns\n", (long long)ret->value, ret->elapsed);
	else if (type == RTRACE_RECORD_CALLED)
		printf(" by %.16s of user %u\n", called->execname, called->uid);
	else
		printf(" by %.16s of user %u, result %d in %llu ns\n", returned->execname, returned->uid,
		       returned->result, returned->elapsed);
}

static void drain(uint32_t cpu, struct ring *ring)
{
	uint64_t end = __atomic_load_n(&ring->status->published, __ATOMIC_ACQUIRE);
	uint64_t at = ring->position, size = status.ring_bytes;

	while (at < end) {
		const struct rtrace_record *record = (const void *)(ring->data + at % size);
		uint32_t len = RTRACE_RECORD_LEN(record->info);

		if (len < 8 || len % 8 || len > end - at || len > size - at % size ||
		    record->position != (uint32_t)(at >> 3))
			die("a ring holds what the module never writes");
		show(cpu, record);
		at += len;
	}
	ring->position = at;
	__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
}

static void drain_all(void)
{
	for (uint32_t cpu = 0; cpu < info.cpus; cpu++)
		if (rings[cpu].status)
			drain(cpu, &rings[cpu]);
}

int main(int argc, char **argv)
{
	struct rtrace_add add = { .size = sizeof(add), .flags = RTRACE_PROBE_ENTRY | RTRACE_PROBE_RETURN };
	struct rtrace_start start = { .size = sizeof(start) };
	struct rtrace_ledger_row sum;
	char node[64];
	uint64_t dropped = 0;
	struct rtrace_ledger ledger = {
		.size = sizeof(ledger), .buf = (uintptr_t)&sum, .buf_len = sizeof(sum),
		.flags = RTRACE_LEDGER_SUM_CPUS | RTRACE_LEDGER_SUM_PROBES,
	};

	if (argc < 3)
		die("usage: reader FUNCTION-GLOB SECONDS [NODE]");
	snprintf(node, sizeof(node), RTRACE_NODE_DIR "/%s", argc > 3 ? argv[3] : "kernel");
	session = open(node, O_RDWR | O_CLOEXEC);
	if (session < 0)
		die(strerror(errno));
	command(RTRACE_IOC_INFO, &info);
	if (info.abi_major != RTRACE_ABI_MAJOR)
		die("the module speaks another ABI");
	add.function = (uintptr_t)argv[1];
	add.function_len = strlen(argv[1]);
	command(RTRACE_IOC_ADD, &add);
	command(RTRACE_IOC_START, &start);
	command(RTRACE_IOC_STATUS, &status);
	rings = calloc(info.cpus, sizeof(*rings));
	if (!rings)
		die("out of memory");
	learn_names();
	map_rings();
	for (time_t end = time(NULL) + atoi(argv[2]); time(NULL) < end;) {
		struct pollfd wait = { .fd = session, .events = POLLIN };

		drain_all();
		poll(&wait, 1, 100); /* below the watermark nobody wakes us */
		if (wait.revents & POLLHUP) /* somebody else ended the session; its rings stay */
			break;
		if (rings[0].status->generation != status.generation) { /* CPU 0 is always there */
			status.generation = rings[0].status->generation;
			map_rings();
		}
	}
	command(RTRACE_IOC_STOP, NULL);
	map_rings();
	drain_all();
	command(RTRACE_IOC_LEDGER, &ledger);
	for (uint32_t reason = 0; reason < RTRACE_DROPS; reason++)
		dropped += sum.dropped[reason];
	printf("fired %llu = recorded %llu + filtered %llu + dropped %llu\n", sum.fired, sum.recorded,
	       sum.filtered, (unsigned long long)dropped);
	return 0;
}
