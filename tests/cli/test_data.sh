#!/bin/sh
# softprompt data: JSON lines for every reader, one clear line for every mistake.
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

expect_failure 4 "no data set 'wntripples'" wntripples
expect_failure 5 'bad.jsonl:1: field "target" is missing' "$folder/bad.jsonl"
expect_failure 6 "has no split dev" "$folder/mine.jsonl" --split dev
expect_failure 2 "no split 'valid'" wntriples --split valid
expect_failure 2 "limit is 'x'" wntriples --limit x
expect_failure 2 "name a data set"
unset SOFTPROMPT_DATA
expect_failure 4 SOFTPROMPT_DATA webnlg --split test

[ "$failures" -eq 0 ]
