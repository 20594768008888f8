# Other test sets and mixtures through the program: a study, its table, and what is refused.
. tests/cli/support.sh

for animal in cat cow bird horse; do
    echo "{\"text\": \"the $animal runs\", \"label\": \"animal\"}"
    echo "{\"text\": \"$animal soup with rice\", \"label\": \"food\"}"
done > lines.jsonl
for name in near far; do
    cat > $name.yaml << YAML
name: $name
reader: jsonl
template: {separator: "\nTopic:"}
splits: {train: lines.jsonl, dev: lines.jsonl, test: lines.jsonl}
labels: {animal: animal, food: food}
YAML
done
sed 's/food: food/food: food, plant: plant/' far.yaml > plants.yaml
printf 'name: both\nreader: mixture\nof: [near.yaml, far.yaml]\n%s\n' \
    'splits: {train: all, dev: all, test: all}' > both.yaml
cat > study.yaml << 'YAML'
name: shift
base: {model: gpt2-1m, dataset: near.yaml, transfer: [far.yaml], train: {steps: 2, batch: 4}}
methods: {prompt: {length: 2}}
report: {table: {columns: [all.accuracy, far.accuracy]}}
YAML
sed 's/, transfer: .far.yaml.//; s/near.yaml/both.yaml/' study.yaml > mixed.yaml

"$softprompt" data both.yaml > output || fail "data"
grep -qx 'train: 16 examples in 2 classes' output || fail "data: $(cat output)"

for study in study mixed; do
    "$softprompt" run -q $study.yaml > log 2>&1 || fail "run $study: $(cat log)"
    "$softprompt" report $study.yaml > output 2>&1 || fail "report $study: $(cat output)"
    grep -q '| Accuracy all | Accuracy far |' output || fail "table of $study: $(cat output)"
    # Both columns have a number, and on the same texts the same one.
    grep -q '^| Prompt tuning .*| \(\*\*[0-9.]*\*\*\) | \1 | 1 |' output ||
        fail "scores of $study: $(cat output)"
done

"$softprompt" run -q study.yaml --set 'transfer=[plants.yaml]' > log 2>&1 && fail "labels: taken"
grep -q "label 'plant' of data set 'plants.yaml' is none of the run's 'near.yaml'" log ||
    fail "labels: $(cat log)"
sed 's/far.accuracy/fa.accuracy/' study.yaml > wrong.yaml
"$softprompt" report wrong.yaml > log 2>&1 && fail "group: taken"
grep -q "no group 'fa'; the groups are all, seen, unseen, far; did you mean 'far'?" log ||
    fail "group: $(cat log)"
