#!/usr/bin/perl
# Run tests side by side and end with "N passed, N failed, N skipped".
#
#     tests/run.pl [-j JOBS] TEST ...
#
# A test is a program that prints TAP. A skipped one is listed with its reason;
# a program that dies or prints no plan counts as one failure more.
use strict;
use warnings;
use TAP::Harness;

my $jobs = 2;
if (@ARGV and $ARGV[0] eq '-j') {
    shift;
    $jobs = shift;
}
my (@skipped, %current);
my $harness = TAP::Harness->new({
    jobs => $jobs,
    timer => 1,
    color => 0,
    merge => 0,
    failures => 1,
    exec => sub { [$_[1]] },
});
$harness->callback(made_parser => sub {
    my ($parser, $job) = @_;
    my $file = ref $job eq 'ARRAY' ? $job->[1] : $job;
    $parser->callback(test => sub {
        my ($result) = @_;
        push @skipped, "$file: " . $result->description . ': '
            . $result->explanation if $result->has_skip;
    });
});
my $all = $harness->runtests(@ARGV);

# Those that ended badly though no single test of theirs failed.
my $broken = grep {
    my ($parser) = $all->parsers($_);
    $parser->has_problems and not $parser->failed;
} $all->descriptions;
my $skipped = $all->skipped;
my $failed = $all->failed + $broken;
print "skipped: $_\n" for @skipped;
printf "%d passed, %d failed, %d skipped\n",
    $all->passed - $skipped, $failed, $skipped;
exit($failed ? 1 : 0);
