# What happens to the files of a study: a kill before every sync, renaming and removal, full disks,
# files and folders that vanish, damaged checkpoints, a clock that jumps. No finished run is lost,
# and the next `run` ends with the numbers of a study left alone, bit for bit.
. tests/cli/support.sh
same_runs=$2
fault=$3
study=
trap '[ -z "$study" ] || kill -9 "$study" 2> /dev/null; rm -rf "$folder"' EXIT
export ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0"

things 12
cp -r "$home/models/gpt2-1m" model
cat > study.yaml << 'YAML'
name: faults
base: {model: model, dataset: things.yaml, threads: 1,
       train: {steps: 4, batch: 4, eval_every: 2, checkpoint_seconds: 0},
       decode: {max_tokens: 4}, dev: {limit: 4}, test: {limit: 4}}
methods:
  prompt: {length: 2, optimizer: adafactor, lr: 0.1}
  fine-tune: {steps: 2, lr: 1e-4}
YAML
runs=hurt/faults/runs

# hurt SETTING...: the study with an environment in which something fails.
hurt() {
    env LD_PRELOAD="$fault" "$@" "$softprompt" run -q -j 1 -r hurt study.yaml > output 2> error
}

# heal WHAT: the study goes on undisturbed, and nothing is left over.
heal() {
    "$softprompt" run -q -j 1 -r hurt study.yaml > output 2> error || fail "$1: $(cat error)"
    "$same_runs" alone/faults hurt/faults || fail "$1: other numbers"
    [ -z "$(find hurt -name '*tmp-*' -o -name '*checkpoint.h5')" ] || fail "$1: $(find hurt)"
}

# keep_finished: remembers the finished runs; check_finished: they are there as they were.
keep_finished() {
    for run in $runs/????????????????.h5; do
        [ -e "$run" ] && grep -qa finished "$run" && sha256sum "$run"
    done > finished
}
check_finished() {
    [ ! -s finished ] || sha256sum --quiet -c finished || fail "$1: a finished run is lost"
}

"$softprompt" run -q -j 1 -r alone study.yaml || fail "the study left alone"

# hurt_and_heal SETTING: a process was killed, and nothing was lost. False if none was, or when its
# run was finished already.
hurt_and_heal() {
    rm -rf hurt
    hurt "$1"
    code=$?
    if [ $code -eq 0 ]; then
        heal "$1"
        return 1
    fi
    [ $code -eq 11 ] || [ $code -eq 137 ] || fail "$1: exit code $code: $(cat error)"
    keep_finished
    heal "$1"
    check_finished "$1"
}

# A kill before each of these operations in turn, and in the middle of a write.
at=0 harmless=0 # in a row
while [ $harmless -lt 5 ]; do
    at=$((at + 1)) harmless=$((harmless + 1))
    hurt_and_heal FAULT_KILL=$at && harmless=0
done
[ $at -gt 20 ] || fail "only $at operations"
echo "a kill before each of $((at - 5)) operations"
torn=0
for bytes in 100 9000 30000 60000 80000 2000000 5000000 7000000 11000000 15000000 17000000; do
    hurt_and_heal FAULT_TORN=$bytes && torn=$((torn + 1))
done
[ $torn -ge 8 ] || fail "only $torn kills in a write"

# A disk that is full after so many bytes: one line, and the older files stay.
full=0
for bytes in 0 1000 30000 100000 700000 3000000 6000000 11000000 20000000 24000000; do
    rm -rf hurt
    hurt FAULT_FULL=$bytes
    code=$?
    [ $code -eq 0 ] && continue
    full=$((full + 1))
    [ $code -eq 7 ] || fail "full after $bytes: exit code $code: $(cat error)"
    [ "$(wc -l < error)" -eq 1 ] || fail "full after $bytes: not one line: $(cat error)"
    grep -q "cannot .*: No space left on device" error || fail "full after $bytes: $(cat error)"
    [ -z "$(find hurt -name '*tmp-*')" ] || fail "full after $bytes: $(find hurt)"
    keep_finished
    heal "full after $bytes"
    check_finished "full after $bytes"
