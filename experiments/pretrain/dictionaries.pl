# Documents from dictionaries: whole entries as prose, and definitions as record, line end,
# sentence.
# Usage: dictionaries.pl UNPACKED
use strict;
use warnings;
use Corpus;
my $root = shift or die "usage: dictionaries.pl UNPACKED\n";

sub dictionary { return slurp("$root/dict-$_[0]/usr/share/dictd/$_[0].dict.dz") }

# Entries start in the first column; what belongs to them is indented.
sub entries {
    return grep { !/^00-?database/ } split /\n(?=\S)/, $_[0];
}

sub flatten {
    my ($text) = @_;
    $text =~ s/[{}]//g;
    $text =~ s/\s+/ /g;
    $text =~ s/^ | $//g;
    return $text;
}

# "A long rope made of hemp, which ..." as kind "long rope", relation "made of", value "hemp".
my $connector = qr/made (?:of|from|by|with)|used (?:for|in|by|to|as)|found (?:in|on)|belonging to|
    consisting of|containing|composed of|produced by|formed by|having|resembling|developed by|
    written (?:in|by)|designed (?:for|by|to)|based on|built by|part of|member of|species of|
    genus of|kind of|sort of|form of|piece of|act of|state of|quality of|branch of|name of|
    of|for|with|in|by|from|to|on/x;

