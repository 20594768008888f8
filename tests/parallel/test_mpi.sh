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
    timeout 60 mpirun --oversubscribe --bind-to none -n "$ranks" "$softprompt" "$@" \
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
  {model: gpt2-1m, dataset: things.yaml, train: {steps: 6, batch: 4}, decode: {max_tokens: 4}}
methods: {prompt: {length: 2}, adalora: {}, fine-tune: {}}
YAML
cat > topics.yaml << 'YAML'
name: topics
base:
  {model: gpt2-1m, dataset: wntopic, output: linear, train: {steps: 4, batch: 5},
   data: {limit: 40}, dev: {limit: 33}, test: {limit: 33}}
methods: {p-tuning-v2: {length: 3}}
YAML
# Labels and words of two sets, tested on two others, and a mixture of them.
for animal in cat cow bird horse fish; do
    echo "{\"text\": \"the $animal runs\", \"label\": \"animal\"}"
    echo "{\"text\": \"$animal soup with rice\", \"label\": \"food\"}"
done > near.jsonl
sed 1,3d near.jsonl > far.jsonl
for name in near far; do
    cat > $name.yaml << YAML
name: $name
reader: jsonl
template: {separator: "\nTopic:"}
splits: {train: $name.jsonl, dev: $name.jsonl, test: $name.jsonl}
labels: {animal: animal, food: food}
YAML
done
printf 'name: both\nreader: mixture\nof: [near.yaml, far.yaml]\n%s\n' \
    'splits: {train: all, dev: all, test: all}' > both.yaml
cat > shift.yaml << 'YAML'
name: shift
base:
  {model: gpt2-1m, dataset: near.yaml, transfer: [far.yaml], train: {steps: 4, batch: 3}}
methods: {prompt: {length: 2}}
YAML
sed 's/name: shift/name: mixed/; s/, transfer: .far.yaml.//; s/near.yaml/both.yaml/' shift.yaml \
    > mixed.yaml
"$softprompt" run -q study.yaml -r alone || fail "alone"
"$softprompt" run -q topics.yaml -r alone || fail "topics alone"

for study in shift mixed; do
    "$softprompt" run -q $study.yaml -r alone || fail "$study alone"
done

# Ranks that share a study.
on 2 run study.yaml -r farm --json
[ $code -eq 0 ] || fail "farm: exit code $code: $(cat error)"
tail -n 1 output | grep -q '"event":"end",.*"done":3,.*"failed":0,.*"exit_code":0' ||
    fail "farm: $(tail -n 1 output)"
[ "$(grep -c '"event":"end"' output)" -eq 1 ] || fail "farm: more than one rank prints"
on 2 run study.yaml -r farm
[ $code -eq 0 ] && grep -q '0 done now, 3 finished before' output || fail "farm again: $(cat output)"

