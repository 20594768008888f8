# Processes that share a study, status and cancel, retries, limits, Ctrl-C once and twice.
. tests/cli/support.sh

# wait_until TEXT COMMAND...: for up to 30 s.
wait_until() {
    what=$1
    shift
    for i in $(seq 300); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.1
    done
    fail "not in 30 s: $what"
}

# started COUNT FILE
started() {
    [ "$(events started "$2")" -ge "$1" ]
}

# at_step RESULTS: a run there tells that it trains.
at_step() {
    "$softprompt" status --json -r "$1" long.yaml | grep -q '"step":[1-9]'
}

# expect_end CODE PID WHAT
expect_end() {
    wait "$2"
    got=$?
    [ $got -eq "$1" ] || fail "$3: exit code $got, not $1: $(cat log error)"
}

# series FOLDER: the losses of its only run file.
series() {
    h5dump -d /train/loss -d /dev/loss "$1"/*/runs/????????????????.h5 | grep '^ *(' 
}

things 4
cat > study.yaml << 'YAML'
name: shared
base: {model: gpt2-1m, dataset: things.yaml, train: {steps: 40, batch: 4}, decode: {max_tokens: 4}}
methods: {prompt: {length: 2}, prefix: {length: 2, hidden: 8}}
seeds: [1, 2, 3]
YAML
cat > long.yaml << 'YAML'
name: long
base: {model: gpt2-1m, dataset: things.yaml, train: {steps: 200000, batch: 4}, decode: {max_tokens: 4}}
methods: {prompt: {length: 2}}
YAML
: > log; : > error; : > input

# Steps are 30 times slower in a sanitizer build.
short=40 middle=80 whole=200
grep -q __asan_init "$softprompt" && short=8 middle=15 whole=20

# ---- command line ----

for wrong in --only=0 --only=x --only=3-2 --only=1- --time-limit=soon --time-limit=0 \
    --memory-limit=4 --memory-limit=-1G --retry=-1; do
    "$softprompt" run study.yaml "$wrong" > output 2> error
    [ $? -eq 2 ] || fail "$wrong is not refused"
done
refuse 2 "--only 7: the study has 6 runs" run study.yaml --only 5-7
refuse 2 "has no such run" cancel study.yaml --run 77
printf 'limits: {time: soon}\n' | cat study.yaml - > wrong.yaml
refuse 3 "wrong.yaml:5: limits.time is 'soon'; use a time" run wrong.yaml
[ ! -e results ] || fail "a refused command left files behind"

[ "$(nproc)" -ge 2 ] || { echo "one CPU: two processes cannot work at once; left out"; exit 0; }

# ---- some runs, then two processes for the rest ----

"$softprompt" status study.yaml | grep -q "^shared: 0 of 6 runs finished, .* 6 pending" ||
    fail "status before the first run"
"$softprompt" run -q --json study.yaml --only 2 --only 5-6 > log 2> error || fail "$(cat error)"
[ "$(events finished log)" -eq 3 ] || fail "--only: $(cat log)"
"$softprompt" status study.yaml | grep -q "^shared: 3 of 6 runs finished" || fail "status after --only"
rm -r results
"$softprompt" run --json -j 1 study.yaml --set train.steps=$short > log1 2> error1 &
one=$!
wait_until "a run" started 1 log1
"$softprompt" run --json -j 1 study.yaml --set train.steps=$short > log2 2> error2 &
two=$!
expect_end 0 $one "the first process"
expect_end 0 $two "the second process"
[ "$(events finished log1 log2)" -eq 6 ] || fail "not once each: $(cat log1 log2)"
[ "$(cat log1 log2 | grep '"event":"finished"' | sed 's/.*"run":"\([0-9a-f]*\)".*/\1/' |
    sort -u | wc -l)" -eq 6 ] || fail "a run was done twice: $(cat log1 log2)"
started 1 log2 || fail "the second process did nothing: $(cat log1 log2)"
grep -q "process $one on .* is at work on this study too" error2 || fail "no word: $(cat error2)"
grep -q "process $two on .* is at work on this study too" error1 || fail "no word: $(cat error1)"
grep -q '"event":"joined"' log2 || fail "no event: $(cat log2)"
[ "$(ls results/shared/runs | grep -vc '\.h5$')" -eq 0 ] || fail "left: $(ls results/shared/runs)"
[ -z "$(ls results/shared/at-work)" ] || fail "left: $(ls results/shared/at-work)"

# ---- a process that is killed: the other one takes its run over ----

"$softprompt" run -q --json -j 1 -r taken study.yaml --set train.steps=$short > log1 2> error1 &
one=$!
wait_until "a run" started 1 log1
"$softprompt" run -q --json -j 1 -r taken study.yaml --set train.steps=$short > log2 2> error2 &
two=$!
wait_until "a run of the second process" started 1 log2
kill -9 $one
wait $one
expect_end 0 $two "the process that is left"
"$softprompt" status -r taken study.yaml --set train.steps=$short |
    grep -q "6 of 6 runs finished" || fail "not all runs are done"

# ---- a run that dies is tried again ----

