#!/bin/sh
# Runs and reports every study of experiments/ that has claims, then prints the board, what failed,
# and how long it took.
#   claims.sh PROGRAM [--preset P] [--set A=B]...
# A study that fails does not stop the others; the exit code is that of the first one. A published
# model that a study needs is fetched; where it cannot be, its claims are not testable here.
set -u
program=$1
shift
start=$(date +%s)
failed=0
failures=
specs=$(grep -l '^claims:' experiments/*.yaml)
count=$(echo "$specs" | wc -l)
number=0
error=$(mktemp)
trap 'rm -f "$error"' EXIT

say() {
    echo "make claims: $*" >&2
}

# since SECONDS: how long ago that was.
since() {
    seconds=$(($(date +%s) - $1))
    echo "$((seconds / 60)) min $((seconds % 60)) s"
}

# What a study needs and plan finds missing: the model to fetch, or nothing.
missing_model() {
    "$program" plan "$@" > /dev/null 2> "$error" && return
    sed -n 's/.*softprompt model fetch \([A-Za-z0-9._-]*\).*/\1/p' "$error" | head -n 1
}

for spec in $specs; do
    number=$((number + 1))
    begin=$(date +%s)
    say "study $number of $count, $spec"
    model=$(missing_model "$spec" "$@")
    if [ -n "$model" ] && ! sh "$(dirname "$0")/fetch.sh" "$program" "$model"; then
        say "$spec is left out: $model cannot be fetched"
        continue
    fi
    "$program" run "$spec" "$@"
    status=$?
    [ $status -ne 130 ] || exit $status
    "$program" report "$spec" "$@" > /dev/null
    reported=$?
    [ $status -ne 0 ] || status=$reported
    if [ $status -ne 0 ]; then
        say "$spec ended with exit code $status after $(since "$begin"); the others go on"
        failures="$failures $spec"
        [ $failed -ne 0 ] || failed=$status
    else
        say "$spec done in $(since "$begin")"
    fi
done
# shellcheck disable=SC2086 # one argument a spec
"$program" claims $specs "$@" || exit $?
[ -z "$failures" ] || say "failed:$failures"
echo "$(since "$start") for $count studies and the board"
exit $failed
