# What the document makers share: deterministic choices, record layouts, and the one-line form of a
# document that corpus.sh sorts: order, TAB, split, TAB, source, TAB, text with line ends as \x01.
package Corpus;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT =
    qw(hash32 seed below pick chance split_of emit emit_prose record clean article join_list
    slurp);

use constant LIMIT => 2000;    # characters a document

# FNV-1a, 32 bits.
sub hash32 {
    my $h = 2166136261;
    $h = (($h ^ $_) * 16777619) & 0xffffffff for unpack 'C*', $_[0];
    return $h;
}

my $state = 1;

# All choices about one thing follow from its name, not from what came before it.
sub seed { $state = hash32($_[0]) ^ 0x9e3779b9; below(2) for 1 .. 3 }

sub below {
    $state = ($state * 1103515245 + 12345) & 0xffffffff;
    return int(($state >> 8) * $_[0] / (1 << 24));
}

sub pick   { return $_[ below(scalar @_) ] }
sub chance { return below(1000) < 1000 * $_[0] }

sub clean {
    my ($text) = @_;
    utf8::decode($text) unless utf8::is_utf8($text);
    $text =~ s/[\x00-\x08\x0b-\x1f\x7f-\x9f\x{ad}\x{fffd}]//g;
    $text =~ tr/\t\x{a0}/  /;
    $text =~ s/ +\n/\n/g;
    $text =~ s/\n{3,}/\n\n/g;
    $text =~ s{^(?: {2,}|\s*\n)+|\s+$}{}g;
    return $text;
}

# About one in a hundred keys is held out.
sub split_of { return hash32("split/$_[0]") % 100 == 0 ? 'heldout' : 'train' }

# One document. `key` decides the split, so that everything about one thing is on one side.
my %count;

sub emit {
    my ($source, $key, $text) = @_;
    $text = clean($text);
    return if length($text) < 40;
    $text = substr($text, 0, LIMIT) =~ s/\s\S*$//r if length($text) > LIMIT;
    my $order = hash32("$source/$key/" . $count{$source}++);
    my $split = split_of($key);
    $text =~ s/\n/\x01/g;
    utf8::encode($text);
    printf "%08x\t%s\t%s\t%s\n", $order, $split, $source, $text;
}

# Running text: paragraphs are put together up to the limit.
sub emit_prose {
    my ($source, $key, @paragraphs) = @_;
    my ($document, $part) = ('', 0);
    for my $paragraph (@paragraphs) {
        if (length($document) + length($paragraph) > LIMIT && length $document) {
            emit($source, "$key#" . $part++, $document);
            $document = '';
        }
        $document .= "$paragraph\n\n";
    }
    emit($source, "$key#$part", $document);
}

# A whole file as text; gzip and dictzip files are unpacked.
sub slurp {
    my ($path) = @_;
    my @open = $path =~ /[gd]z$/ ? ('-|', 'gzip', '-dc', '--') : ('<');
    open(my $file, $open[0], @open[ 1 .. $#open ], $path) or die "$path: $!\n";
    local $/;
    my $text = <$file> // '';
    utf8::decode($text);
    return $text;
}

sub article { return $_[0] =~ /^(?:[aeio]|u(?!ni|s[ei]|ti))/i ? 'an' : 'a' }

sub join_list {
    my @items = @_;
    return $items[0] if @items == 1;
    my $last = pop @items;
    return join(', ', @items) . " and $last";
}

# A record in one of four layouts. Facts are [relation name, value...]; `title` names the subject's
# own key ("package", "word", ...).
sub record {
    my ($title, $subject, @facts) = @_;
    my $layout = below(4);
    if ($layout == 0) {
        my @lines = map {
            my ($name, @values) = @$_;
            map { ucfirst($name) . ": $_" } @values
        } @facts;
        return join "\n", ucfirst($title) . ": $subject", @lines;
    }
    if ($layout == 1) {
        return join '; ', "$title = $subject",
            map { my ($name, @values) = @$_; "$name = " . join(', ', @values) } @facts;
    }
    if ($layout == 2) {
        return " $title : $subject | " . join ' | ',
            map {
            my ($name, @values) = @$_;
            map {"$name : $_"} @values
            } @facts;
    }
    return triples(map { [ $subject, @$_ ] } @facts);
}

# [subject, relation, value...] facts as " : s | r | o | s | r | o".
sub triples {
    return ' : ' . join ' | ',
        map {
        my ($subject, $name, @values) = @$_;
        map {"$subject | $name | $_"} @values
        } @_;
}

1;
