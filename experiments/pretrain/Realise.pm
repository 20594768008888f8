# A small grammar that turns facts about one subject into English: clause order, aggregation,
# relative clauses, reduced clauses, pronouns and inverse sentences are chosen at random.
package Realise;
use strict;
use warnings;
use Exporter 'import';
use Corpus;
our @EXPORT = qw(realise fact_name phrase);

# relation => names in records, verb phrases, reduced clauses (may be empty), inverse sentences.
# %s is the subject and %o the value.
my %relations = (
    description => [
        [ 'description',          'summary',              'about' ],
        [ 'is described as "%o"', 'is summed up as "%o"', 'has the description "%o"' ],
        ['described as "%o"'],
        [ 'The description of %s reads "%o"', '"%o" is how %s is described' ],
    ],
    section => [
        [ 'section', 'category', 'belongs to section', 'filed under' ],
        [
            'belongs to the %o section',
            'is filed under %o',
            'is listed in the section %o',
            'can be found in the %o section',
            'is in the category %o',
            'falls into the %o category'
        ],
        [ 'filed under %o', 'listed in the %o section', 'from the %o section' ],
        [
            'The %o section contains %s',
            'Among the packages in the %o section is %s',
            'The section of %s is %o'
        ],
    ],
    maintainer => [
        [ 'maintainer', 'maintained by', 'caretaker', 'responsible person' ],
        [
            'is maintained by %o',
            'is looked after by %o',
            'has %o as its maintainer',
            'is in the care of %o',
            'is kept up to date by %o'
        ],
        [ 'maintained by %o', 'looked after by %o', 'with %o as its maintainer' ],
        [
            '%o maintains %s',
            '%o looks after %s',
            '%o is the maintainer of %s',
            'The maintainer of %s is %o',
            '%o takes care of %s'
        ],
    ],
    homepage => [
        [ 'homepage', 'website', 'home page', 'url' ],
        [
            'has its home page at %o',
            'has the website %o',
            'can be found on the web at %o',
            'is presented at %o'
        ],
        [ 'found at %o', 'whose home page is %o' ],
        [ '%o is the home page of %s', 'The website of %s is %o', 'More about %s is told at %o' ],
    ],
    depends => [
        [ 'depends',         'requires', 'depends on',  'needs' ],
        [ 'depends on %o',   'needs %o', 'requires %o', 'cannot run without %o', 'relies on %o' ],
        [ 'depending on %o', 'built on top of %o' ],
        [
            'Without %o, %s does not work', 'To use %s one needs %o',
            'Users of %s must also install %o'
        ],
    ],
    recommends => [
        [ 'recommends',    'works best with',             'recommended companion' ],
        [ 'recommends %o', 'works best together with %o', 'is usually installed along with %o' ],
        ['usually installed along with %o'],
        [ 'It is recommended to install %o with %s', 'A good companion of %s would be %o' ],
    ],
    suggests => [
        [ 'suggests',    'enhanced by',           'goes well with' ],
        [ 'suggests %o', 'can be extended by %o', 'goes well with %o' ],
        [],
        [ 'Those who like %s may also want %o', 'One may add %o to %s' ],
    ],
    version => [
        [ 'version', 'release', 'current version' ],
        [
            'has the version number %o',
            'has reached version %o',
            'is available in version %o',
            'comes in version %o',
            'is at release %o'
        ],
        [ 'now at version %o', 'in its version %o' ],
        [
            'The current version of %s is %o',
            'Version %o of %s has been released',
            'The latest release of %s carries the number %o'
        ],
    ],
    size => [
        [ 'size', 'installed size', 'disk space' ],
        [
            'takes up %o of disk space', 'occupies %o', 'is %o in size',
            'needs %o of space on the disk'
        ],
        ['with a size of %o'],
        [ 'The size of %s is %o', 'Installing %s takes %o of disk space' ],
    ],
    architecture => [
        [ 'architecture', 'built for', 'arch' ],
        [ 'is built for the architecture %o', 'runs on the %o architecture' ],
        ['built for %o'],
        [ 'The architecture of %s is %o', 'Machines of the architecture %o can run %s' ],
    ],
    multiarch => [
        [ 'multi-arch',                    'multiarch' ],
        [ 'is marked "%o" for multi-arch', 'has the multi-arch value %o' ],
        [],
        ['The multi-arch field of %s says %o'],
    ],
    source => [
        [ 'source', 'source package', 'built from' ],
        [
            'is built from the source package %o', 'comes from the source %o',
            'has its origin in %o'
        ],
        [ 'built from the source package %o', 'made from %o' ],
        [
            'The source package %o yields %s', '%o is the source of %s',
            'From the source %o comes %s'
        ],
    ],
    priority => [
        [ 'priority',            'importance' ],
        [ 'has the priority %o', 'is of %o priority' ],
        ['of %o priority'],
        ['The priority of %s is %o'],
    ],
    language => [
        [ 'implemented in',   'programming language', 'written in' ],
        [ 'is written in %o', 'is implemented in %o', 'was programmed in %o' ],
        [ 'written in %o',                             'implemented in %o' ],
        [ '%o is the language in which %s is written', 'The programming language of %s is %o' ],
    ],
    role => [
        [ 'role',  'type', 'is a', 'kind' ],
        [ 'is %a', 'serves as %a', 'is a package of the type %o' ],
        ['%a'],
        [ 'The role of %s is that of %a', 'The type of %s is %o' ],
    ],
    interface => [
        [ 'interface', 'user interface' ],
        [ 'has a %o interface', 'is controlled through a %o interface', 'offers a %o interface' ],
        ['with a %o interface'],
        ['The user interface of %s is of the %o kind'],
    ],
    toolkit => [
        [ 'toolkit',                     'ui toolkit' ],
        [ 'uses the %o toolkit',         'draws its windows with %o' ],
        [ 'based on the %o toolkit',     'using %o' ],
        [ 'The toolkit behind %s is %o', '%o is used by %s to draw its windows' ],
    ],
    works_with => [
        [ 'works with',    'handles',    'data' ],
        [ 'works with %o', 'handles %o', 'is able to deal with %o' ],
        ['dealing with %o'],
        ['The data handled by %s is %o'],
    ],
    purpose => [
        [ 'use',                  'purpose',         'used for' ],
        [ 'is used for %o',       'is meant for %o', 'serves the purpose of %o' ],
        [ 'used for %o',          'meant for %o' ],
        [ 'People use %s for %o', 'The purpose of %s is %o' ],
    ],
    maintains => [
        [ 'maintains',    'maintainer of',  'looks after' ],
        [ 'maintains %o', 'looks after %o', 'is the maintainer of %o', 'takes care of %o' ],
        [],
        [ 'The work of %s includes %o', 'Among the packages kept by %s one finds %o' ],
    ],
    capital => [
        [ 'capital',             'capital city',        'seat of government' ],
        [ 'has the capital %o',  'is governed from %o', 'has %o as its capital' ],
        [ 'with its capital %o', 'whose capital is %o' ],
        [
            '%o is the capital of %s',
            'The capital of %s is %o',
            'The capital city of %s is called %o',
            '%o serves as the capital of %s'
        ],
    ],
    official_name => [
        [ 'official name',                 'full name',                'formal name' ],
        [ 'is officially called the %o',   'has the official name %o', 'bears the full name %o' ],
        [ 'officially the %o',             'formally known as the %o' ],
        [ 'The official name of %s is %o', '%o is the full name of %s' ],
    ],
    code => [
        [ 'code',                 'ISO code',                     'identifier' ],
        [ 'has the code %o',      'is identified by the code %o', 'is abbreviated as %o' ],
        [ 'abbreviated %o',       'with the code %o' ],
        [ 'The code of %s is %o', 'The code %o stands for %s', '%o is the ISO code of %s' ],
    ],
    number => [
        [ 'number', 'numeric code', 'ISO number' ],
        [ 'has the number %o', 'carries the numeric code %o' ],
        ['numbered %o'],
        [ 'The numeric code of %s is %o', 'The number %o refers to %s' ],
    ],
    located_in => [
        [ 'location', 'located in', 'country', 'lies in' ],
        [
            'is located in %o', 'lies in %o', 'is in %o', 'can be found in %o', 'is situated in %o'
        ],
        [ 'located in %o',             'situated in %o',           'in %o' ],
        [ '%o is where %s is located', 'The location of %s is %o', 'In %o lies %s' ],
    ],
    part_of => [
        [ 'part of',        'belongs to',    'region', 'is part of' ],
        [ 'is part of %o',  'belongs to %o', 'is a part of %o' ],
        [ 'part of %o',     'belonging to %o' ],
        [ '%o includes %s', '%o has %s as one of its parts', 'One part of %o is %s' ],
    ],
    kind => [
        [ 'type',  'kind', 'is a', 'instance of' ],
        [ 'is %a', 'is classified as %a' ],
        ['%a'],
        ['%s is known as %a'],
    ],
    population => [
        [ 'population',              'inhabitants',        'number of people' ],
        [ 'has a population of %o',  'has %o inhabitants', 'is home to %o people' ],
        [ 'with a population of %o', 'home to %o people' ],
        [
            'The population of %s is %o', 'In all, %o people live in %s',
            '%o is the population of %s'
        ],
    ],
    longitude => [
        ['longitude'],
        [ 'lies at the longitude %o', 'has a longitude of %o' ],
        ['at longitude %o'],
        ['The longitude of %s is %o'],
    ],
    latitude => [
        ['latitude'],
        [ 'lies at the latitude %o', 'has a latitude of %o' ],
        ['at latitude %o'],
        ['The latitude of %s is %o'],
    ],
    symbol => [
        [ 'symbol',            'chemical symbol' ],
        [ 'has the symbol %o', 'is written %o' ],
        ['with the symbol %o'],
        [ 'The symbol of %s is %o', '%o is the chemical symbol of %s' ],
    ],
    atomic_number => [
        ['atomic number'],
        [ 'has the atomic number %o', 'is element number %o' ],
        ['with the atomic number %o'],
        ['The atomic number of %s is %o'],
    ],
    atomic_weight => [
        [ 'atomic weight',              'weight' ],
        [ 'has an atomic weight of %o', 'weighs %o atomic units' ],
        ['with an atomic weight of %o'],
        ['The atomic weight of %s is %o'],
    ],
);