done
[ $full -ge 5 ] || fail "the disk was full only $full times"

# A clock that jumps by ten years.
rm -rf hurt
hurt FAULT_CLOCK=315360000 || fail "jumping clock: $(cat error)"
heal "jumping clock"

# stop_in SPEC: a run of it is stopped that has a checkpoint.
stop_in() {
    "$softprompt" run -q -j 1 -r hurt "$1" --set train.steps=100000 2> error &
    study=$!
    mkdir -p hurt
    for i in $(seq 300); do
        [ -n "$(find hurt -name '*.checkpoint.h5')" ] && break
        sleep 0.05
    done
    "$2" || fail "$2"
    kill -INT $study
    wait $study
    code=$?
    study=
}
nothing() {
    :
}

# damaged WHAT: the checkpoint of a stopped study is set aside, and the run begins anew.
sed 's/name: faults/name: long/; /fine-tune/d' study.yaml > long.yaml
damage() {
    rm -rf hurt
    stop_in long.yaml nothing
    [ $code -eq 130 ] || fail "$1: exit code $code: $(cat error)"
    checkpoint=$(find hurt -name '*.checkpoint.h5')
    "$2" "$checkpoint"
    timeout -s INT 2 "$softprompt" run -q -j 1 -r hurt long.yaml --set train.steps=100000 2> error
    grep -q "the checkpoint .* is damaged; it is now .*\.damaged, and the run begins anew" error ||
        fail "$1: $(cat error)"
    [ -e "$checkpoint.damaged" ] || fail "$1: not set aside: $(find hurt)"
    [ -e "$checkpoint" ] || fail "$1: not begun anew: $(find hurt)"
}
cut_short() {
    truncate -s 2000 "$1"
}
zero() {
    truncate -s 0 "$1" && truncate -s 20000 "$1"
}
scribble() {
    yes garbage | dd of="$1" bs=1 seek=100 count=1500 conv=notrunc 2> /dev/null
}
damage "a checkpoint cut short" cut_short
damage "a checkpoint of zeros" zero
damage "a checkpoint with garbage" scribble

# A checkpoint or a run file that is removed: done again.
rm -rf hurt
hurt FAULT_KILL=7
rm -f $runs/*.checkpoint.h5
heal "a removed checkpoint"
rm "$(ls $runs/*.h5 | head -n 1)"
heal "a removed run file"

# While a run is at work: its checkpoint, the folder, the data, the model.
remove_checkpoint() {
    rm -f hurt/long/runs/*.checkpoint.h5
}
remove_runs() {
    rm -r hurt/long/runs
}
rm -rf hurt
stop_in long.yaml remove_checkpoint
[ $code -eq 130 ] || fail "a checkpoint removed at work: $code $(cat error)"
[ -n "$(find hurt -name '*.checkpoint.h5')" ] || fail "no new checkpoint: $(find hurt)"
rm -rf hurt
stop_in long.yaml remove_runs
[ $code -eq 7 ] || [ $code -eq 130 ] || fail "runs/ removed at work: $code $(cat error)"
[ "$(wc -l < error)" -eq 1 ] || fail "runs/ removed at work: $(cat error)"
cp error removed-runs

rm -rf hurt
hurt FAULT_KILL=7
mv things.jsonl away.jsonl
hurt
code=$?
[ $code -eq 4 ] && [ "$(wc -l < error)" -eq 1 ] || fail "removed data: $code $(cat error)"
grep -q 'things.jsonl' error || fail "removed data: $(cat error)"
mv away.jsonl things.jsonl
mv model away
hurt
code=$?
[ $code -eq 4 ] && [ "$(wc -l < error)" -eq 1 ] || fail "removed model: $code $(cat error)"
grep -q 'model' error || fail "removed model: $(cat error)"
mv away model
heal "removed data and model"
