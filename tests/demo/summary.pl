#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# summary.pl TRACE HEADING:FUNCTIONS…: a table of calls, errors and latencies from rtctl's JSON (docs/json.md).
use strict;
use warnings;

# Functions that return nothing, or what is no error code.
my %no_error = map { $_ => 1 } qw(wake_up_new_task try_to_wake_up tcp_close inet_csk_accept);

# The number of a member, or the text of one.
sub member { my ($line, $name) = @_; return $line =~ /"$name":"?([^",}]*)/ ? $1 : undef }

# ns for people.
sub duration {
	my $ns = shift;
	return sprintf '%.0f ns', $ns if $ns < 1e3;
	return sprintf '%.1f us', $ns / 1e3 if $ns < 1e6;
	return sprintf '%.1f ms', $ns / 1e6 if $ns < 1e9;
	return sprintf '%.2f s', $ns / 1e9;
}

my ($path, @groups) = @ARGV;
my (%entries, %returns, %errors, %which, %sum, %most, $lost);
open my $trace, '<', $path or die "$path: $!\n";
while (my $line = <$trace>) {
	my $kind = member($line, 'kind') // next;
	if ($kind eq 'entry') {
		$entries{member($line, 'function')}++;
	} elsif ($kind eq 'return') {
		my $function = member($line, 'function');
		my $elapsed = member($line, 'elapsed');
		$returns{$function}++;
		$sum{$function} += $elapsed;
		$most{$function} = $elapsed if $elapsed > ($most{$function} // 0);
		my $errno = member($line, 'errno') // member($line, 'int_errno');
		if (defined $errno && !$no_error{$function}) {
			$errors{$function}++;
			$which{$function}{$errno}++;
		}
	} elsif ($kind eq 'lost') {
		$lost += member($line, 'count');
	}
}

printf "\n   %-10s %-18s %8s %8s %8s %11s %11s  %s\n",
	'', 'FUNCTION', 'CALLS', 'RETURNS', 'ERRORS', 'AVERAGE', 'LONGEST', '';
for (@groups) {
	my ($heading, $functions) = split /:/, $_, 2;
	for my $function (split ' ', $functions) {
		my $returned = $returns{$function} // 0;
		my $errnos = join ', ', sort keys %{$which{$function} // {}};
		printf "   %-10s %-18s %8d %8d %8s %11s %11s  %s\n", $heading, $function, $entries{$function} // 0, $returned,
			$no_error{$function} ? '-' : $errors{$function} // 0,
			$returned ? duration($sum{$function} / $returned) : '-',
			$returned ? duration($most{$function}) : '-', $errnos;
		$heading = '';
	}
}
print "\n   From rtctl's JSON, added up by summary.pl: a line for each entry and each return, its value and its time.\n";
print "   The longest calls are those that waited: for a connection, for data, for a child.\n";
print "   $lost events were lost; the ledger below says why.\n" if $lost;