sub definition_record {
    my ($source, $key, $title, $word, $class, $field, $gloss) = @_;
    my @facts;
    push @facts, [ 'part of speech', $class ] if $class && chance(0.5);
    push @facts, [ pick('field', 'domain', 'subject'), $field ] if $field;
    my $text;
    if (   $class eq 'noun'
        && $gloss =~ /^(An?|The) ((?:[\w'-]+,? ){0,3}?[\w'-]+) ($connector) ([^,;:]+)/)
    {
        my ($determiner, $kind, $relation, $value) = ($1, $2, $3, $4);
        push @facts, [ pick('kind', 'is a', 'type', 'hypernym class'), $kind ],
            [ $relation, $value ];
        my $subject = $determiner eq 'The' ? "The word $word" : ucfirst(article($word)) . " $word";
        $subject = $word if $word =~ /^[A-Z]/;
        my $is   = $determiner eq 'The' && $subject =~ /^The word/ ? 'names' : 'is';
        my $rest = chance(0.6) ? "$kind $relation $value" : substr $gloss, length($determiner) + 1;
        if ($rest ne "$kind $relation $value") {
            my $more = substr $rest, length "$kind $relation $value";
            $more =~ s/^[,;:\s]+//;
            push @facts, [ pick('note', 'more', 'also'), $more ] if length $more > 3;
        }
        $text = "$subject $is " . lc($determiner) . " $rest";
    }
    else {
        push @facts, [ pick('meaning', 'gloss', 'definition'), lcfirst $gloss ];
        my $said = lcfirst $gloss;
        my $name = $class eq 'noun' ? 'noun' : $class;
        $text = $class eq 'verb' && $gloss =~ /^To /
            ? pick(
            "To $word means $said", "One who wants $said may use the verb $word",
            "The verb $word is used with the meaning \"$said\""
            )
            : pick(
            "The $name $word means \"$said\"", "\"$said\" is the meaning of the $name $word",
            "When one says $word, one means \"$said\"", "$word is a word that means \"$said\""
            );
    }
    if ($field) {
        my $in = lc $field;
        $text =
            chance(0.5) && $text =~ /^(?:An?|The) /
            ? "In $in, " . lcfirst $text
            : "$text"
            . pick(" (a term of $in)", ", as they say in $in", ", in the language of $in");
    }
    $text =~ s{\.*$}{.};
    emit($source, $key, Corpus::record($title, $word, @facts) . "\n$text");
}

# --- GCIDE --------------------------------------------------------------------------------------

my %class = (n => 'noun', a => 'adjective', v => 'verb', adv => 'adverb');
my %field = (
    Zool => 'Zoology',  Bot  => 'Botany', Chem => 'Chemistry', Mus => 'Music', Naut => 'Seafaring',
    Mil  => 'Warfare',  Law  => 'Law', Med => 'Medicine', Anat => 'Anatomy', Math => 'Mathematics',
    Geom => 'Geometry', Arch => 'Architecture', Geol => 'Geology', Min => 'Mineralogy',
    Her  => 'Heraldry',
    Physics => 'Physics', Mech => 'Mechanics', Gram => 'Grammar', Eccl => 'the Church',
    Logic   => 'Logic',
    Astron  => 'Astronomy', Physiol => 'Physiology', Fort => 'Fortification', Print => 'Printing',
    Elec    => 'Electricity', Mach  => 'Machinery',  Cookery => 'Cookery',    Paint => 'Painting'
);

sub plain_letters {
    my ($text) = @_;
    $text =~ s/\[[-=^"'`~.,*:]*([A-Za-z]{1,2})[-=^"'`~,*:]*\]/$1/g;
    $text =~ s/\[(?:[^\[\]]|\[[^\[\]]*\])*\]//g;
    $text =~ s/\s--\s?[A-Z][\w.]*(?: (?:[A-Z][\w.]*|of|de|\([^)]*\)))*//g;
    return $text;
}

sub gcide_entry {
    my ($entry) = @_;

    # Entries with any sense from WordNet are left out whole: the model must not know that data.
    return if $entry =~ /WordNet|wn\d/i;
    my ($head, $rest) = $entry =~ /^([A-Za-z][A-Za-z' -]*?) \\[^\\]*\\,?\s*(.*)/s or return;
    $rest = plain_letters($rest);
    $rest =~ s/^\s*\([^()]*\)\s*,\s*//;
    my ($mark) = $rest =~ /^((?:prop\. )?n\.(?: pl\.)?|v\. [ti]\.|v\.|adv\.|a\.)/ or return;
    $rest = substr $rest, length $mark;
    $rest =~ s/^\s*[;,][^\n]*\n// if $rest =~ /^\s*[;,] (?:pl|imp|comp)/;
    my $area;
    if ($rest =~ s/^\s*\(([A-Z][a-z]+)\.?\)//) { $area = $field{$1} }
    my $word = $mark =~ /prop/ ? $head : lcfirst $head;
    my @senses;

    for my $paragraph (split /\n\s*\n/, $rest) {
        next if $paragraph =~ /^\s*(?:Syn|Note):/ && $paragraph =~ /See |^\s*Syn/;
        next if $paragraph =~ /^ {12,}/;    # verse
        my $sense = flatten($paragraph) =~ s/^\d+\.\s*//r =~ s/^\([a-z]\)\s*//r;
        $sense =~ s/^\(([A-Z][a-z]+)\.?\)\s*//;
        $sense =~ s/\s+([.,;])/$1/g;
        push @senses, $sense if length $sense > 12 && $sense =~ /^[A-Z(]/;
    }
    return unless @senses;
    seed("gcide/$head/$senses[0]");
    my ($class) = map { $class{$_} } $mark =~ m{(?:prop\. )?(\w+)};
    my $number  = 0;
    my $list    = @senses == 1 ? $senses[0] : join "\n", map { ++$number . ". $_" } @senses;
    emit('dict-gcide/entries', "gcide/$head", ucfirst($head) . " ($class): $list") if chance(0.45);
    my $sense = pick(@senses[ 0 .. ($#senses < 2 ? $#senses : 2) ]);
    ($sense) = $sense =~ /^(.{12,240}?)[.;](?: |$)/ or return;
    return if $sense =~ /^See |^Same as|^\w+\s+of |^Of |[()]|--/ && $class ne 'adjective';
    definition_record(
        'dict-gcide/records', "gcide/$head", pick('word', 'term', 'headword', 'name'),
        $word, $class, $area, $sense
    );
}

# --- technical dictionaries ---------------------------------------------------------------------

sub technical_entry {
    my ($source, $entry) = @_;
    my ($head, $body) = $entry =~ /^([^\n]+)\n(.+)/s or return;
    return if $body =~ /^\s*\{[^}]*\}\s*$/;
    seed("$source/$head");
    my @fields = $body =~ /<([a-z][a-z ,-]+)>/ ? split(/, */, $1) : ();
    $body =~ s/<[a-z ,-]+>\s*//;
    my @paragraphs = map { flatten($_) } grep { !/^\s*(?:\(\d{4}-|\[)/ } split /\n\s*\n/, $body;
    shift @paragraphs while @paragraphs && length $paragraphs[0] <= 20;    # "n.", pronunciations
    return unless @paragraphs;
    emit_prose("dict-$source/entries", "$source/$head", "$head: $paragraphs[0]",
        @paragraphs[ 1 .. $#paragraphs ]);
    my ($sense) = $paragraphs[0] =~ /^([A-Z][^()]{20,240}?)\.(?: |$)/ or return;
    definition_record(
        "dict-$source/records", "$source/$head", pick('name', 'term'), $head, 'noun',
        $fields[0],             $sense
    );
}

# Abbreviations: what the letters stand for, and where.
sub abbreviation_entry {
    my ($entry) = @_;
    my ($head, $body)    = $entry         =~ /^(\S+)\n(.+)/s or return;
    my ($long, $context) = flatten($body) =~ /^([A-Za-z][^()]{6,90}?)(?: \(([^()]+)\))?$/
        or return;
    seed("vera/$head/$long");
    my @where = $context ? (split /, /, $context)[0] : ();
    my @facts = ([ pick('stands for', 'long form', 'full name'), $long ],
        map { [ pick('context', 'used at'), $_ ] } @where);
    my $text = pick(
        "$head stands for $long",       "$head is short for $long", "$long is abbreviated $head",
        "The letters $head mean $long", "The abbreviation $head is used for $long"
    );
    $text .= pick(", a term from $_", ", in the context of $_", " and belongs to $_") for @where;
    emit('dict-vera/records', "vera/$head",
        Corpus::record(pick('abbreviation', 'name'), $head, @facts) . "\n" . $text =~ s{\.*$}{.}r);
}

gcide_entry($_)               for entries(dictionary('gcide'));
technical_entry('foldoc', $_) for entries(dictionary('foldoc'));
technical_entry('jargon', $_) for entries(dictionary('jargon') =~ s/^ (\S+\.)$/   $1/gmr);
abbreviation_entry($_)        for entries(dictionary('vera'));
for my $name (qw(elements devil)) {
    emit("dict-$name/entries", "$name/" . substr($_, 0, 20), $_)
        for grep { length > 80 } split /\n\n(?=[A-Za-z])/,
        dictionary($name) =~ s/^00.*?\n(?=\w+\nSymbol|ABASEMENT)//sr;
}
