#!/bin/sh
# Measures what ranks bring on this machine, for docs/scaling.md: runs a minute when ranks share a
# study, tokens a second when they share a run (--data-parallel), and bytes a step. Each rank has one
# CPU and one thread. One rank and two take turns, and the best of the turns counts, since other work
# on the machine only ever slows them down. $1 is the program, $2 the folder for farm.csv, steps.csv,
# model.csv and scaling.svg; TURNS (2) and STEPS (30).
set -eu
softprompt=$(realpath "$1")
home=$PWD
mkdir -p "$2"
out=$(realpath "$2")
turns=${TURNS:-2}
steps=${STEPS:-30}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 SOFTPROMPT_HOME="$home"
command -v mpirun > /dev/null || { echo "make scaling: mpirun is missing (make deps)" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > study.yaml << YAML
name: scaling
base:
  {model: gpt2-4m, dataset: wntriples, threads: 1,
   train: {steps: $steps, batch: 16, eval_every: $steps}, decode: {max_tokens: 2, beam: 1},
   dev: {limit: 4}, test: {limit: 4}}
methods:
  prompt: {length: 20}
  prefix: {length: 20, reparametrization: none}
  lora: {}
  fine-tune: {}
YAML

# attribute FILE NAME
attribute() {
    h5dump -a "/$2" "$1" | sed -n 's/^ *(0): //p'
}

# series FILE NAME: its last number.
series() {
    h5dump -y -w 0 -d "/train/$2" "$1" | sed -n '/DATA {/,/}/p' | tr -d ' }' |
        tr ',' '\n' | grep '[0-9]' | tail -n 1
}

# on N ARGUMENTS...
on() {
    ranks=$1
    shift
    mpirun --bind-to core -n "$ranks" "$softprompt" run -q "$@"
}

for turn in $(seq "$turns"); do
    for ranks in 1 2; do
        on $ranks --data-parallel study.yaml -r "parallel-$ranks-$turn"
        start=$(date +%s.%N)
        on $ranks --jobs 1 study.yaml --set 'seeds=[1, 2]' --only 1-4 -r "farm-$ranks-$turn"
        echo "$ranks $start $(date +%s.%N)" >> farm
    done
done

echo "ranks,runs_per_minute" > "$out/farm.csv"
for ranks in 1 2; do
    awk -v ranks=$ranks '$1 == ranks { s = $3 - $2; if (!best || s < best) best = s }
        END { printf "%d,%.1f\n", ranks, 60 * 4 / best }' farm >> "$out/farm.csv"
done

echo "method,trained,ranks,tokens_per_second,step_seconds,bytes_per_step" > "$out/steps.csv"
for method in prompt prefix lora fine-tune; do
    for ranks in 1 2; do
        for file in parallel-$ranks-*/scaling/runs/*.h5; do
            [ "$(attribute "$file" entry)" = "\"$method\"" ] || continue
            echo "$(series "$file" tokens) $(series "$file" seconds)" \
                "$(attribute "$file" trainable_parameters) $(attribute "$file" train_bytes_sent)"
        done | awk -v ranks=$ranks -v steps="$steps" -v method=$method '
            { rate = $1 / $2; if (rate > best) best = rate; tokens = $1; trained = $3; bytes = $4 }
            END { printf "%s,%d,%d,%.0f,%.5f,%.0f\n", method, trained, ranks, best,
                  tokens / steps / best, bytes / steps }' >> "$out/steps.csv"
    done
done

# Expected efficiency when each rank keeps its measured work: step / (step + communication). A step
# has three exchanges, of at most N - 1 messages after one another, and 2 (N - 1) / N of 4 bytes for
# each trained number on the wire.
efficiency() { # NAME TRAINED STEP_SECONDS
    for ranks in 2 4 8 16 32 64; do
        awk -v name="$1" -v trained="$2" -v step="$3" -v n=$ranks 'BEGIN {
            bytes = 8 * (n - 1) / n * trained
            slow = 3 * (n - 1) * 30e-6 + bytes / 1.1e9
            fast = 3 * (n - 1) * 2e-6 + bytes / 11e9
            printf "%s,%d,%d,%.0f,%.4f,%.4f\n", name, trained, n, bytes,
                   step / (step + slow), step / (step + fast) }'
    done
}
{
    echo "case,trained,ranks,bytes_per_step,efficiency_10gbe,efficiency_100gb"
    grep ',1,' "$out/steps.csv" | while IFS=, read -r method trained ranks rate step bytes; do
        efficiency "gpt2-4m $method" "$trained" "$step"
    done
    # SmolLM2-135M, 512 tokens a rank and step at the speed that docs/benchmarks.md has for 2 threads.
    efficiency "135M prompt" 11520 1.0
    efficiency "135M prefix" 230400 1.0
    efficiency "135M lora" 921600 1.0
    efficiency "135M fine-tune" 134515008 1.5
} > "$out/model.csv"

gnuplot -e "model='$out/model.csv'; out='$out/scaling.svg'" "$home/plots/scaling.gp"
lscpu | sed -n 's/^Model name: */machine: /p'
echo "load: $(cut -d ' ' -f 1-3 /proc/loadavg)"
cat "$out/farm.csv" "$out/steps.csv"
