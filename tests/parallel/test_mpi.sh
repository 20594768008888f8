# run under mpirun: ranks share a study, or each run of it; one exit code, one line of failure, and
# numbers that are those of one process.
. tests/cli/support.sh

if ! command -v mpirun > /dev/null || [ ! -e "$(dirname "$softprompt")/open-mpi.so" ]; then
    echo "skipped: mpirun is not here, or the program was built without MPI (make deps)"
    exit 77
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# on N ARGUMENTS...: the program on N ranks; $code, output and error have what came of it.
on() {
    ranks=$1
    shift
    timeout 120 mpirun --oversubscribe --bind-to none -n "$ranks" "$softprompt" "$@" \
        > output 2> error
    code=$?
}

# lines of the program itself, without those of mpirun.
own_lines() {
    grep '^softprompt: ' error
}

# values FILE OBJECT: the numbers as they are, to be compared.
values() {
    h5dump -y -w 0 -m '%.9g' -d "$2" "$1" | sed 1,2d
}

for i in $(seq 14); do
    echo "{\"input\": \"name : thing $i\", \"target\": \"thing number $i of $((i * 7))\"}"
done > things.jsonl
cat > things.yaml << 'YAML'
name: things
reader: jsonl
splits: {train: things.jsonl, dev: things.jsonl, test: things.jsonl}
YAML
cat > study.yaml << 'YAML'
name: ranks
base:
  {model: gpt2-1m, dataset: things.yaml, train: {steps: 12, batch: 4}, decode: {max_tokens: 4}}
methods: {prompt: {length: 2}, adalora: {}, fine-tune: {}}
seeds: [1, 2]
YAML
cat > topics.yaml << 'YAML'
name: topics
base:
  {model: gpt2-1m, dataset: wntopic, output: linear, train: {steps: 10, batch: 5},
   data: {limit: 40}, dev: {limit: 33}, test: {limit: 33}}
methods: {p-tuning-v2: {length: 3}}
YAML
"$softprompt" run -q study.yaml -r alone || fail "alone"
"$softprompt" run -q topics.yaml -r alone || fail "topics alone"

# Ranks that share a study.
on 2 run study.yaml -r farm --json
[ $code -eq 0 ] || fail "farm: exit code $code: $(cat error)"
tail -n 1 output | grep -q '"event":"end",.*"done":6,.*"failed":0,.*"exit_code":0' ||
    fail "farm: $(tail -n 1 output)"
[ "$(grep -c '"event":"end"' output)" -eq 1 ] || fail "farm: more than one rank prints"
on 3 run study.yaml -r farm
[ $code -eq 0 ] && grep -q '0 done now, 6 finished before' output || fail "farm again: $(cat output)"

# Ranks that share each run: near to one process, and the same bits on as many ranks again.
for ranks in 2 3; do
    for try in one two; do
        on $ranks run -q --data-parallel study.yaml -r $try$ranks
        [ $code -eq 0 ] || fail "$ranks ranks: exit code $code: $(cat error)"
        on $ranks run -q --data-parallel topics.yaml -r $try$ranks
        [ $code -eq 0 ] || fail "$ranks ranks, topics: exit code $code: $(cat error)"
    done
