# submit --slurm on a real Slurm: a cluster of this one machine, made in a temporary folder with a
# name and ports of its own and taken down at the end. Needs root, and Debian's Slurm and munge, which
# it installs. Refuses where a Slurm is configured. $1 is the program.
if [ -n "${SLURM_CONF:-}" ] || ls /etc/slurm/slurm.conf /etc/slurm-llnl/slurm.conf > /dev/null 2>&1; then
    echo "a Slurm is configured on this machine, which this test does not touch; use another one"
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "the daemons of Slurm need root: sudo make test-slurm"
    exit 1
fi
sh scripts/deps.sh slurmctld slurmd slurm-client munge || exit 1
. tests/cli/support.sh

say() {
    echo "$(date +%H:%M:%S) $*"
}

# ---- the cluster ----

cluster=$folder/cluster
mkdir -p "$cluster/state" "$cluster/spool" "$cluster/munge"
chmod 755 "$folder" "$cluster"
chmod 700 "$cluster/munge"
export SLURM_CONF="$cluster/slurm.conf"
host=$(hostname -s)
port=$((20000 + $$ % 20000))
megabytes=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
cat > "$SLURM_CONF" << CONF
ClusterName=softprompt-test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$cluster/munge/socket
CredType=cred/munge
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ReturnToService=2
KillWait=10
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$((megabytes / 1024 * 9 / 10)) State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
# No plug-in that is named above uses cgroups, but slurmd wants to know their kind.
kind=v1
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] && kind=v2
echo "CgroupPlugin=cgroup/$kind" > "$cluster/cgroup.conf"
head -c 1024 /dev/urandom > "$cluster/munge/key"
chmod 600 "$cluster/munge/key"

daemons=
stop_cluster() {
    scancel --quiet --me > /dev/null 2>&1
    for daemon in $daemons; do
        kill "$daemon" 2> /dev/null
    done
    wait
    rm -rf "$folder"
}
trap stop_cluster EXIT
trap 'exit 130' INT TERM

munged --foreground --force --socket="$cluster/munge/socket" --key-file="$cluster/munge/key" \
    --pid-file="$cluster/munge/pid" --log-file="$cluster/munge/log" \
    --seed-file="$cluster/munge/seed" 2> "$cluster/munge/errors" &
daemons=$!
for i in $(seq 50); do
    [ -S "$cluster/munge/socket" ] && break
    sleep 0.1
done
slurmctld -D -f "$SLURM_CONF" > "$cluster/slurmctld.out" 2>&1 &
daemons="$! $daemons"
slurmd -D -f "$SLURM_CONF" -N "$host" > "$cluster/slurmd.out" 2>&1 &
daemons="$! $daemons"
for i in $(seq 150); do
    sinfo -h -o %t 2> /dev/null | grep -q '^idle' && break
    sleep 0.2
done
sinfo -h -o %t 2> /dev/null | grep -q '^idle' || {
    tail -n 15 "$cluster"/munge/errors "$cluster"/*.out "$cluster"/*.log
    fail "the cluster does not come up"
}
say "cluster up: $(sinfo --version), $(sinfo -h -o '%n %c CPUs %m MB %t')"

# ---- a study ----

things 16
cat > study.yaml << 'YAML'
name: slurm
base:
  {model: gpt2-1m, dataset: things.yaml, train: {steps: 10, batch: 4}, decode: {max_tokens: 4}}
methods:
  prompt: {length: 2}
  prefix: {length: 2, hidden: 8, grid: {threads: [2]}}
seeds: [1, 2]
YAML
[ "$(nproc)" -ge 2 ] || sed -i 's/, grid: {threads: [2]}//' study.yaml

# values FILE OBJECT: the numbers as they are, to be compared.
values() {
    h5dump -y -w 0 -m '%.9g' -d "$2" "$1" | sed 1,2d
}

# same FOLDER: its runs are those of a local study, bit by bit.
same() {
    ls "$1"/slurm/runs/*.checkpoint.h5 2> /dev/null && fail "a run is not finished: $(ls "$1"/slurm/slurm)"
    for file in "$1"/slurm/runs/*.h5; do
        for object in /train/loss /dev/loss /test/bleu /test/predictions/hypothesis; do
            values "local/slurm/runs/${file##*/}" $object > expected
            values "$file" $object | cmp -s - expected || fail "$file: $object is not the local one"
        done
    done
}