# Ranks that share each run: near to one process, and the same bits on as many ranks again.
on 2 run -q --data-parallel study.yaml -r one2
[ $code -eq 0 ] || fail "2 ranks: exit code $code: $(cat error)"
on 2 run -q --data-parallel topics.yaml -r one2
[ $code -eq 0 ] || fail "2 ranks, topics: exit code $code: $(cat error)"
for study in shift mixed; do
    on 2 run -q --data-parallel $study.yaml -r one2
    [ $code -eq 0 ] || fail "2 ranks, $study: exit code $code: $(cat error)"
    file=$(ls one2/$study/runs/*.h5)
    for object in predictions/input far/accuracy; do
        values "$file" /test/$object > output
        values "alone/${file#one2/}" /test/$object | cmp -s - output || fail "$study: $object"
    done
done
for object in input hypothesis reference; do
    values "$(ls one2/shift/runs/*.h5)" /test/far/predictions/$object > output
    values "$(ls alone/shift/runs/*.h5)" /test/far/predictions/$object | cmp -s - output ||
        fail "far: $object"
done
on 2 run -q --data-parallel study.yaml -r two2 --only 2-3
[ $code -eq 0 ] || fail "2 ranks again: exit code $code: $(cat error)"
on 3 run -q --data-parallel study.yaml -r one3 --only 2
[ $code -eq 0 ] || fail "3 ranks: exit code $code: $(cat error)"

# same FOLDER FILE: the numbers and texts of the two runs.
same() {
    for object in /train/loss /dev/loss /test/predictions/hypothesis; do
        values $1 $object > expected
        values $2 $object | cmp -s - expected || fail "$1 and $2 differ in $object"
    done
}

# near NUMBER OBJECT FILE FILE
near() {
    h5diff -d "$1" "$3" "$4" "$2" > difference || fail "$3 and $4: $(head -n 20 difference)"
}

[ "$(ls farm/ranks/runs/*.h5 | wc -l)" -eq 3 ] || fail "$(ls farm/ranks/runs)"
for file in farm/ranks/runs/*.h5; do
    same "$file" "alone/${file#farm/}"
done
for file in two2/ranks/runs/*.h5; do
    same "$file" "one2/${file#two2/}"
done
for file in one2/*/runs/*.h5 one3/*/runs/*.h5; do
    # Sums in another order; Adam's first steps, which divide by them, make it more.
    near 5e-4 /train/loss "$file" "alone/${file#one?/}"
    near 5e-4 /dev/loss "$file" "alone/${file#one?/}"
    case $file in */ranks/*) metric=bleu ;; *) metric=accuracy ;; esac
    near 0.01 /test/$metric "$file" "alone/${file#one?/}"
    size=${file#one}
    h5dump -a /ranks "$file" | grep -q "(0): ${size%%/*}" || fail "$file: no attribute ranks"
done


# Failures: one line, from rank 0, and no rank left.
on 2 run -q --data-parallel study.yaml -r nan --only 3 --set methods.fine-tune.lr=100
[ $code -eq 11 ] || fail "NaN: exit code $code: $(cat error)"
[ "$(own_lines | wc -l)" -eq 1 ] || fail "NaN: $(cat error)"
own_lines | grep -q '1 of 1 runs failed; the first: .*use a lower learning rate' || fail "$(cat error)"
on 2 run -q study.yaml -r failed --set threads=1000
[ $code -eq 11 ] || fail "threads: exit code $code: $(cat error)"
[ "$(own_lines | wc -l)" -eq 1 ] || fail "threads: $(cat error)"
own_lines | grep -q '3 of 3 runs failed; the first: .*threads is 1000' || fail "$(cat error)"
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

# wait_for PATTERN: until such files are there.
wait_for() {
    for i in $(seq 300); do
        ls $1 > /dev/null 2>&1 && return
        sleep 0.1
    done
    fail "no $1: $(cat error)"
}

# A signal to one rank stops all, with a checkpoint, and the next call goes on there with the same
# bits: between steps, and in an evaluation, of which the second run has a slow one after each step.
stop_and_go_on() {
    what=$1
    shift
    mpirun --oversubscribe -n 2 "$softprompt" run -q --data-parallel study.yaml -r "$what" \
        --only 1 "$@" > output 2> error &
    job=$!
    wait_for "$what/ranks/runs/*.progress.json"
    children=$(cat /proc/$job/task/*/children)
    kill -TERM "$(echo $children | cut -d ' ' -f 2)"
    wait $job
    code=$?
    [ $code -eq 130 ] || fail "$what: TERM: exit code $code: $(cat error)"
    own_lines | grep -q 'stopped after step .*goes on there' || fail "$what: TERM: $(cat error)"
    [ "$(own_lines | wc -l)" -eq 1 ] || fail "$what: TERM: $(cat error)"
    ls $what/ranks/runs/*.checkpoint.h5 > /dev/null || fail "$what: TERM: no checkpoint"
    on 2 run -q --data-parallel study.yaml -r "$what" --only 1 "$@"
    [ $code -eq 0 ] || fail "$what: resumed: exit code $code: $(cat error)"
    on 2 run -q --data-parallel study.yaml -r whole --only 1 "$@"
    for file in whole/ranks/runs/*.h5; do
        same "$file" "$what/${file#whole/}"
    done
    rm -r whole
}
stop_and_go_on steps --set train.steps=60 --set train.checkpoint_seconds=1
stop_and_go_on evaluations --set train.steps=8 --set train.eval_every=1 --set decode.max_tokens=60

# A rank that is killed does not leave the others behind.
mpirun --oversubscribe -n 2 "$softprompt" run -q --data-parallel study.yaml -r killed \
    --set train.steps=100000 > output 2> error &
job=$!
wait_for 'killed/ranks/runs/*.progress.json'
children=$(cat /proc/$job/task/*/children)
kill -KILL "$(echo $children | cut -d ' ' -f 2)"
# gone PID TEXT: waits until the process has ended; a zombie has.
gone() {
    for i in $(seq 300); do
        grep -q '^State:.[^Z]' "/proc/$1/status" 2> /dev/null || return 0
        sleep 0.1
    done
    fail "$2"
}
gone $job "a killed rank leaves the others waiting"
wait $job && fail "a killed rank is no failure"
for child in $children; do
    gone "$child" "rank $child is left"
done
exit 0
