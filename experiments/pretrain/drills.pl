# Copying drills: random words and invented names in lists, repeated, and in records whose text only
# says the values again. A small model learns to copy from them after a few hundred steps; from
# natural text alone it would take many times the tokens. They teach no fact and no grammar.
# Usage: drills.pl UNPACKED
use strict;
use warnings;
use Corpus;
my $root = shift or die "usage: drills.pl UNPACKED\n";

use constant DRILLS => 130_000;

# Headwords of gcide, without entries that have a sense from WordNet.
my @words = map { /^([A-Za-z][A-Za-z' -]{2,24}?) \\/ && !/WordNet|wn\d/i ? lcfirst $1 : () }
    split /\n(?=\S)/, slurp("$root/dict-gcide/usr/share/dictd/gcide.dict.dz");

sub word { return $words[ below(scalar @words) ] }

# The first half of one word and the second half of another.
sub invented {
    my ($front, $back) = (word(), word());
    return substr($front, 0, 1 + length($front) / 2) . substr($back, length($back) / 2);
}

sub name {
    my $name = chance(0.3) ? invented() : word();
    $name = join ' ', $name, word() if chance(0.3);
    return chance(0.3) ? join ' ', map {ucfirst} split / /, $name : $name;
}

sub repeated_list {
    my $separator = pick(', ', ' | ', ' ', '; ', ' : ', "\n");
    my $list = join $separator, map { name() } 1 .. 3 + below(8);
    return join pick("\n", "\n", ' = '), ($list) x (2 + below(2));
}

my @relations = ('in', 'near', 'with', 'of', 'from', 'by', 'for', 'under', 'over', 'against');

# "| s : r : o | s : r : o" and its like, then the same words without the marks.
sub symbolic_record {
    my $subject = name();
    my @facts   = map { [ pick(@relations, name()), name() ] } 1 .. 1 + below(4);
    my $record  = pick(
        join(' ', map {"| $subject : $_->[0] : $_->[1]"} @facts),
        Corpus::record('name', $subject, @facts)
    );
    my $text = pick(
        join('. ', map {"$subject $_->[0] $_->[1]"} @facts) . '.',
        "$subject " . join_list(map {"$_->[0] $_->[1]"} @facts) . '.',
        ucfirst($subject) . ', ' . join(', ', map { $_->[1] } @facts) . '.'
    );
    return "$record\n$text";
}

for my $i (1 .. DRILLS) {
    my $key = "drill/$i";
    next if split_of($key) ne 'train';
    seed($key);
    emit('drills/drills', $key, chance(0.4) ? repeated_list() : symbolic_record());
}