sub fact_name { return pick(@{ $relations{ $_[0] }[0] }) }

# Names keep their own capitals: \x02 marks the start of one, so that a sentence that starts with a
# template word is capitalised and one that starts with a name is not.
sub fill {
    my ($template, $name, $fact) = @_;
    my (undef, @values) = @$fact;
    my $value = join_list(map {"\x02$_"} @values);
    my $kind  = article($values[0]) . " $value";
    $template =~ s/%s/$name/;
    $template =~ s/%a/$kind/;
    $template =~ s/%o/$value/;
    return $template;
}

sub phrase { my ($fact) = @_; return fill(pick(@{ $relations{ $fact->[0] }[1] }), '', $fact) }

sub reduced {
    my ($fact) = @_;
    my @forms = @{ $relations{ $fact->[0] }[2] };
    return @forms ? fill(pick(@forms), '', $fact) : '';
}

sub inverse {
    my ($fact, $name) = @_;
    my $text = fill(pick(@{ $relations{ $fact->[0] }[3] }), $name, $fact);
    $text                                 =~ s{^The ([\w -]+?) of it\b}{Its $1};
    $text                                 =~ s{ the ([\w -]+?) of it$}{ its $1};
    return "it " . phrase($fact) if $text =~ m{ it$};
    return $text;
}

