#!/bin/sh
# Runs and reports every study of experiments/ that has claims, then prints the board.
#   claims.sh PROGRAM [--preset P] [--set A=B]...
# A study that fails does not stop the others; the exit code is that of the first one. A published
# model that a study needs is fetched; where it cannot be, its claims are not testable here.
set -u
program=$1
shift
start=$(date +%s)
failed=0
specs=$(grep -l '^claims:' experiments/*.yaml)
error=$(mktemp)
trap 'rm -f "$error"' EXIT

# What a study needs and plan finds missing: the model to fetch, or nothing.
missing_model() {
    "$program" plan "$@" > /dev/null 2> "$error" && return
    sed -n 's/.*softprompt model fetch \([A-Za-z0-9._-]*\).*/\1/p' "$error" | head -n 1
}

for spec in $specs; do
    model=$(missing_model "$spec" "$@")
    if [ -n "$model" ] && ! sh scripts/fetch.sh "$program" "$model"; then
        echo "make claims: $spec is left out: $model cannot be fetched" >&2
        continue
    fi
    "$program" run "$spec" "$@"
    status=$?
    [ $status -ne 130 ] || exit $status
    "$program" report "$spec" "$@" > /dev/null || status=$?
    if [ $status -ne 0 ]; then
        echo "make claims: $spec ended with exit code $status; the others go on" >&2
        [ $failed -ne 0 ] || failed=$status
    fi
done
# shellcheck disable=SC2086 # one argument a spec
"$program" claims $specs "$@" || exit $?
seconds=$(($(date +%s) - start))
echo "$((seconds / 60)) min $((seconds % 60)) s for all studies and the board"
exit $failed
