// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the host's command in the guest, as process 1, and sends what it prints and how it ends over a virtio-serial port.
 *
 * The stream to the host is a sequence of frames: one byte of kind ('o' standard output, 'e' standard error, 'x' exit
 * status), four bytes of length (little endian), the bytes. One ordered stream, so that the status comes after all output.
 * The command ends when its shell does; what it left in the background may keep the pipes open and is not waited for.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_NAME "lab"
#define SHELL_DIED_OF_SIGNAL 128

static int port = -1;
static volatile sig_atomic_t child_ended;

static void on_child(int signal)
{
	(void)signal;
	child_ended = 1;
}

static void say(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "<1>lab: %s", text);
		close(fd);
	}
}

static void power_off(void)
{
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void send_all(const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t n = write(port, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			say("the port to the host broke");
			power_off();
		}
		at += n;
		length -= n;
	}
}

static void send_frame(char kind, const void *bytes, uint32_t length)
{
	unsigned char head[5] = { kind, length, length >> 8, length >> 16, length >> 24 };

	send_all(head, sizeof(head));
	send_all(bytes, length);
}

/* The port's device node is found by the name that the host gave it. */
static int open_port(void)
{
	DIR *ports = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	char path[300], name[32];

	while (ports && (entry = readdir(ports))) {
		int fd, n;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, name, sizeof(name) - 1);
		close(fd);
		if (n <= 0)
			continue;
		name[n] = '\0';
		if (strcmp(name, PORT_NAME "\n"))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	return -1;
}

static pid_t start_command(const char *command, int out, int err)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, 0);
		dup2(out, 1);
		dup2(err, 2);
		signal(SIGCHLD, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Reaps everything, as process 1 must; returns whether the command's shell was among it. */
static int reap(pid_t shell, int *status)
{
	int seen = 0, s;
	pid_t pid;

	while ((pid = waitpid(-1, &s, WNOHANG)) > 0) {
		if (pid == shell) {
			*status = WIFEXITED(s) ? WEXITSTATUS(s) : SHELL_DIED_OF_SIGNAL + WTERMSIG(s);
			seen = 1;
		}
	}
	return seen;
}

/* Passes on what is there in a pipe; returns 0 when nothing was. */
static int pass_on(struct pollfd *from, char kind)
{
	static char buffer[65536];
	ssize_t n;

	if (from->fd < 0)
		return 0;
	n = read(from->fd, buffer, sizeof(buffer));
	if (n > 0) {
		send_frame(kind, buffer, n);
		return 1;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		from->fd = -1;
	return 0;
}

static char *read_command(void)
{
	FILE *file = fopen("/lab/command", "re");
	char *command = NULL;
	size_t size = 0;

	if (!file || getdelim(&command, &size, '\0', file) < 0)
		return NULL;
	return command;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	int out[2], err[2], status = 0, ended = 0;
	char *command = read_command();
	unsigned char code, byte;
	sigset_t blocked, open_mask;
	struct pollfd pipes[2];
	pid_t shell;

	port = open_port();
	if (port < 0 || !command) {
		say("no port to the host or no command");
		power_off();
	}
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &open_mask);
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		power_off();
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);

	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	shell = start_command(command, out[1], err[1]);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	close(out[1]);
	close(err[1]);
	pipes[0] = (struct pollfd){ .fd = out[0], .events = POLLIN };
	pipes[1] = (struct pollfd){ .fd = err[0], .events = POLLIN };

	while (!ended) {
		if (ppoll(pipes, 2, NULL, &open_mask) > 0) {
			pass_on(&pipes[0], 'o');
			pass_on(&pipes[1], 'e');
		}
		if (child_ended) {
			child_ended = 0;
			ended = reap(shell, &status);
		}
	}
	while (pass_on(&pipes[0], 'o') | pass_on(&pipes[1], 'e'))
		;

	/* The console is behind: once the host reads this line there, it has read every message before it. */
	say("the command has ended");
	code = status;
	send_frame('x', &code, 1);
	/* The host ends the machine. It closes the port or sends a byte when it would rather have it end itself. */
	while (read(port, &byte, 1) < 0 && errno == EINTR)
		;
	power_off();
}
