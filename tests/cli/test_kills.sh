# 50 kills at random moments: of the study, of a run, of both, of the whole group, by Ctrl-C once and
# twice, by SIGTERM. Each time the same command goes on; in the end every number and text is that of
# a study left alone, bit for bit, and no finished run was lost or done again.
# KILLS_SEED=N repeats the moments of an earlier call as far as the clock allows; KILLS=N: how many.
. tests/cli/support.sh
same_runs=$2
seed=${KILLS_SEED:-$$}
wanted=${KILLS:-50}
study=
trap '[ -z "$study" ] || kill -9 -"$study" 2> /dev/null; rm -rf "$folder"' EXIT

things 16
cat > study.yaml << 'YAML'
name: kills
base: {model: gpt2-1m, dataset: things.yaml, threads: 1,
       train: {steps: 100, batch: 4, checkpoint_seconds: 0},
       decode: {max_tokens: 4}, dev: {limit: 8}, test: {limit: 8}}
methods:
  fine-tune: {steps: 20, lr: 1e-4}
  prefix: {length: 2, hidden: 8}
  adalora: {init_r: 4, target_r: 2}
  prompt: {length: 2, optimizer: adafactor, lr: 0.1}
  deep: {method: p-tuning-v2, length: 2, patience: 3, eval_every: 10}
seeds: [1, 2]
YAML

start=$(date +%s%N)
"$softprompt" run -q -j 2 -r alone study.yaml || fail "the study left alone"
took=$(($(date +%s%N) - start))
echo "seed $seed; a study left alone takes $((took / 1000000)) ms"

# The moments of a kill lie within a third of the time that a study takes.
awk -v seed="$seed" -v took="$took" 'BEGIN {
    split("parent worker both group term int twice", how, " ")
    srand(seed)
    for (i = 0; i < 2000; i++) printf "%s %.3f\n", how[1 + int(7 * rand())], rand() * took / 3e9
}' > moments

# at_work: whether the study is, not only its zombie.
at_work() {
    grep -q '^State:.[^Z]' "/proc/$study/status" 2> /dev/null
}

# check_finished: those found finished before are the same files still; then those finished now.
check_finished() {
    if [ -s finished ]; then
        sha256sum --quiet -c finished || fail "a finished run is lost"
    fi
    for run in killed/kills/runs/????????????????.h5; do
        [ -e "$run" ] && grep -qa finished "$run" && sha256sum "$run"
    done > finished
}

# end_study: how the process ended. A study that is done is compared, and the next begins.
end_study() {
    wait "$study"
    code=$?
    study=
    case $code in
    0)
        check_finished
        "$same_runs" alone/kills killed/kills || fail "other numbers after $kills kills"
        [ -z "$(find killed -name '*tmp-*' -o -name '*checkpoint*')" ] || fail "$(find killed)"
        studies=$((studies + 1))
        rm -r killed finished
        ;;
    11 | 130 | 137 | 143) [ $code -eq 11 ] && [ ! -e hurt ] && fail "a run failed: $(cat error)" ;;
    *) fail "exit code $code: $(cat error)" ;;
    esac
    rm -f hurt
}

# kill_study HOW
kill_study() {
    runs=$(cat "/proc/$study/task/$study/children" 2> /dev/null)
    case $1 in
    parent) kill -9 "$study" ;;
    worker) [ -n "$runs" ] && touch hurt && kill -9 ${runs%% *} ;;
    both) kill -9 "$study" $runs ;;
    group) kill -9 -"$study" ;;
    term) kill -TERM "$study" ;;
    int) kill -INT "$study" ;;
    twice) kill -INT "$study" && sleep 0.02 && kill -INT "$study" ;;
    esac 2> /dev/null
}

kills=0 studies=0
: > finished
while read -r how moment && [ $kills -lt "$wanted" ]; do
    if [ -z "$study" ]; then
        setsid "$softprompt" run -q -j 2 -r killed study.yaml 2> error &
        study=$!
    fi
    sleep "$moment"
    if at_work && kill_study "$how"; then
        kills=$((kills + 1))
        echo "$how" >> kinds
        [ "$how" != worker ] || continue
    elif at_work; then
        continue
    fi
    end_study
    check_finished
done < moments
[ -z "$study" ] || end_study
for i in 1 2 3; do
    [ -e killed ] || break
    "$softprompt" run -q -j 2 -r killed study.yaml && break
done
[ ! -e killed ] || "$same_runs" alone/kills killed/kills || fail "other numbers in the end"
echo "$kills kills:" $(sort kinds | uniq -c)
echo "$studies studies came to their end in between"
[ "$kills" -eq "$wanted" ] || fail "only $kills kills"
