# Ensembles of prompts and their neighbours in the vocabulary through the program: a study of seeds
# with class heads and with text, the report's tables, answers to lines, and what is refused.
. tests/cli/support.sh

topics '{animal: animal, food: food}'
cat > study.yaml << 'YAML'
name: team
base: {model: gpt2-1m, dataset: topics.yaml, train: {steps: 3, batch: 4}}
methods:
  prompt: {length: 3, init: class-label, lr: 1e-4}
  lora: {}
  fine-tune: {}
grid: {output: [verbalizer, text]}
seeds: [1, 2, 3]
report: {table: {metrics: [accuracy], groups: [all]}, ensemble: true, neighbours: true}
YAML
"$softprompt" run -q study.yaml > log 2>&1 || fail "run: $(cat log)"
"$softprompt" report study.yaml > log 2>&1 || fail "report: $(cat log)"
grep -q 'Accuracy, ensemble' results/team/ensemble.csv || fail "$(cat results/team/ensemble.csv)"
[ "$(wc -l < results/team/ensemble.csv)" -eq 7 ] || fail "six rows: $(cat results/team/ensemble.csv)"
[ "$(wc -l < results/team/neighbours.csv)" -eq 3 ] ||
    fail "only prompts have neighbours: $(cat results/team/neighbours.csv)"

# ---- votes ----

"$softprompt" plan study.yaml > plan 2>&1 || fail "plan: $(cat plan)"
# first_of TITLE: the run file that plan names for a line of the table.
first_of() {
    echo "results/team/runs/$(grep -F "$1" plan | grep -o '[0-9a-f]\{16\}[.]h5')"
}
prompt=$(first_of 'Prompt tuning output verbalizer') wrote=$(first_of 'Prompt tuning output text')
lora=$(first_of 'LoRA output verbalizer') tuned=$(first_of 'Fine-tuning output verbalizer')
# Other lengths of one prompt are voters too.
"$softprompt" run -q study.yaml --set name=longer --set methods.prompt.length=5 \
    --set methods.lora.rank=2 > log 2>&1 || fail "run: $(cat log)"
"$softprompt" plan study.yaml --set name=longer --set methods.prompt.length=5 \
    --set methods.lora.rank=2 > plan 2>&1 || fail "plan: $(cat plan)"
other=results/longer/runs/$(grep -F 'Prompt tuning output verbalizer' plan |
    grep -o '[0-9a-f]\{16\}[.]h5')
other_wrote=results/longer/runs/$(grep -F 'Prompt tuning output text' plan |
    grep -o '[0-9a-f]\{16\}[.]h5')

"$softprompt" ensemble "$prompt" "$other" "$prompt" --data topics.yaml > output 2> error ||
    fail "ensemble: $(cat error)"
grep -q 'all prompts in every batch' output || fail "$(cat output)"
for line in average 'best single' ensemble; do
    grep -q "^$line  *[0-9]" output || fail "no $line: $(cat output)"
done
"$softprompt" ensemble "$prompt" "$other" "$prompt" --data topics.yaml --json > output ||
    fail "ensemble --json"
grep -q '"one_batch": true' output || fail "$(cat output)"
# Two of three voters are the same prompt: the majority is theirs.
sed 's/.*"runs": \[\([^]]*\)\].*/\1/' output | grep -o '"accuracy": [0-9.]*' | head -n 1 > first
grep -o '"ensemble": {[^}]*}' output | grep -o '"accuracy": [0-9.]*' | cmp -s - first ||
    fail "the majority is that of the prompt that votes twice: $(cat output)"

seq 40 | sed 's/^/a cat number /' > input
for run in "$prompt" "$other"; do
    "$softprompt" generate -m gpt2-1m -a "$run" < input || fail "generate"
done > alone
"$softprompt" ensemble "$prompt" "$other" "$prompt" -j < input > output || fail "ensemble"
sed 's/.*"answers": \["\([a-z]*\)", "\([a-z]*\)".*/\1/' output > together
sed 's/.*"answers": \["\([a-z]*\)", "\([a-z]*\)".*/\2/' output >> together
cmp -s alone together || fail "prompts answer otherwise than alone"
head -n 40 together > majority
"$softprompt" ensemble "$prompt" "$other" "$prompt" < input | cmp -s - majority || fail "majority"
"$softprompt" ensemble "$prompt" "$lora" "$prompt" --data topics.yaml > output 2> error ||
    fail "ensemble: $(cat error)"
grep -q 'one prompt after the other' output || fail "$(cat output)"
"$softprompt" ensemble "$wrote" "$other_wrote" --data topics.yaml --limit 4 > output 2> error ||
    fail "ensemble of texts: $(cat error)"
grep -q '4 examples of topics.yaml test' output || fail "$(cat output)"

# ---- neighbours ----

"$softprompt" neighbours "$prompt" --top 3 > output 2> error || fail "neighbours: $(cat error)"
grep -q '^3 virtual tokens of prompt, init class-label on gpt2-1m' output || fail "$(cat output)"
grep -q 'nearest of any virtual token: 2 of 2;' output ||
    fail "three steps keep the class words: $(cat output)"
"$softprompt" neighbours "$prompt" --csv > output || fail "neighbours --csv"
[ "$(wc -l < output)" -eq 16 ] || fail "$(cat output)"
"$softprompt" neighbours "$prompt" --json | grep -q '"distinct_nearest": 3' || fail "--json"

# ---- what is refused ----

: > input
refuse 3 'fine-tune puts no virtual tokens into the input' neighbours "$tuned"
refuse 3 'lora puts no virtual tokens into the input' neighbours "$lora"
refuse 3 'is another one' neighbours "$prompt" -m gpt2-4m
refuse 4 'nothing.h5' neighbours nothing.h5
refuse 3 'has trained weights of the model' ensemble "$prompt" "$tuned"
refuse 3 'use runs with the same output' ensemble "$prompt" "$wrote"
refuse 3 'is another one' ensemble -m gpt2-4m "$prompt" "$prompt"
refuse 3 'has other labels than the runs' ensemble "$prompt" "$other" --data wntopic
echo > input
refuse 6 'standard input:1: the line is empty' ensemble "$prompt" "$other"
"$softprompt" ensemble "$prompt" < input > output 2> error
[ $? -eq 2 ] || fail "one run is no ensemble"
