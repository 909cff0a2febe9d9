// SPDX-License-Identifier: GPL-2.0
/*
 * Calls one system call in batches, and prints what one call took.
 *
 *   calls now                               the time, in ns of CLOCK_MONOTONIC
 *   calls NUMBER ARGUMENT BATCH [THREADS]   BATCHES batches of BATCH calls of system call NUMBER
 *
 * The second prints a line of six numbers: when it began, when it ended, then ns per call of the fastest batch, the
 * median and the slowest, and how many calls it made in all. Under `qemu -icount shift=0` one ns is one instruction.
 * With THREADS each thread makes BATCH calls at the same time as the others; a batch is over when the last one is.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 21
/* Calls before the first batch: what is done once (a page is touched, text is patched) is done by then. */
#define WARM_UP 20
#define THREADS_MAX 64

static struct {
	long number, argument, batch;
	pthread_barrier_t barrier;
} work;

static unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void make_calls(long count)
{
	while (count-- > 0)
		syscall(work.number, work.argument, 0, 0);
}

/* All threads but the first: they make the calls of each batch, and measure nothing. */
static void *follow(void *unused)
{
	(void)unused;
	for (int i = 0; i < BATCHES; i++) {
		pthread_barrier_wait(&work.barrier);
		make_calls(work.batch);
		pthread_barrier_wait(&work.barrier);
	}
	return NULL;
}

static double batch(int threads)
{
	unsigned long long begun, ended;

	if (threads > 1)
		pthread_barrier_wait(&work.barrier);
	begun = now();
	make_calls(work.batch);
	if (threads > 1)
		pthread_barrier_wait(&work.barrier);
	ended = now();
	return (double)(ended - begun) / work.batch;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int count, char **words)
{
	int threads = count > 4 ? atoi(words[4]) : 1;
	pthread_t others[THREADS_MAX];
	unsigned long long begun = now();
	double took[BATCHES];

	if (count == 2 && !strcmp(words[1], "now")) {
		printf("%llu\n", begun);
		return 0;
	}
	if (count < 4 || threads < 1 || threads > THREADS_MAX) {
		fprintf(stderr, "usage: calls now | calls NUMBER ARGUMENT BATCH [THREADS]\n");
		return 2;
	}
	work.number = strtol(words[1], NULL, 0);
	work.argument = strtol(words[2], NULL, 0);
	work.batch = strtol(words[3], NULL, 0);
	if (work.batch < 1)
		return 2;
	pthread_barrier_init(&work.barrier, NULL, threads);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&others[i], NULL, follow, NULL))
			return 1;

	make_calls(WARM_UP);
	for (int i = 0; i < BATCHES; i++)
		took[i] = batch(threads);
	for (int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);

	qsort(took, BATCHES, sizeof(took[0]), ascending);
	printf("%llu %llu %.2f %.2f %.2f %ld\n", begun, now(), took[0], took[BATCHES / 2], took[BATCHES - 1],
	       WARM_UP + BATCHES * work.batch * threads);
	return 0;
}
