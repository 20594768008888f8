# run --jobs and --json: what is refused, one event a line, a killed run, Ctrl-C, and no process left.
. tests/cli/support.sh

# wait_for NAME COUNT FILE: until so many events are in the file.
wait_for() {
    for i in $(seq 300); do
        [ "$(events "$1" "$3")" -ge "$2" ] && return
        sleep 0.1
    done
    fail "no $2 events '$1' in: $(cat "$3")"
}

things 16
cat > study.yaml << 'YAML'
name: jobs
base: {model: gpt2-1m, dataset: things.yaml, train: {steps: 5, batch: 4}, decode: {max_tokens: 4}}
methods: {prompt: {length: 2}, prefix: {length: 2, hidden: 8}}
seeds: [1, 2]
YAML

for jobs in 0 -1 two 2x 1.5 4000000000 ''; do
    "$softprompt" run study.yaml --jobs "$jobs" > output 2> error
    [ $? -eq 2 ] || fail "--jobs '$jobs' is not refused"
    grep -qF "use a whole number from 1" error || fail "--jobs '$jobs': $(cat error)"
done
[ ! -e results ] || fail "a refused command left files behind"
"$softprompt" run study.yaml --set threads=1000 > output 2> error
[ $? -eq 11 ] || fail "more threads than CPUs: $(cat error)"
grep -qF "threads is 1000, but" error || fail "more threads than CPUs: $(cat error)"
"$softprompt" run -q study.yaml --set precision=fp8 > output 2> error
[ $? -eq 3 ] || fail "precision fp8: $(cat error)"

"$softprompt" run -q --json -j 2 study.yaml > log 2> error || fail "run: $(cat error)"
[ -s error ] && fail "--quiet prints: $(cat error)"
[ "$(events started log)" -eq 4 ] && [ "$(events finished log)" -eq 4 ] || fail "$(cat log)"
tail -n 1 log | grep -q '"event":"end",.*"done":4,.*"failed":0,.*"exit_code":0' || fail "$(cat log)"
"$softprompt" run study.yaml 2> error | grep -q '0 done now, 4 finished before' || fail "$(cat error)"

# A long study: one run is killed, the others go on until Ctrl-C, and none is left behind.
"$softprompt" run -q --json -j 1 -r long study.yaml --set train.steps=100000 > log 2> error &
study=$!
wait_for started 1 log
kill -9 $(children $study)
wait_for failed 1 log
grep -q '"event":"failed".*ended by signal 9 (Killed)' log || fail "$(cat log)"
wait_for started 2 log
run=$(children $study)
[ -n "$run" ] || fail "the study did not go on"
sleep 1
kill -INT $study
wait $study
[ $? -eq 130 ] || fail "Ctrl-C: $(cat error)"
tail -n 1 log | grep -q '"interrupted":true' || fail "$(cat log)"
kill -0 $run 2> /dev/null && fail "a run is left"
[ "$(ls long/jobs/runs/*.checkpoint.h5 | wc -l)" -ge 1 ] || fail "no checkpoint"
[ "$(ls long/jobs/runs | grep -c tmp)" -eq 0 ] || fail "a half-written file is left"
[ "$(ls long/jobs/runs/*.h5 | grep -vc checkpoint)" -eq 1 ] || fail "$(ls long/jobs/runs)"
