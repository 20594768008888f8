# Documents of the form record, line end, English: from Debian package records, and from the names
# of countries, regions, cities, languages, currencies and chemical elements.
# Usage: records.pl UNPACKED < package records, then translations (deb822, blank-line separated)
use strict;
use warnings;
use Corpus;
use Realise;
binmode STDIN, ':encoding(UTF-8)';
my $root = shift or die "usage: records.pl UNPACKED\n";

my %shown = (
    c          => 'C',    'c++'   => 'C++',     python => 'Python', perl => 'Perl', java => 'Java',
    ruby       => 'Ruby', haskell => 'Haskell', ocaml  => 'OCaml',  php  => 'PHP',  lisp => 'Lisp',
    ecmascript => 'JavaScript', shell     => 'shell script', tcl => 'Tcl', r => 'R', ada => 'Ada',
    fortran    => 'Fortran',    'c-sharp' => 'C#', objc => 'Objective-C',  scheme => 'Scheme',
    lua        => 'Lua',
    erlang => 'Erlang', gtk => 'GTK', qt => 'Qt', sdl => 'SDL', 'shared-lib' => 'shared library',
    'devel-lib' => 'development library', 'app-data' => 'collection of data', x11 => 'graphical',
    'debug-symbols' => 'collection of debugging symbols', commandline => 'command line',
    'text-mode'     => 'text mode',          '3d' => 'three-dimensional', dummy => 'dummy package',
    data            => 'collection of data', plugin => 'plug-in'
);
my %tags = (
    role      => 'role',    'implemented-in' => 'language',   interface => 'interface',
    uitoolkit => 'toolkit', 'works-with'     => 'works_with', use       => 'purpose'
);

sub read_record {
    local $/ = '';
    my $text = <STDIN>;
    return unless defined $text;
    my (%record, $field);
    for my $line (split /\n/, $text) {
        if    ($line =~ /^([\w-]+): ?(.*)/) { $record{ $field = $1 } = $2 }
        elsif (defined $field)              { $record{$field} .= "\n$line" }
    }
    return \%record;
}

my (%packages, %long);
while (my $record = read_record()) {
    if (my $text = $record->{'Description-en'}) { $long{ $record->{'Description-md5'} } = $text }
    else                                        { $packages{ $record->{Package} } = $record }
}

# Nearly every package needs these, so that they tell nothing.
my %everywhere = map { $_ => 1 } qw(libc6 libgcc-s1 libstdc++6 libgcc1 libc6-dev);