"$softprompt" run --json -j 1 -r again study.yaml --only 1 --retry 1 --set train.steps=$middle > log 2> error &
study=$!
wait_until "a run" started 1 log
kill -9 $(children $study)
expect_end 0 $study "--retry"
[ "$(events retry log)" -eq 1 ] && [ "$(events finished log)" -eq 1 ] || fail "--retry: $(cat log)"
grep -q "tried again at the end: its process was ended by signal 9" error || fail "$(cat error)"

# ---- limits ----

"$softprompt" run -q --json -r limited long.yaml --time-limit 1s > log 2> error
[ $? -eq 11 ] || fail "--time-limit: $(cat error)"
grep -q "stopped at its time limit of 1 s; run it again with a larger --time-limit" error ||
    fail "$(cat error)"
"$softprompt" status -r limited long.yaml | grep -q "failed: .*, checkpoint at step [1-9]" ||
    fail "no checkpoint after the time limit"
"$softprompt" run -q -r limited2 long.yaml --memory-limit 1M > log 2> error
[ $? -eq 11 ] || fail "--memory-limit: $(cat error)"
grep -q "ended at its memory limit of 1 MB; use a smaller batch" error || fail "$(cat error)"
printf 'limits: {memory: 1M}\n' | cat long.yaml - > limited.yaml
"$softprompt" run -q -r limited3 limited.yaml > log 2> error
grep -q "ended at its memory limit" error || fail "limits of the spec: $(cat error)"
"$softprompt" run -q -r limited3 study.yaml --only 1 --set limits.memory=4G > log 2> error ||
    fail "a limit that holds: $(cat error)"

# ---- cancel ----

"$softprompt" cancel long.yaml > output || fail "cancel with nothing at work"
grep -q "no process is at work on it" output || fail "$(cat output)"
"$softprompt" run --json -r stopped long.yaml > log 2> error &
study=$!
wait_until "a step" at_step stopped
"$softprompt" status -r stopped long.yaml > output
grep -q "running, step [0-9]*/200000, loss .*, $study@" output || fail "$(cat output)"
"$softprompt" cancel -r stopped long.yaml > output || fail "cancel"
grep -q "asked process $study on .* to stop" output || fail "$(cat output)"
kill -0 $study 2> /dev/null && [ "$(children $study)" ] && fail "cancel did not wait"
expect_end 130 $study "cancel"
grep -q "cancelled; run it again to go on" error || fail "$(cat error)"
"$softprompt" status -r stopped long.yaml | grep -q "interrupted, checkpoint at step [1-9]" ||
    fail "no checkpoint after cancel"
"$softprompt" run --json -r stopped long.yaml > log 2> error &
study=$!
wait_until "a step after a cancellation" at_step stopped
id=$(sed -n 's/.*"run":"\([0-9a-f]*\)".*/\1/p' log | head -n 1)
"$softprompt" cancel -r stopped long.yaml --run "$id" > output || fail "cancel --run"
grep -q "run $id is stopped" output || fail "$(cat output)"
expect_end 130 $study "cancel --run"
grep -q "1 of 1 runs were cancelled" error || fail "$(cat error)"

# ---- Ctrl-C, the terminal closed, twice ----

# env: the tests themselves may run under nohup.
for signal in INT HUP TERM; do
    env --default-signal=HUP "$softprompt" run --json -r signal-$signal long.yaml > log 2> error &
    study=$!
    wait_until "a step" at_step signal-$signal
    kill -$signal $study
    expect_end 130 $study "SIG$signal"
    grep -q "stopping 1 run, with a checkpoint" error || fail "SIG$signal: $(cat error)"
    [ -e signal-$signal/long/runs/*.checkpoint.h5 ] || fail "SIG$signal: no checkpoint"
done
(
    trap '' HUP # as nohup does
    exec "$softprompt" run --json -r nohup long.yaml > log 2> error
) &
study=$!
wait_until "a step" at_step nohup
kill -HUP $study
sleep 0.5
kill -0 $study || fail "nohup is not respected"
kill -TERM $study
expect_end 130 $study "SIGTERM"
"$softprompt" run --json -r twice long.yaml > log 2> error &
study=$!
wait_until "a step" at_step twice
run=$(children $study)
kill -STOP "$run" # a run that does not stop
kill -INT $study
sleep 0.5
kill -INT $study
expect_end 130 $study "Ctrl-C twice"
gone() {
    ! kill -0 "$run" 2> /dev/null
}
wait_until "the run is gone" gone

# ---- interrupted and gone on with is the same, bit for bit ----

if command -v h5dump > /dev/null; then
    "$softprompt" run -q -r whole long.yaml --set train.steps=$whole > log 2> error || fail "$(cat error)"
    "$softprompt" run -q --json -r parts long.yaml --set train.steps=$whole > log 2> error &
    study=$!
    wait_until "a run" started 1 log
    sleep 0.3
    kill -INT $study
    wait $study
    "$softprompt" run -q -r parts long.yaml --set train.steps=$whole > log 2> error || fail "$(cat error)"
    [ "$(series whole | wc -w)" -gt $whole ] || fail "no losses"
    [ "$(series whole)" = "$(series parts)" ] || fail "not the same after an interruption"
else
    echo "h5dump is not installed: the comparison after an interruption is left out"
fi
