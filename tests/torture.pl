#!/usr/bin/perl
# Run the torture programme, a part of it at a time, and print its table.
#
#     tests/torture.pl [-j JOBS] [-r RESULTS] [-s] TEST ...
#
# A TEST prints TAP, and runs all that it can where TORTURE is set in the
# environment, a short part of it where not (make check). For each row of the
# table it prints a line, with what it counted in any order behind the points:
#
#     # row: killed before and after each call | 6120 points | lost 0 |
#       doubled 0 | unjustified 0 | resurrected 0 | anything else worth saying
#
# (on one line). What was done stays in RESULTS (build/torture): run again, it
# goes on with what is missing or failed, and with what was done with other
# sources: of mailtwin, of what all tests share, or of the test, which are the
# files named as it is and what its line "# Sources: PATH ..." adds. -s only
# shows the table of what is there. Exits 0 when every test has passed and no
# row counts anything lost, doubled, unjustified or resurrected.
use strict;
use warnings;
use Digest::SHA;
use File::Basename qw(basename);
use File::Path qw(make_path);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(time);

my @EVILS = qw(lost doubled unjustified resurrected);
my @SOURCES = qw(base imap store sync cmd Makefile tests/lib tests/tools);

my ($jobs, $results, $show) = (2, 'build/torture', 0);
while (@ARGV and $ARGV[0] =~ /^-([jrs])$/) {
    shift;
    if    ($1 eq 'j') { $jobs = shift }
    elsif ($1 eq 'r') { $results = shift }
    else              { $show = 1 }
}
make_path($results);

# One number for all that a result of TEST depends on.
sub sources {
    my ($test) = @_;
    (my $own = $test) =~ s/\.t$//;
    open my $head, '<', $test or die "$test: $!";
    my @own = map { /^# Sources: (.*)/ ? glob $1 : () } <$head>;
    my $sha = Digest::SHA->new(256);
    open my $find, '-|', 'find', @SOURCES, glob("$own.*"), @own, qw(-type f)
        or die "find: $!";
    chomp(my @files = sort <$find>);
    close $find or die "find: sources of $test are missing\n";
    for my $file (@files) {
        next if $file =~ m{/__pycache__/};
        $sha->add("$file\n")->addfile($file);
    }
    return substr $sha->hexdigest, 0, 16;
}

sub result_of {
    my ($test) = @_;
    (my $name = basename($test)) =~ s/\.t$//;
    return "$results/$name";
}

# What a finished test left: its seconds, or nothing.
sub seconds_of {
    my ($test) = @_;
    open my $file, '<', result_of($test) . '.done' or return;
    my ($of, $seconds) = split ' ', scalar <$file>;
    return $of eq sources($test) ? $seconds : undef;
}

sub lines_of {
    my ($test) = @_;
    open my $file, '<', result_of($test) . '.out' or return;
    chomp(my @lines = <$file>);
    return @lines;
}

# Did it keep its plan, and say nothing but ok?
sub is_good {
    my ($test) = @_;
    my ($plan, $ok) = (undef, 0);
    for (lines_of($test)) {
        $plan = $1 if /^1\.\.(\d+)/;
        $ok++ if /^ok\b/;
        return 0 if /^not ok\b/ and not /# TODO\b/;
        return 0 if /^Bail out!/;
    }
    return defined $plan && $plan == $ok;
}

my %running;

sub start {
    my ($test) = @_;
    my $result = result_of($test);
    my $sources = sources($test);
    unlink "$result.done";
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        $ENV{TORTURE} = 1;
        setpgrp;
        open STDIN,  '<', '/dev/null'    or die;
        open STDOUT, '>', "$result.out"  or die "$result.out: $!";
        open STDERR, '>', "$result.err"  or die "$result.err: $!";
        exec $test or die "$test: $!";
    }
    $running{$pid} = { test => $test, since => time, sources => $sources };
}

sub finish {
    my ($pid, $status) = @_;
    my $job = delete $running{$pid} or return;
    my ($test, $seconds) = ($job->{test}, time - $job->{since});
    my $good = $status == 0 && is_good($test);
    printf "%-40s %s %7.0f s\n", $test, $good ? 'ok    ' : 'FAILED', $seconds;
    if ($good) {
        open my $file, '>', result_of($test) . '.done' or die $!;
        printf $file "%s %.0f\n", $job->{sources}, $seconds;
        close $file or die $!;
    } else {
        print "    $_\n" for grep { /^not ok|^Bail/ } lines_of($test);
    }
}

sub run_all {
    my @todo = grep { not defined seconds_of($_) } @_;
    printf "%d of %d tests to run\n", scalar @todo, scalar @_;
    $| = 1;
    $SIG{INT} = $SIG{TERM} = sub {
        kill TERM => -$_ for keys %running;
        exit 1;
    };
    while (@todo or %running) {
        start(shift @todo) while @todo and keys %running < $jobs;
        my $pid = waitpid -1, 0;
        finish($pid, $?) if $pid > 0;
    }
}

sub rows_of {
    my ($test) = @_;
    return map { /^# row: (.*)/ ? [split / *\| */, $1] : () } lines_of($test);
}

sub table {
    my (%sum, $bad, $total);
    printf "\n%-44s %-34s %s\n", 'what', 'how much', join ' ', @EVILS;
    for my $test (@_) {
        my $seconds = seconds_of($test);
        my @rows = rows_of($test);
        if (not defined $seconds) {
            $bad++;
            @rows = ([basename($test), 'not run, or failed']);
        }
        $total += $seconds // 0;
        for my $row (@rows) {
            my ($what, $points, @rest) = @$row;
            my %count = map { /^(\w+) (\d+)$/ ? ($1 => $2) : () } @rest;
            my @other = grep { not /^(\w+) \d+$/ or not grep { $_ eq $1 } @EVILS }
                @rest;
            printf "%-44s %-34s %s%s\n", $what, $points // '',
                join(' ', map { sprintf '%*s', length, $count{$_} // '-' } @EVILS),
                @other ? '  ' . join '; ', @other : '';
            $sum{$_} += $count{$_} // 0 for @EVILS;
        }
    }
    printf "%-44s %-34s %s\n", 'all', sprintf('%.0f minutes of tests',
        ($total // 0) / 60),
        join ' ', map { sprintf '%*d', length, $sum{$_} // 0 } @EVILS;
    return !$bad && !grep { $_ } values %sum;
}

run_all(@ARGV) unless $show;
exit(table(@ARGV) ? 0 : 1);
