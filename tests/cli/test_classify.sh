# Classification through the program: a study of both class heads and of text, labels for lines of
# standard input, and what is refused.
. tests/cli/support.sh

# The run files that label (heads) or generate (text).
run_of() {
    for run in results/topics/runs/*.h5; do
        "$softprompt" generate -m gpt2-1m -a "$run" -j < input > answer 2> error || fail "$(cat error)"
        case $1 in
        text) grep -q '"output"' answer && echo "$run" ;;
        *) grep -q '"probabilities"' answer && echo "$run" ;;
        esac
    done
}

for animal in cat horse bird cow; do
    echo "{\"text\": \"the $animal sleeps\", \"label\": \"animal\"}"
    echo "{\"text\": \"a wild $animal\", \"label\": \"animal\"}"
done > train.jsonl
for dish in bread cheese rice soup; do
    echo "{\"text\": \"the $dish is cooked\", \"label\": \"food\"}"
    echo "{\"text\": \"a sweet $dish\", \"label\": \"food\"}"
done >> train.jsonl
cat > topics.yaml << 'YAML'
name: topics
reader: jsonl
task: classification
template: {separator: "\nTopic:"}
labels: {animal: [animal, dog], food: food}
splits: {train: train.jsonl, dev: train.jsonl, test: train.jsonl}
YAML
cat > study.yaml << 'YAML'
name: topics
base: {model: gpt2-1m, dataset: topics.yaml, train: {steps: 3, batch: 4}}
methods: {prompt: {length: 2}, fine-tune: {}}
grid: {output: [verbalizer, linear, text]}
YAML
echo 'a small wild cat' > input

"$softprompt" run -q study.yaml > log 2>&1 || fail "run: $(cat log)"
[ "$(ls results/topics/runs | wc -l)" -eq 6 ] || fail "six runs should be finished"
"$softprompt" plan study.yaml > log 2>&1 || fail "plan: $(cat log)"
for run in results/topics/runs/*.h5; do
    grep -qF " ${run##*/}" log || fail "plan does not name $run: $(cat log)"
done
"$softprompt" report study.yaml > log 2>&1 || fail "report: $(cat log)"
grep -q Accuracy results/topics/table.md || fail "no accuracy in the table"
grep -qx 'Written into results/topics: table.md, table.csv, table.tex, report.html' log ||
    fail "report: $(cat log)"

# A report of a search alone has no table, and says so.
sed 's/topics$/search/; $a report: {best: dev.accuracy}' study.yaml > search.yaml
"$softprompt" report search.yaml > log 2>&1 || fail "report: $(cat log)"
grep -qx 'Written into results/search: best.md, best.csv, best.tex, report.html' log || fail "report: $(cat log)"

# A plan names the rows that cannot be set up, and lists the others.
sed 's/food: food/food: [food, nourishment of all sorts]/' topics.yaml > words.yaml
sed 's/topics.yaml/words.yaml/' study.yaml > words-study.yaml
refuse 3 'softprompt: 2 of 6 rows cannot be set up; the first: ' plan words-study.yaml
[ "$(grep -c 'cannot be set up: .*nourishment' output)" -eq 2 ] || fail "plan: $(cat output)"
[ "$(grep -c '[.]h5$' output)" -eq 4 ] || fail "plan: $(cat output)"
grep -q '^6 runs into .*; time left' output || fail "plan: $(cat output)"

# ---- labels for lines ----

heads=$(run_of heads)
[ "$(echo "$heads" | wc -l)" -eq 4 ] || fail "four runs should label"
[ "$(run_of text | wc -l)" -eq 2 ] || fail "two runs should generate"
seq 300 | sed 's/^/a cat number /' > input
for run in $heads; do
    "$softprompt" generate -m gpt2-1m -a "$run" --batch 7 < input > one || fail "generate"
    "$softprompt" generate -m gpt2-1m -a "$run" < input > other || fail "generate"
    [ "$(grep -cx 'animal\|food' one)" -eq 300 ] || fail "a label a line: $(head one)"
    cmp -s one other || fail "labels depend on --batch"
done
run=$(echo "$heads" | head -n 1)
echo 'a small wild cat' > input
"$softprompt" generate -m gpt2-1m -a "$run" -j < input > output || fail "generate --json"
grep -qE '"label": "(animal|food)".*"animal": 0\.[0-9]+, "food": 0\.' output || fail "$(cat output)"
"$softprompt" data topics.yaml --split test --json > input || fail "data"
"$softprompt" generate -m gpt2-1m -a "$run" --records < input > output || fail "generate --records"
sed 's/.*"text":"//; s/".*//' input | "$softprompt" generate -m gpt2-1m -a "$run" | cmp -s - output ||
    fail "--records labels other texts than its lines do"
printf '%s\n' '{"text": "a cat\nand a dog"}' > input
"$softprompt" generate -m gpt2-1m -a "$run" --records -j < input > output || fail "two lines"
grep -qF '"input": "a cat\nand a dog"' output || fail "an input of two lines: $(cat output)"
"$softprompt" logprobs -m gpt2-1m -a "$run" < input > output || fail "logprobs"

# ---- what is refused ----

seq 2000 | tr '\n' ' ' > input
refuse 6 'standard input:1-1: example 1 takes' generate -m gpt2-1m -a "$run"
echo '{"label": "animal"}' > input
refuse 5 'standard input:1: has no "input", no "text" and no list of words' generate -m gpt2-1m -a "$run" --records
echo 'a cat' > input
refuse 5 'standard input:1: is not JSON' generate -m gpt2-1m -a "$run" --records
echo > input
refuse 6 'standard input:1: the line is empty' generate -m gpt2-1m -a "$run"
refuse 3 "output is 'both'" run -q study.yaml --set output=both
sed -i 's/dog/zyxwvutsrq/' topics.yaml
refuse 11 "label 'animal': its word ' zyxwvutsrq' has" run -q study.yaml
sed 's/label": "food/label": "animal/' train.jsonl > one.jsonl
sed 's/train.jsonl/one.jsonl/g' topics.yaml > one.yaml
refuse 6 "one class only" run -q study.yaml --set dataset=one.yaml
refuse 11 'output is linear, but data set' run -q study.yaml --set dataset=wntriples \
    --set output=linear --set test.limit=2 --set dev.limit=2
