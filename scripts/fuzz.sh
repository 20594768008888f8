#!/bin/sh
# scripts/fuzz.sh BUILD SECONDS [PARSER...]: runs libFuzzer on each parser (all by default), from the
# seeds in tests/fuzz/corpus and what earlier runs found in BUILD/corpus; a line each. An input that
# fails is kept in BUILD/findings, and the exit code is 1.
set -eu
build=$1
seconds=$2
shift 2
if [ $# -eq 0 ]; then
    set -- $(for source in tests/fuzz/fuzz_*.c; do basename "$source" .c; done | sed 's/^fuzz_//')
fi
longest=16384 # bytes of an input, unless a seed is larger
memory=1024   # MB of the process
single=256    # MB of one allocation
slowest=10    # seconds of one input
mkdir -p "$build/findings"

# Value of a name in libFuzzer's log; 0 if it ended before it could say.
stat() {
    sed -n "s/^stat::$2: *//p" "$1" | tail -n 1 | grep . || echo 0
}

longest_of() {
    find "$1" -type f -size +"$longest"c -printf '%s\n' | sort -n | tail -n 1 | grep . ||
        echo "$longest"
}

failed=0
printf '%-18s %8s %10s %10s %9s %9s %8s  %s\n' parser seconds runs 'runs/s' edges features 'peak MB' \
    findings
for parser in "$@"; do
    program=$build/tests/fuzz/fuzz_$parser
    seeds=tests/fuzz/corpus/$parser
    [ -x "$program" ] && [ -d "$seeds" ] || {
        echo "make fuzz: no parser '$parser'; the names are those of tests/fuzz/fuzz_NAME.c" >&2
        exit 2
    }
    found=$build/corpus/$parser
    log=$build/$parser.log
    mkdir -p "$found"
    start=$(date +%s)
    status=0
    "$program" -max_total_time="$seconds" -max_len="$(longest_of "$seeds")" -timeout="$slowest" \
        -rss_limit_mb="$memory" -malloc_limit_mb="$single" -print_final_stats=1 \
        -artifact_prefix="$build/findings/$parser-" "$found" "$seeds" > "$log" 2>&1 || status=$?
    edges=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
    features=$(sed -n 's/.* ft: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    printf '%-18s %8s %10s %10s %9s %9s %8s  %s\n' "$parser" $(($(date +%s) - start)) \
        "$(stat "$log" number_of_executed_units)" "$(stat "$log" average_exec_per_sec)" \
        "${edges:-0}" "${features:-0}" "$(stat "$log" peak_rss_mb)" "${input:-none}"
    if [ "$status" -ne 0 ]; then
        failed=1
        grep -E -m 1 'SUMMARY|ERROR|runtime error|panic' "$log" | sed 's/^/  /'
        echo "  log: $log"
        [ -z "$input" ] || echo "  again: $program $input"
    fi
done
exit $failed
