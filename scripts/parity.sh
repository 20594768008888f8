#!/bin/sh
# scripts/parity.sh BUILD OUT: runs the tests that replay golden vectors (tests/golden/) and writes to
# OUT a Markdown table of the largest differences, method by family. Fails when a test fails, or when
# a difference is above the tolerance. The measured lines stay beside it, in OUT.tsv.
set -eu
build=$1
out=$2
tolerance=2e-4
tests='^(model/test_(gpt2|llama)|tuning/test_(methods|llama|bert|updates)|training/test_(classify|tags))$'

mkdir -p "$(dirname "$out")"
rm -f "$out.tsv"
SOFTPROMPT_PARITY=$(realpath "$out.tsv") \
    ctest --test-dir "$build" --output-on-failure --timeout 300 -R "$tests" > "$out.log" 2>&1 ||
    { cat "$out.log" >&2; exit 1; }
rm "$out.log"
versions=$(grep -a -o -m 1 'torch [^"]*peft [0-9.]*' tests/golden/llama-tiny/lora.safetensors | head -n 1)

awk -F '\t' -v versions="$versions" -v tolerance="$tolerance" '
function list(text, into) { return split(text, into, "|") }
function max(a, b) { return a > b ? a : b }
BEGIN {
    columns = list("GPT-2|Llama|Llama, scaled RoPE|Mistral|Qwen2|BERT|RoBERTa", column)
    family["gpt2-tiny"] = 1; family["llama-tiny"] = family["llama-tiny-bias"] = 2
    family["llama3-tiny"] = family["linear-tiny"] = family["yarn-tiny"] = 3
    family["mistral-tiny"] = 4; family["qwen2-tiny"] = 5
    family["bert-tiny"] = 6; family["roberta-tiny"] = 7
    # the variant of a method by the vectors that it is compared with
    variant["prefix-mlp"] = variant["p-tuning-mlp"] = " (MLP)"
    variant["prefix-embedding"] = " (no MLP)"; variant["p-tuning-lstm"] = " (LSTM)"
    variant["infix"] = " (infix)"
    rows = list("fine-tune|ft-top|bitfit|prefix (MLP)|prefix (no MLP)|prefix (infix)|" \
        "p-tuning-v2 (no MLP)|p-tuning-v2 (MLP)|p-tuning-v2 (infix)|p-tuning (LSTM)|p-tuning (MLP)|" \
        "prompt|adaption-prompt|lora|adalora|adapter|linear|verbalizer|token-linear", row)
    for (i = 1; i <= rows; i++) known[row[i]] = 1
}
{
    name = $2 variant[$3]
    if (!($1 in family) || !(name in known)) { print "parity: no place for " $0 > "/dev/stderr"; bad = 1 }
    cell = name SUBSEP family[$1]
    worst[cell] = max(worst[cell] + 0, max($4, max($5, $6)))
    logits = max(logits, $4 + 0); loss = max(loss, $5 + 0); gradient = max(gradient, $6 + 0)
}
END {
    head = "| method |"; rule = "|---|"
    for (c = 1; c <= columns; c++) { head = head " " column[c] " |"; rule = rule "---|" }
    print head; print rule
    for (i = 1; i <= rows; i++) {
        line = "| " row[i] " |"
        for (c = 1; c <= columns; c++) {
            cell = row[i] SUBSEP c
            if (cell in worst && worst[cell] > tolerance) bad = 1
            line = line (cell in worst ? sprintf(" %.1e |", worst[cell]) : " - |")
        }
        print line
    }
    printf "\n%d comparisons; largest difference of logits %.1e, loss %.1e, gradients %.1e; tolerance %s.\n",
        NR, logits, loss, gradient, tolerance
    print "Vectors by " versions "."
    exit bad
}' "$out.tsv" > "$out" || { cat "$out" >&2; exit 1; }
cat "$out"
