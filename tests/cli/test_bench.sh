# softprompt bench: a tiny benchmark gives its rows in all three forms; wrong options get one line.
softprompt=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect CODE TEXT ARGUMENTS...: the exit code, and a text that the output must contain.
expect() {
    code=$1 text=$2
    shift 2
    output=$("$softprompt" bench "$@" 2>&1)
    got=$?
    if [ "$got" -ne "$code" ] || ! printf '%s\n' "$output" | grep -qE -e "$text"; then
        printf 'bench %s: exit %s, expected %s and "%s"; it printed:\n%s\n' \
            "$*" "$got" "$code" "$text" "$output"
        failed=1
    fi
}

# holds TEXT FILE: a regular expression that a line of the file must match.
holds() {
    if ! grep -qE -e "$1" "$2"; then
        printf '%s has no line like "%s":\n' "$2" "$1"
        cat "$2"
        failed=1
    fi
}

# The smallest model of the ladder, a few tokens, one repetition.
small="--model gpt2-1m --precision fp32 --steps 1 --batch 4 --tokens 4 --beam 2 --hidden 16"

expect 0 'train +speed +1 thread +[0-9.e+]+ tok/s' $small --threads 1 --what gemm,train,start,greedy,beam \
    --csv "$folder/new/bench.csv"
csv=$folder/new/bench.csv
holds '^model,precision,phase,measure,series,unit,threads,x,median,low,high,repetitions$' "$csv"
holds '^gpt2-1m,fp32,gemm,peak,,GFLOP/s,1,,[0-9]' "$csv"
holds '^gpt2-1m,fp32,train,share,,% of peak,1,,[0-9]' "$csv"
holds '^gpt2-1m,fp32,start,time,,s,1,,[0-9]' "$csv"
holds '^gpt2-1m,fp32,prompt,time,,ms,1,,[0-9]' "$csv"
holds '^gpt2-1m,fp32,beam,speed,,tok/s,1,,[0-9]' "$csv"
if [ "$(sed 's/[^,]//g' "$csv" | sort -u)" != ',,,,,,,,,,,' ]; then
    echo "the rows of the CSV do not all have 12 fields"
    failed=1
fi

"$softprompt" bench $small --what train --json > "$folder/json" 2> /dev/null || failed=1
for key in version cpu instructions gemm rows model precision threads phase measure median low high; do
    holds "\"$key\":" "$folder/json"
done

expect 2 "precision has 'fp23'; did you mean 'fp32'" --precision fp23
expect 2 "what has 'trains'; did you mean 'train'" --what trains
expect 2 'steps is 0' --steps 0
expect 2 "method is 'lora'" --method lora
expect 2 'go together' --workload nowhere
expect 2 "'gpt2-1m' is not wanted" gpt2-1m
expect 4 "model 'nowhere' is neither" --model nowhere --precision fp32 --what train
expect 3 'do not fit into the context' $small --what train --prefix 5000
printf '{"prefix": 2}' > "$folder/work"
printf '' > "$folder/none"
expect 5 'work: ' --model gpt2-1m --precision fp32 --workload "$folder/work" --init-params "$folder/none"
expect 0 '--beam=N' --help
exit $failed