# All packages of one source are in one split.
sub key_of {
    my ($name) = @_;
    return ($packages{$name}{Source} // $name) =~ s{\s.*}{}sr;
}

# "a, b | c, d (>= 1)" as a list of at most three names.
sub names_of {
    my ($field) = @_;
    return () unless $field;
    my @names = grep { !$everywhere{$_} } map { /^\s*([a-z0-9][a-z0-9.+-]+)/ ? $1 : () } split /,/,
        $field;
    return @names[ 0 .. (@names < 3 ? $#names : below(3)) ];
}

sub facts_of {
    my ($p)          = @_;
    my ($maintainer) = $p->{Maintainer}  =~ /^"?([^"<]+?)"?\s*</;
    my ($summary)    = $p->{Description} =~ /^(.*)/;
    my ($section)    = $p->{Section}     =~ m{([^/]+)$};
    my %facts        = (
        section  => [$section],                  architecture => [ $p->{Architecture} ],
        version  => [ $p->{Version} ],           priority     => [ $p->{Priority} ],
        depends  => [ names_of($p->{Depends}) ], recommends   => [ names_of($p->{Recommends}) ],
        suggests => [ names_of($p->{Suggests}) ],
    );
    $facts{description} = [$summary]                         if $summary && $summary !~ /"/;
    $facts{maintainer}  = [$maintainer]                      if $maintainer;
    $facts{homepage}    = [ $p->{Homepage} ]                 if $p->{Homepage};
    $facts{multiarch}   = [ $p->{'Multi-Arch'} ]             if $p->{'Multi-Arch'};
    $facts{source}      = [ $p->{Source} =~ /^(\S+)/ ]       if $p->{Source};
    $facts{size}        = [ $p->{'Installed-Size'} . ' kB' ] if $p->{'Installed-Size'};
    for my $tag (split /,\s*/, ($p->{Tag} // '') =~ s/\n//gr) {
        my ($facet, $value) = $tag =~ /^([\w-]+)::([\w+:-]+)$/ or next;
        my $relation = $tags{$facet} or next;
        next if $value =~ /^(?:TODO|todo|special)/;
        $facts{$relation} //= [ $shown{$value} // $value =~ tr/-:/  /r ];
    }
    my %weight =
        (priority => 0.3, architecture => 0.5, multiarch => 0.3, version => 0.6, size => 0.6);
    return map { [ $_, @{ $facts{$_} } ] }
        grep { @{ $facts{$_} } && chance($weight{$_} // 1) } sort keys %facts;
}

sub shuffled {
    my @items = @_;
    for (my $i = $#items; $i > 0; $i--) {
        my $j = below($i + 1);
        @items[ $i, $j ] = @items[ $j, $i ];
    }
    return @items;
}

# One to five of the facts as a record and as text; a third of the time in another order.
sub emit_facts {
    my ($source, $key, $title, $kind, $subject, @facts) = @_;
    my $wanted = 1 + below(5);
    @facts  = shuffled(@facts);
    $#facts = $wanted - 1 if @facts > $wanted;
    return unless @facts;
    my @shown  = chance(0.33) ? shuffled(@facts) : @facts;
    my $record = record($title, $subject, map { [ fact_name($_->[0]), @$_[ 1 .. $#$_ ] ] } @shown);
    emit($source, $key, "$record\n" . realise($subject, $kind, @facts));
}

# Two subjects: a package, one it depends on, and a fact or two about that one.
sub emit_chain {
    my ($key, $p) = @_;
    my ($target) =
        grep { $packages{$_} && split_of(key_of($_)) eq split_of($key) } names_of($p->{Depends})
        or return;
    my @second = (shuffled(facts_of($packages{$target})))[ 0 .. below(2) ];
    my @first  = grep { $_->[0] ne 'depends' } facts_of($p);
    my $extra  = chance(0.5) ? pick(@first) : undef;
    my $name   = $p->{Package};
    my @facts  = map { [ $_->[0], fact_name($_->[1][0]), @{ $_->[1] }[ 1 .. $#{ $_->[1] } ] ] } (
        ($extra ? [ $name, $extra ] : ()),
        [ $name, [ 'depends', $target ] ],
        map { [ $target, $_ ] } @second
    );
    @facts = reverse @facts if chance(0.3);
    my $text = ($extra ? realise($name, 'package', $extra) . ' ' : '')
        . chain_text($name, $target, @second);
    emit('debian-archive/records', $key, Corpus::triples(@facts) . "\n$text");
}

sub chain_text {
    my ($name, $target, @facts) = @_;
    my $link = phrase([ 'depends', $target ]) =~ tr/\x02//dr;
    my $more = join ' and ', map { phrase($_) =~ tr/\x02//dr } @facts;
    return pick(
        "$name $link, which $more.",
        "$name $link. The latter $more.",
        "$name $link, and $target $more.",
        "$name $link. " . realise($target, 'package', @facts),
        realise($target, 'package', @facts) . " $name $link.",
    );
}

my %seen;    # paragraph => how often it was used

sub emit_description {
    my ($key, $p) = @_;
    my $text = $long{ $p->{'Description-md5'} // '' } or return;
    my ($summary, @lines) = split /\n/, $text;
    my $body       = join "\n", map { /^ \.$/ ? '' : substr($_, 1) } @lines;
    my @paragraphs = grep { $seen{$_}++ < 2 } split /\n\n+/, $body;
    $body = join "\n\n", @paragraphs;
    return if length($body) < 120;

    # Lines are unwrapped where they are prose.
    $body =~ s/(?<=[^\n.:])\n(?=[^\s*\-+o\n])/ /g;
    my @fields = grep { defined $p->{$_} }
        shuffled(qw(Version Section Maintainer Homepage Architecture Priority Source Depends));
    my @shown = map { $_ . ': ' . substr($p->{$_}, 0, 200) } @fields[ 0 .. below(scalar @fields) ];
    my $head  = join "\n", "Package: $p->{Package}", @shown;
    emit('debian-archive/descriptions', $key, "$head\nDescription: $summary\n\n$body");
}

my %kept;    # maintainer => packages
for my $name (sort keys %packages) {
    my $p   = $packages{$name};
    my $key = key_of($name);
    seed("package/$name");
    next if $name =~ m{^(?:librust-|golang-|node-|r-cran-)} && chance(0.6);    # all alike
    emit_description($key, $p) if chance(0.65);
    emit_facts('debian-archive/records', $key, 'package', 'package', $name, facts_of($p))
        if chance(0.75);
    emit_chain($key, $p) if chance(0.35);

    # By key, so that a maintainer's list never shows a held-out package in the training split.
    my ($maintainer) = $p->{Maintainer} =~ /^"?([^"<]+?)"?\s*</ or next;
    push @{ $kept{$maintainer} }, $name if split_of($key) eq 'train';
}
for my $maintainer (sort keys %kept) {
    seed("maintainer/$maintainer");
    my @names = shuffled(@{ $kept{$maintainer} });
    for (1 .. (@names > 30 ? 10 : 1 + @names / 4)) {
        my @some = splice @names, 0, 1 + below(4) or last;
        emit_facts(
            'debian-archive/records', "maintainer/$some[0]", 'person', 'maintainer', $maintainer,
            [ 'maintains', @some ]
        );
    }
}

# --- names of places, languages, currencies, elements ------------------------------------------

# The flat objects of iso-codes' JSON files.
sub iso {
    my $text = slurp("$root/iso-codes/usr/share/iso-codes/json/iso_$_[0].json");
    return map { my %o = /"(\w+)":\s*"((?:[^"\\]|\\.)*)"/g; \%o } $text =~ /\{([^{}]*)\}/g;
}

my %country = map { $_->{alpha_2} => $_->{common_name} // $_->{name} } iso('3166-1');
my %capital;
my @divisions;
for my $path (sort glob "$root/kgeography-data/usr/share/kgeography/*.kgm") {
    my $map      = slurp($path);
    my ($whole)  = $map =~ m{<name>(.*?)</name>}s;
    my ($plural) = $map =~ m{<divisionsName>(.*?)</divisionsName>}s;
    while ($map =~ m{<division>(.*?)</division>}sg) {
        my $division = $1;
        my ($name)   = $division =~ m{<name>(.*?)</name>};
        my ($city)   = $division =~ m{<capital>(.*?)</capital>} or next;
        $capital{$name} = $city;
        push @divisions, [ $whole, lc($plural // '') =~ s/ies$/y/r =~ s/s$//r, $name, $city ];
    }
}

my @things;    # [title, kind, subject, copies, facts...]
my %origin = (name => 'kgeography-data', city => 'miscfiles', element => 'dict-elements');
for my $c (iso('3166-1')) {
    my $name = $c->{common_name} // $c->{name};
    push @things, [
        'country', 'country', $name, 8,
        [ 'code', $c->{alpha_2} ], [ 'number', $c->{numeric} ], [ 'kind', 'country' ],
        ($c->{official_name} ? [ 'official_name', $c->{official_name} ] : ()),
        ($capital{$name}     ? [ 'capital',       $capital{$name} ]     : ())
    ];
}
for my $r (iso('3166-2')) {
    my $country = $country{ substr $r->{code}, 0, 2 } or next;
    push @things, [
        'region', lc $r->{type}, $r->{name}, 1,
        [ 'code', $r->{code} ], [ 'kind', lc $r->{type} ],
        [ pick('part_of', 'located_in'), $country ],
        ($capital{ $r->{name} } ? [ 'capital', $capital{ $r->{name} } ] : ())
    ];
}
for my $d (@divisions) {
    my ($whole, $kind, $name, $city) = @$d;
    next if $whole =~ /\(|World|subdivisions/i || $name eq $city;
    push @things, [
        'name', $kind || 'region', $name, 3,
        ($kind ? [ 'kind', $kind ] : ()), [ 'capital', $city ], [ 'located_in', $whole ]
    ];
}
my %types = (
    L => 'living language',     E => 'extinct language', A => 'ancient language',
    H => 'historical language', C => 'constructed language'
);
for my $l (iso('639-3')) {
    push @things, [
        'language', 'language', $l->{name}, 0.5,
        [ 'code', $l->{alpha_3} ], [ 'kind', $types{ $l->{type} } // 'language' ],
        ($l->{scope} eq 'M' ? [ 'role', 'macrolanguage' ] : ())
    ];
}
for my $c (iso('4217')) {
    push @things, [
        'currency', 'currency', $c->{name}, 4,
        [ 'code', $c->{alpha_3} ], [ 'number', $c->{numeric} ], [ 'kind', 'currency' ]
    ];
}
for my $city (split m{^//}m, slurp("$root/miscfiles/usr/share/misc/cities.dat.gz")) {
    my %f = $city =~ /^\s*([\w-]+)\s*:[ ]*(\S.*?)[ ]*$/mg;
    next unless $f{Name} && $f{Country};
    push @things, [
        'city', 'city', $f{Name}, 8,
        [ 'located_in', $f{Country} ], [ 'kind', 'city' ],
        map { $f{ ucfirst $_->[1] } ? [ $_->[0], $f{ ucfirst $_->[1] } ] : () } (
            [ 'population', 'population' ], [ 'longitude', 'longitude' ],
            [ 'latitude',   'latitude' ],
            [ 'part_of',    'region' ]
        )
    ];
}
for my $entry (split /\n\n/, slurp("$root/dict-elements/usr/share/dictd/elements.dict.dz")) {
    my ($name, $symbol, $number, $weight) =
        $entry =~ /^(\w+)\nSymbol: (\w+)\nAtomic number: (\d+)\nAtomic weight: ([\d.]+)/m
        or next;
    push @things, [
        'element', 'element', $name, 12,
        [ 'symbol', $symbol ], [ 'atomic_number', $number ], [ 'atomic_weight', $weight ],
        [ 'kind',   'chemical element' ]
    ];
}
for my $thing (@things) {
    my ($title, $kind, $subject, $copies, @facts) = @$thing;
    seed("thing/$title/$subject/@{ $facts[0] }");
    my $times = int($copies) + chance($copies - int $copies);
    my $noun  = (grep { $_->[0] eq 'kind' } @facts) ? '' : $kind;
    emit_facts(
        ($origin{$title} // 'iso-codes') . '/records', "$title/$subject",
        chance(0.5) ? 'name' : $title, $noun, $subject, @facts
    ) for 1 .. $times;
}
