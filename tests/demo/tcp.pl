#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# tcp.pl REQUESTS: a TCP server on loopback, and a client that sends it so many requests, each in a process of its own.
use strict;
use warnings;
use IO::Socket::INET;

my $requests = shift // 1;
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "cannot listen: $@\n";
my $child = fork() // die "cannot fork: $!\n";
if ($child == 0) {
	my $connection = $server->accept() or die "cannot accept: $!\n";
	while (sysread($connection, my $request, 64)) {
		syswrite($connection, 'y' x 1024);
	}
	exit 0;
}
my $connection = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport) or die "cannot connect: $@\n";
for (1 .. $requests) {
	syswrite($connection, 'z' x 64);
	my $missing = 1024;
	while ($missing > 0) {
		$missing -= sysread($connection, my $reply, $missing) || die "the server went away\n";
	}
}
close $connection;
waitpid($child, 0);
exit $?;