sub one { my ($name, $f) = @_; return chance(0.4) ? inverse($f, $name) : "$name " . phrase($f) }

sub two {
    my ($name, $f, $g) = @_;
    my ($short, $turned) = (reduced($f), inverse($f, $name));
    my @ways = (
        sub { "$name " . phrase($f) . ' and ' . phrase($g) },
        sub { "$name " . phrase($f) . ', and it ' . phrase($g) },
        sub { "$turned, and it " . phrase($g) },
    );
    return pick(@ways)->() if $name eq 'it';
    push @ways, sub { "$name, which " . phrase($f) . ', ' . phrase($g) },
        sub { "$name not only " . phrase($f) . ' but also ' . phrase($g) };
    push @ways, sub { "$turned, which " . phrase($g) }
        if $turned =~ m{\Q$name\E$};
    push @ways, sub { "$name, $short, " . phrase($g) }, sub { "$short, $name " . phrase($g) }
        if $short;
    return pick(@ways)->();
}

sub three {
    my ($name, $f, $g, $h) = @_;
    my $short = reduced($f);
    my @ways  = (
        sub { "$name " . phrase($f) . ', ' . phrase($g) . ' and ' . phrase($h) },
        sub { "$name " . phrase($f) . ' and ' . phrase($g) . ', and it ' . phrase($h) },
        sub { inverse($f, $name) . '; it ' . phrase($g) . ' and ' . phrase($h) },
    );
    push @ways, sub { "$name, which " . phrase($f) . ' and ' . phrase($g) . ', ' . phrase($h) }
        if $name ne 'it';
    push @ways, sub { "$name, $short, " . phrase($g) . ' and ' . phrase($h) }
        if $short && $name ne 'it';
    return pick(@ways)->();
}

# Facts [relation, value...] about `subject`; `kind` is the noun to refer back with ("package"),
# or empty.
sub realise {
    my ($subject, $kind, @facts) = @_;
    my ($name, @sentences) = ("\x02$subject");
    while (@facts) {
        my $count = 1 + below(@facts < 3 ? scalar @facts : 3);
        my @group = splice @facts, 0, $count;
        my $sentence =
              $count == 1 ? one($name, @group)
            : $count == 2 ? two($name, @group)
            :               three($name, @group);
        push @sentences, ucfirst($sentence) . '.';
        $name = pick('it', 'it', $kind ? ("the $kind", "this $kind") : (), "\x02$subject");
    }
    my $text = join ' ', @sentences;
    $text =~ tr/\x02//d;
    return $text;
}

1;