# wait_for SECONDS COMMAND...: until it is true.
wait_for() {
    seconds=$1
    shift
    for i in $(seq $((seconds * 5))); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.2
    done
    squeue
    tail -n 20 "$cluster"/slurmctld.log results/slurm/slurm/*.log
    fail "not so after $seconds s: $*"
}

is_empty() {
    [ -z "$(squeue -h)" ]
}

"$softprompt" run -q study.yaml -r local || fail "local run"
say "local runs: $(ls local/slurm/runs/*.h5 | wc -l)"

"$softprompt" submit study.yaml --slurm --json > submitted || fail "submit: $(cat submitted)"
say "submitted: $(cat submitted)"
wait_for 180 is_empty
runs=$(ls results/slurm/runs/*.h5 | wc -l)
[ "$runs" -eq 4 ] || fail "$runs of 4 runs are there: $(cat results/slurm/slurm/*.log)"
same results
say "4 runs finished on the cluster, bit by bit as the local ones"
[ -s results/slurm/table.md ] || fail "no report: $(ls -R results)"
say "the report ran: $(ls results/slurm/slurm/report-*.log)"
"$softprompt" submit study.yaml --slurm | grep -q 'nothing to submit' || fail "submitted again"

# ---- a task whose time is short ----

long="--set train.steps=1500 --set train.checkpoint_seconds=1000"
rm -r local
"$softprompt" run -q study.yaml -r local --only 1 $long || fail "local run"
sed 's/, *seeds.*//; s/^seeds:.*/seeds: [1]/; /prefix:/d' study.yaml > one.yaml
"$softprompt" submit one.yaml --slurm -r requeued $long --json > submitted || fail "$(cat submitted)"
job=$(sed 's/.*"arrays":\[{[^}]*"id":"\([0-9]*\)".*/\1/' submitted)
say "a longer run: job $job"
is_training() {
    grep -q '"phase":.*"training"' requeued/slurm/runs/*.progress.json
}
wait_for 120 is_training
scancel --signal=USR1 --batch "${job}_0"
say "sent SIGUSR1, as Slurm does before the time limit"
wait_for 120 grep -q 'goes on in the queue' requeued/slurm/slurm/softprompt-slurm-"$job"_0.log
ls requeued/slurm/runs/*.checkpoint.h5 > /dev/null || fail "no checkpoint"
is_pending() {
    squeue -h -t PENDING -o %A | grep -q "^$job"
}
wait_for 60 is_pending
say "made a checkpoint; in the queue again: $(squeue -h -o '%i %T %r restarts %R' | head -n 1)"
# Slurm holds a requeued job back for two minutes, until what is left of its first life is surely over.
sleep 10
scontrol update JobId="${job}_0" StartTime=now
wait_for 300 is_empty
sed 's/^/    /' requeued/slurm/slurm/softprompt-slurm-"$job"_0.log
same requeued
[ -s requeued/slurm/table.md ] || fail "no report of the requeued study"
say "the requeued run went on from its checkpoint and gave the local numbers"

# ---- a task that is cancelled ----

"$softprompt" submit one.yaml --slurm -r cancelled $long --json > submitted || fail "$(cat submitted)"
job=$(sed 's/.*"arrays":\[{[^}]*"id":"\([0-9]*\)".*/\1/' submitted)
is_training_too() {
    grep -q '"phase":.*"training"' cancelled/slurm/runs/*.progress.json
}
wait_for 120 is_training_too
scancel "$job"
wait_for 60 is_empty
ls cancelled/slurm/runs/*.checkpoint.h5 > /dev/null || fail "a cancelled task leaves no checkpoint"
say "a cancelled task made a checkpoint and stayed away"
say "all is well"
