#!/bin/sh
# Builds the pretraining corpus from free documentation, dictionaries and package records of
# Debian 12: FOLDER/train.txt and FOLDER/heldout.txt (documents separated by a line that holds only
# the byte 0x1e) and FOLDER/SOURCES.md. Nothing is installed; WordNet is left out completely.
# Usage: sh experiments/pretrain/corpus.sh [FOLDER]     (default build/corpus; about a minute)
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-build/corpus}
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache" "$folder/deb" "$folder/unpacked"
folder=$(cd "$folder" && pwd)

packages="dict-gcide dict-foldoc dict-jargon dict-elements dict-vera dict-devil fortunes
fortunes-min anarchism miscfiles iso-codes kgeography-data debian-policy developers-reference
maint-guide debian-handbook debian-faq debian-reference-en aptitude-doc-en harden-doc
installation-guide-amd64 git-doc perl-doc python3.11-doc"

fail() {
    echo "corpus.sh: $1" >&2
    exit 4
}

# Our own package lists, because the system's may lack the English descriptions.
apt() {
    tool=$1
    shift
    "$tool" -q -o APT::Sandbox::User=root -o Acquire::Languages=en \
        -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" \
        -o APT::Update::Error-Mode=any -o Acquire::Retries=2 "$@"
}

fetch() {
    apt apt-get update > "$folder/apt/log" 2>&1 ||
        fail "cannot fetch the Debian 12 package lists; check the network (log: $folder/apt/log)"
    # shellcheck disable=SC2086
    (cd "$folder/deb" && apt apt-get download $packages) >> "$folder/apt/log" 2>&1 ||
        fail "cannot download the packages; check Debian 12 and network (log: $folder/apt/log)"
    for deb in "$folder"/deb/*.deb; do
        name=$(basename "$deb")
        dpkg-deb -x "$deb" "$folder/unpacked/${name%%_*}"
    done
    for list in "$folder"/apt/lists/*_Packages* "$folder"/apt/lists/*_Translation-en*; do
        /usr/lib/apt/apt-helper cat-file "$list"
        echo
    done > "$folder/apt/records"
    touch "$folder/apt/complete"
}

# Every maker writes "order TAB split TAB source TAB text"; sorting by order is the shuffle.
make_documents() {
    perl -I"$here" "$here/records.pl" "$folder/unpacked" < "$folder/apt/records"
    perl -I"$here" "$here/dictionaries.pl" "$folder/unpacked"
    perl -I"$here" "$here/prose.pl" "$folder/unpacked"
    perl -I"$here" "$here/drills.pl" "$folder/unpacked"
}

write_split() {
    awk -F '\t' -v split_name="$1" '$2 == split_name {
        gsub(/\001/, "\n", $4)
        printf "%s%s\n", (count++ ? "\036\n" : ""), $4
    }' "$folder/documents" > "$folder/$1.new"
    # Renamed when complete: a training may have the old file mapped.
    mv "$folder/$1.new" "$folder/$1.txt"
}

# What the copyright files say that name no licence in a form a pattern can find; as read.
licence_as_read() {
    case $1 in
        debian-faq) echo 'its own: copies and modified versions under the same notice' ;;
        fortunes | fortunes-min) echo 'BSD-3-clause (the collection); quotations of many authors' ;;
        *) echo 'see its copyright file' ;;
    esac
}

# All names of licences in a Debian copyright file, or the well-known ones its text speaks of.
licence_of() {
    known='public domain|general public license|free documentation license|GNU GPL'
    known="$known|python software foundation license"
    file=$folder/unpacked/$1/usr/share/doc/$1/copyright
    names=$(sed -n 's/^License: *\([A-Za-z][A-Za-z0-9.+ -]*\)$/\1/p' "$file" |
        sort -u | paste -sd ';')
    [ -n "$names" ] || names=$(tr -s ' \n' '  ' < "$file" |
        grep -i -o -E "$known" | sort -uf | paste -sd ';')
    echo "${names:-$(licence_as_read "$1")}" | sed 's/|/\//g; s/; */; /g'
}

write_sources() {
    cat <<'END'
# Sources of the pretraining corpus

Written by `experiments/pretrain/corpus.sh`. Entries of dict-gcide with any sense from WordNet are
left out whole. `debian-archive` is the archive's package records and English descriptions, which
are under the licences of the packages they belong to. `drills` are random words of dict-gcide, listed and
repeated, to teach copying; none is held out.

| package | version | licence | documents | bytes |
|---|---|---|---:|---:|
END
    awk -F '\t' '{ sub(/\/.*/, "", $3); n[$3]++; b[$3] += length($4) }
        END { for (s in n) print s, n[s], b[s] }' "$folder/documents" | sort |
        while read -r package documents bytes; do
            version=$(find "$folder/deb" -name "${package}_*.deb" |
                sed 's/.*\///; s/^[^_]*_//; s/_.*//; s/%3a/:/')
            licence="each package's own"
            [ -z "$version" ] || licence=$(licence_of "$package")
            echo "| $package | ${version:-Debian 12} | $licence | $documents | $bytes |"
        done
    printf '\n| kind | documents | bytes |\n|---|---:|---:|\n'
    awk -F '\t' '{ sub(/.*\//, "", $3); n[$3]++; b[$3] += length($4) }
        END { for (s in n) printf "| %s | %d | %d |\n", s, n[s], b[s] }' "$folder/documents" | sort
}

[ -e "$folder/apt/complete" ] || fetch
make_documents | sort -k1,1 -k3,3 > "$folder/documents"
write_split train
write_split heldout
write_sources > "$folder/SOURCES.md"
