# submit: the scripts and commands for Slurm, with a sbatch of the test's own; which runs are handed
# over, in what groups, and what is refused. (make test-slurm has a real Slurm.)
. tests/cli/support.sh

things 8
cat > study.yaml << 'YAML'
name: jobs
base: {model: gpt2-1m, dataset: things.yaml, train: {steps: 2, batch: 4}, decode: {max_tokens: 4}}
methods: {prompt: {length: 2}, prefix: {length: 2, hidden: 8}}
seeds: [1, 2]
presets: {long: {train.steps: 1000000}}
YAML
touch input

# has TEXT FILE
has() {
    grep -qF -e "$1" "$2" || fail "'$1' is not in: $(cat "$2")"
}

empty=$folder/empty
mkdir empty
for tool in cat wc grep; do ln -s "$(command -v $tool)" empty/; done
PATH=$empty refuse 4 'sbatch is not in PATH' submit study.yaml --slurm
PATH_WITHOUT=$PATH
"$softprompt" submit study.yaml > output 2> error
[ $? -eq 2 ] || fail "without --slurm: $(cat error)"
has 'Use --slurm' error
"$softprompt" submit study.yaml --slurm --max-array 0 > output 2> error
[ $? -eq 2 ] || fail "--max-array 0: $(cat error)"
refuse 3 "prompt" submit study.yaml --slurm --dry-run --set threads=1000

# Short runs are one task, long ones a task each, and an array holds no more than it may.
"$softprompt" submit study.yaml --slurm --dry-run --partition big --account "my lab" > output ||
    fail "dry run"
for line in '#SBATCH --array=0-0' '#SBATCH --requeue' '#SBATCH --signal=B:USR1@120' \
    '#SBATCH --cpus-per-task=1' '#SBATCH --mem=1024M' '#SBATCH --time=6' \
    '#SBATCH --partition=big' '#SBATCH --account=my\ lab' "#SBATCH --chdir=$folder" \
    "#SBATCH --output=$folder/results/jobs/slurm/%x-%A_%a.log" \
    "0) only='--only 1 --only 2 --only 3 --only 4' ;;" \
    "'$softprompt' run '$folder/study.yaml' '--results' '$folder/results' --quiet --jobs 1 --no-wait \$only &" \
    "sbatch --parsable '$folder/results/jobs/slurm/runs-1.sh'" \
    "sbatch --parsable --dependency=afterany:ID1 '$folder/results/jobs/slurm/report.sh'" \
    "'$softprompt' report '$folder/study.yaml' '--results' '$folder/results'"; do
    has "$line" output
done
[ ! -e results ] || fail "a dry run left files behind"
"$softprompt" submit study.yaml --slurm --dry-run --preset long --max-array 3 --json > output ||
    fail "dry run, long"
has '"arrays":[{"script":' output
has '"tasks":3,"runs":3' output
has '"tasks":1,"runs":1' output
has '"id":null' output
has '"submitted":false' output
has 'afterany:ID1:ID2' output

# Scripts are sh.
"$softprompt" submit study.yaml --slurm --dry-run --set "methods.prompt.label=it's" > output
sed -n '/^#!/,/^exit/p' output > script
sh -n script || fail "not a script: $(cat script)"
has "'--set' 'methods.prompt.label=it'\\''s'" script

# Submission: scripts are written, ids taken.
mkdir bin
cat > bin/sbatch << 'SH'
#!/bin/sh
echo "$*" >> calls
echo "sbatch: warning: something" >&2
echo "$((100 + $(wc -l < calls)));cluster"
SH
chmod +x bin/sbatch
export PATH="$folder/bin:$PATH_WITHOUT"
"$softprompt" submit study.yaml --slurm > output || fail "submit"
has 'job 101: ' output
has '4 runs in 1 tasks of 1 CPUs, 1024 MB, 6 min' output
has 'job 102: ' output
has "--parsable --dependency=afterany:101 $folder/results/jobs/slurm/report.sh" calls
sh -n results/jobs/slurm/runs-1.sh || fail "runs-1.sh"

# The script does its runs: as Slurm would start it, and with a signal.
SLURM_ARRAY_TASK_ID=0 SLURM_JOB_ID=7 sh results/jobs/slurm/runs-1.sh || fail "runs-1.sh fails"
[ "$(ls results/jobs/runs/*.h5 | wc -l)" -eq 4 ] || fail "$(ls results/jobs/runs)"
sh results/jobs/slurm/report.sh > log && [ -s results/jobs/table.md ] || fail "report: $(cat log)"
rm calls
"$softprompt" submit study.yaml --slurm | grep -q 'all 4 runs are finished' || fail "finished"
[ ! -e calls ] || fail "finished runs are submitted: $(cat calls)"
printf '#!/bin/sh\necho "$*" >> requeued\n' > bin/scontrol
chmod +x bin/scontrol
"$softprompt" submit study.yaml --slurm --preset long -r long > output || fail "submit, long"
SLURM_ARRAY_TASK_ID=1 SLURM_JOB_ID=8 sh long/jobs/slurm/runs-1.sh 2> error > log &
task=$!
for i in $(seq 300); do
    grep -qs '"phase":.*training' long/jobs/runs/*.progress.json && break
    sleep 0.1
done
kill -USR1 $task
wait $task
[ $? -eq 130 ] || fail "USR1: $(cat error)"
has 'requeue 8' requeued
ls long/jobs/runs/*.checkpoint.h5 > /dev/null || fail "no checkpoint"

# What sbatch refuses.
printf '#!/bin/sh\necho "sbatch: error: invalid partition" >&2\nexit 1\n' > bin/sbatch
refuse 11 'sbatch did not take a job: sbatch: error: invalid partition' \
    submit study.yaml --slurm -r other
exit 0
