# Running prose: the paragraphs of manuals in HTML, POD and plain text, and fortune cookies.
# Usage: prose.pl UNPACKED
use strict;
use warnings;
use Corpus;
my $root = shift or die "usage: prose.pl UNPACKED\n";

my %entities = (
    amp    => '&', lt    => '<', gt => '>', quot => '"', nbsp => ' ', ndash => '-', mdash => '--',
    rsquo  => "'", lsquo => "'", ldquo => '"', rdquo => '"', hellip => '...', copy => "\x{a9}",
    eacute => "\x{e9}", uuml => "\x{fc}", ouml => "\x{f6}", auml => "\x{e4}"
);

sub files {
    my ($folder, $pattern) = @_;
    my @found;
    my @open = ($folder);
    while (defined(my $at = shift @open)) {
        opendir my $list, $at or next;
        for my $name (sort readdir $list) {
            next if $name =~ /^\.\.?$/;
            my $path = "$at/$name";
            if    (-d $path && !-l $path)          { push @open,  $path }
            elsif ($path =~ $pattern && !-l $path) { push @found, $path }
        }
    }
    return @found;
}

# What ends a paragraph.
my $block = qr/p|h[1-4]|div|ul|ol|li|dl|dd|dt|blockquote/i;

sub html_paragraphs {
    my ($text) = @_;
    $text =~ s{<(script|style|pre|table|head)\b.*?</\1>}{}sgi;
    my @paragraphs;
    while ($text =~
m{<(p\b|h[1-4]\b|div class="para")[^>]*>(.*?)(?=</?(?:$block)\b)}sgi
        )
    {
        my $inner = $2;
        $inner =~ s/<[^>]*>//g;
        $inner =~ s/&#(\d+);/chr $1/ge;
        $inner =~ s/&#x([0-9a-f]+);/chr hex $1/gie;
        $inner =~ s/&(\w+);/$entities{$1} \/\/ ''/ge;
        $inner =~ s/[\x{b6}\x{f0c1}]//g;
        $inner =~ s/\s+/ /g;
        $inner =~ s/^ | $//g;
        push @paragraphs, $inner if length $inner > 25;
    }
    return @paragraphs;
}

sub pod_paragraphs {
    my ($text) = @_;
    my @paragraphs;
    for my $paragraph (split /\n\s*\n/, $text) {
        next if $paragraph =~ /^[ \t=]|^#/;
        1 while $paragraph =~ s/[A-Z]<<? ?(?:[^<>|]*\|)?([^<>]*?) ?>>?/$1/g;
        $paragraph         =~ s/\s+/ /g;
        push @paragraphs, $paragraph if length $paragraph > 40;
    }
    return @paragraphs;
}

# [package, folder inside it, files]
my @manuals = (
    [ 'anarchism',       'usr/share/doc/anarchism/html',             qr/\.html$/ ],
    [ 'debian-handbook', 'usr/share/doc/debian-handbook/html/en-US', qr/\.html$/ ],
    [ 'debian-policy',   'usr/share/doc/debian-policy/policy.html',  qr/\.html$/ ],
    [
        'developers-reference', 'usr/share/developers-reference',
        qr{^(?!.*/(?:de|fr|it|ja|ru)/).*\.html$}
    ],
    [ 'harden-doc',               'usr/share/doc/harden-doc/html/en-US',       qr/\.html$/ ],
    [ 'maint-guide',              'usr/share/doc/maint-guide/html',            qr/\.en\.html$/ ],
    [ 'aptitude-doc-en',          'usr/share/doc/aptitude/html/en',            qr/\.html$/ ],
    [ 'debian-faq',               'usr/share/doc/debian/FAQ',                  qr/\.en\.html$/ ],
    [ 'debian-reference-en',      'usr/share/debian-reference',                qr/\.en\.html$/ ],
    [ 'installation-guide-amd64', 'usr/share/doc/installation-guide-amd64/en', qr/\.html$/ ],
    [ 'git-doc',                  'usr/share/doc/git-doc',                     qr/\.html$/ ],
    [
        'python3.11-doc', 'usr/share/doc/python3.11/html',
        qr{/(?:library|tutorial|howto|faq|reference|whatsnew)/.*\.html$}
    ],
);
my %used;
for my $manual (@manuals) {
    my ($package, $folder, $pattern) = @$manual;
    for my $path (files("$root/$package/$folder", $pattern)) {
        my ($name) = $path =~ m{([^/]+)$};
        next if $package eq 'anarchism' && Corpus::hash32($name) % 2;    # half is plenty
        emit_prose("$package/prose", "$package/$name",
            grep { !$used{$_}++ } html_paragraphs(slurp($path)));
    }
}
for my $path (files("$root/perl-doc/usr/share/perl", qr/\.pod$/)) {
    my ($name) = $path =~ m{([^/]+)$};
    emit_prose('perl-doc/prose', "perl-doc/$name", pod_paragraphs(slurp($path)))
        unless $name =~ /delta|^perltoc/;
}
for my $package (qw(fortunes fortunes-min)) {
    for my $path (files("$root/$package/usr/share/games/fortunes", qr{/[a-z-]+$})) {
        next if $path =~ /ascii-art|translate|zippy/;
        my $number = 0;
        for my $cookie (split /^%\n/m, slurp($path)) {
            emit("$package/prose", $path =~ s{.*/}{}r . '/' . $number++, $cookie =~ s/\n\t+/\n/gr);
        }
    }
}