done
files=$(cd alone && ls ./*/runs/*.h5)
[ "$(echo "$files" | wc -l)" -eq 7 ] || fail "files: $files"
for file in $files; do
    for object in /train/loss /dev/loss /test/predictions/hypothesis; do
        case $file in *ranks*)
            values alone/$file $object > expected
            values farm/$file $object | cmp -s - expected || fail "farm: $file $object differs" ;;
        esac
    done
    for ranks in 2 3; do
        # Sums in another order; Adam's first steps, which divide by them, make it more.
        h5diff -d 5e-4 alone/$file one$ranks/$file /train/loss > difference ||
            fail "$ranks ranks: $file: $(head -n 20 difference)"
        h5diff -d 5e-4 alone/$file one$ranks/$file /dev/loss > difference ||
            fail "$ranks ranks: $file: $(head -n 20 difference)"
        for object in /train/loss /dev/loss /test/predictions/hypothesis; do
            values one$ranks/$file $object > expected
            values two$ranks/$file $object | cmp -s - expected ||
                fail "$ranks ranks: $file $object is not the same again"
        done
        h5dump -a /ranks one$ranks/$file | grep -q "(0): $ranks" || fail "no attribute ranks"
    done
    case $file in *topics*) metric=accuracy ;; *) metric=bleu ;; esac
    h5diff -d 0.01 alone/$file one2/$file /test/$metric > difference ||
        fail "2 ranks: $file: $(cat difference)"
done
rm -f */*/runs/*.progress.json

# Failures: one line, from rank 0, and no rank left.
on 2 run -q --data-parallel study.yaml -r nan --set train.lr=1e30 --set methods.prompt.lr=1e30 \
    --set methods.adalora.lr=1e30 --set methods.fine-tune.lr=1e30
[ $code -eq 11 ] || fail "NaN: exit code $code: $(cat error)"
[ "$(own_lines | wc -l)" -eq 1 ] || fail "NaN: $(cat error)"
own_lines | grep -q 'of 6 runs failed; the first: .*use a lower learning rate' || fail "$(cat error)"
on 2 run -q study.yaml -r failed --set threads=1000
[ $code -eq 11 ] || fail "threads: exit code $code: $(cat error)"
[ "$(own_lines | wc -l)" -eq 1 ] || fail "threads: $(cat error)"
own_lines | grep -q '6 of 6 runs failed; the first: .*threads is 1000' || fail "$(cat error)"
on 2 run -q nothing.yaml
[ $code -eq 4 ] && [ "$(own_lines | wc -l)" -eq 1 ] || fail "no spec: $code: $(cat error)"
"$softprompt" run -q --data-parallel study.yaml > output 2> error
[ $? -eq 2 ] && grep -q 'mpirun did not start this' error || fail "without mpirun: $(cat error)"

# A program that was built without MPI.
mkdir bare && cp "$softprompt" bare/
built=$softprompt softprompt=$folder/bare/$(basename "$softprompt")
on 2 run -q study.yaml -r bare-results
[ $code -eq 4 ] && [ "$(own_lines | wc -l)" -eq 1 ] || fail "without the module: $code: $(cat error)"
grep -q 'built without MPI' error || fail "without the module: $(cat error)"
softprompt=$built

# wait_for FILES...: until they are there.
wait_for() {
    for i in $(seq 300); do
        ls "$@" > /dev/null 2>&1 && return
        sleep 0.1
    done
    fail "no $*"
}

# A signal to one rank stops all, with a checkpoint, and the next call goes on there.
long="--set train.steps=400 --set train.checkpoint_seconds=1"
mpirun --oversubscribe -n 2 "$softprompt" run -q --data-parallel study.yaml -r long --only 1 $long \
    > output 2> error &
job=$!
wait_for long/ranks/runs/*.progress.json
sleep 0.5
children=$(sed -n "s/^\([0-9]*\) .*/\1/p" /proc/$job/task/$job/children | head -n 1)
children=$(cat /proc/$job/task/*/children)
kill -TERM "$(echo $children | cut -d ' ' -f 2)"
wait $job
code=$?
[ $code -eq 130 ] || fail "TERM: exit code $code: $(cat error)"
own_lines | grep -q 'stopped after step .*goes on there' || fail "TERM: $(cat error)"
[ "$(own_lines | wc -l)" -eq 1 ] || fail "TERM: $(cat error)"
ls long/ranks/runs/*.checkpoint.h5 > /dev/null || fail "TERM: no checkpoint"
on 2 run -q --data-parallel study.yaml -r long --only 1 $long
[ $code -eq 0 ] || fail "resumed: exit code $code: $(cat error)"
on 2 run -q --data-parallel study.yaml -r whole --only 1 $long
for file in whole/ranks/runs/*.h5; do
    values $file /train/loss > expected
    values long/${file#whole/} /train/loss | cmp -s - expected || fail "the resumed run differs"
done

# A rank that is killed does not leave the others behind.
mpirun --oversubscribe -n 2 "$softprompt" run -q --data-parallel study.yaml -r killed \
    --set train.steps=100000 > output 2> error &
job=$!
wait_for killed/ranks/runs/*.progress.json
children=$(cat /proc/$job/task/*/children)
kill -KILL "$(echo $children | cut -d ' ' -f 2)"
for i in $(seq 300); do
    kill -0 $job 2> /dev/null || break
    sleep 0.1
done
kill -0 $job 2> /dev/null && fail "a killed rank leaves the others waiting"
wait $job && fail "a killed rank is no failure"
for child in $children; do
    kill -0 "$child" 2> /dev/null && fail "rank $child is left"
done
exit 0
