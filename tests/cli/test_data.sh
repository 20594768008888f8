#!/bin/sh
# softprompt data: JSON lines for every reader, classes with examples for classification sets, one
# clear line for every mistake.
set -u
softprompt=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

# expect_failure STATUS TEXT ARGUMENT...: exits with STATUS and says TEXT in one line.
expect_failure() {
    status=$1 text=$2
    shift 2
    "$softprompt" data "$@" >"$folder/out" 2>"$folder/err"
    [ $? -eq "$status" ] || fail "data $*: another exit code than $status"
    grep -q -- "$text" "$folder/err" || fail "data $*: does not say '$text': $(cat "$folder/err")"
    [ ! -s "$folder/out" ] || fail "data $*: prints examples"
}

"$softprompt" data wntriples --split test --limit 3 >"$folder/a" || fail "wntriples"
[ "$(wc -l <"$folder/a")" -eq 3 ] || fail "--limit 3 is not three lines"
grep -q '^{"input":"| .* : .* : .*","references":\[".*\."\],"category":".*","group":"' "$folder/a" ||
    fail "the lines are not examples"
"$softprompt" data wntriples --split test --limit 3 --json | cmp -s - "$folder/a" ||
    fail "two runs differ"

printf '{"input": "a", "target": "b"}\n' >"$folder/mine.jsonl"
[ "$("$softprompt" data "$folder/mine.jsonl")" = \
    '{"input":"a","references":["b"],"category":"","group":""}' ] || fail "a file of one's own"
printf '{"input": "a"}\n' >"$folder/bad.jsonl"

"$softprompt" data wntopic --split dev >"$folder/topics" || fail "wntopic"
head -n 1 "$folder/topics" | grep -qx 'dev: 1000 examples in 10 classes' || fail "no sizes"
grep -qx 'artifact: 100 examples, said " object", " tool"' "$folder/topics" || fail "no class"
[ "$(grep -c '^    ' "$folder/topics")" -eq 30 ] || fail "not three examples of each class"
"$softprompt" data wnentail --split test --limit 2 --json >"$folder/pairs" || fail "wnentail"
grep -q '^{"text":"A.* is .*\\n.* is a kind of .*\.","label":"\(yes\|no\)","category":"' \
    "$folder/pairs" || fail "the lines of wnentail are not examples"
[ "$(wc -l <"$folder/pairs")" -eq 2 ] || fail "--limit 2 --json is not two lines"

# A table of one's own; what --json prints is read again.
printf 'text,label\n"a, b",good\nc,bad\n' >"$folder/mine.csv"
"$softprompt" data "$folder/mine.csv" --json >"$folder/again.jsonl" || fail "a table of one's own"
cat >"$folder/expected" <<'EOF'
train: 2 examples in 2 classes
bad: 1 example, said "bad"
    c
good: 1 example, said "good"
    a, b
EOF
"$softprompt" data "$folder/again.jsonl" | cmp -s - "$folder/expected" || fail "classes of a file"
printf 'text\tlabel\na\tx\ty\n' >"$folder/bad.tsv"
printf 'text,label\na,good\n"b,bad\n' >"$folder/bad.csv"
printf 'text,label\na,good\n' >"$folder/one.csv"
cat >"$folder/card.yaml" <<'EOF'
name: mine
task: classification
reader: csv
splits: {train: mine.csv}
labels: {good: fine, poor: poor}
EOF

expect_failure 4 "no data set 'wntripples'" wntripples
expect_failure 6 "mine.csv:3: no label 'bad'; the labels are good, poor" "$folder/card.yaml"
expect_failure 6 "one class only, 'good'" "$folder/one.csv"
expect_failure 5 "bad.tsv:2: the record counts 3 field(s), the header 2" "$folder/bad.tsv"
expect_failure 5 "bad.csv:3: a quote is opened and never closed" "$folder/bad.csv"
expect_failure 5 'bad.jsonl:1: field "target" is missing' "$folder/bad.jsonl"
expect_failure 6 "has no split dev" "$folder/mine.jsonl" --split dev
expect_failure 2 "no split 'valid'" wntriples --split valid
expect_failure 2 "limit is 'x'" wntriples --limit x
expect_failure 2 "name a data set"
unset SOFTPROMPT_DATA
expect_failure 4 SOFTPROMPT_DATA webnlg --split test

[ "$failures" -eq 0 ]
