# Tagging through the program: data, a study with a head on words and with text, tags for lines of
# standard input, and what is refused.
. tests/cli/support.sh

for bird in kite owl; do
    for place in Paris Rome; do
        echo "{\"tokens\": [\"A\", \"red\", \"$bird\", \"in\", \"$place\"]," \
            "\"tags\": [\"O\", \"B-bird\", \"I-bird\", \"O\", \"B-place\"]}"
    done
done > train.jsonl
cat > birds.yaml << 'YAML'
name: birds
reader: jsonl
splits: {train: train.jsonl, dev: train.jsonl, test: train.jsonl}
YAML
cat > study.yaml << 'YAML'
name: birds
base: {model: gpt2-1m, dataset: birds.yaml, train: {steps: 30, batch: 4}}
methods: {fine-tune: {lr: 1e-3}, p-tuning-v2: {length: 2, lr: 3e-2}}
report:
  table: {metrics: [span-f1, token-accuracy]}
  figures: [{name: curve, kind: learning-curve, y: dev.span-f1}]
YAML
: > input

# ---- data ----

"$softprompt" data birds.yaml > output || fail "data"
grep -qx 'train: 4 examples of 20 words' output || fail "data: $(cat output)"
grep -qx 'place: 4 entities' output || fail "data: $(cat output)"
grep -qx '    A \[red kite: bird\] in \[Paris: place\]' output || fail "data: $(cat output)"
"$softprompt" data birds.yaml --json --limit 1 > output || fail "data --json"
grep -qF '{"tokens":["A","red","kite","in","Paris"],"tags":["O","B-bird","I-bird","O","B-place"]' \
    output || fail "data --json: $(cat output)"
"$softprompt" data wnslots --split dev --text --limit 2 | grep -q ': name\]' || fail "data wnslots"

# ---- a study ----

"$softprompt" run -q study.yaml > log 2>&1 || fail "run: $(cat log)"
"$softprompt" report study.yaml > log 2>&1 || fail "report: $(cat log)"
grep -q 'Span F1 all | Token accuracy all' results/birds/table.md || fail "$(cat results/birds/table.md)"
grep -q 'Fine-tuning.*| \*\*100.0\*\* |' results/birds/table.md || fail "$(cat results/birds/table.md)"
run=$(grep -l fine-tune results/birds/runs/*.h5 | head -n 1)
printf '%s\n' 'A red kite in Rome' 'A  red owl' > input
"$softprompt" generate -m gpt2-1m -a "$run" < input > output 2> error || fail "$(cat error)"
printf '%s\n' 'O B-bird I-bird O B-place' 'O B-bird I-bird' | cmp -s - output || fail "$(cat output)"
"$softprompt" generate -m gpt2-1m -a "$run" -j < input > output || fail "generate --json"
grep -qF '"tags": ["O", "B-bird", "I-bird"]' output || fail "generate --json: $(cat output)"
"$softprompt" data birds.yaml --json > input || fail "data --json"
"$softprompt" generate -m gpt2-1m -a "$run" --records < input > output || fail "generate --records"
[ "$(grep -cx 'O B-bird I-bird O B-place' output)" -eq 4 ] || fail "--records: $(cat output)"
"$softprompt" run -q study.yaml --set output=text --set name=told --set train.steps=2 > log 2>&1 ||
    fail "output text: $(cat log)"

# ---- what is refused ----

echo '   ' > input
refuse 6 'example 1 has no words; remove it' generate -m gpt2-1m -a "$run"
seq 600 | tr '\n' ' ' > input
refuse 6 'standard input:1-1: example 1 takes' generate -m gpt2-1m -a "$run"
echo '{"tokens": ["a b"]}' > input
refuse 5 'no list of words "tokens"' generate -m gpt2-1m -a "$run" --records
refuse 11 'has tags of words; use output token-linear or auto' run -q study.yaml --set output=linear
refuse 11 'has labels of texts; use output linear or auto' run -q study.yaml --set output=token-linear \
    --set dataset=wntopic --set test.limit=2 --set dev.limit=2 --set data.limit=20
refuse 11 'has no labels; use output text or auto' run -q study.yaml --set output=token-linear \
    --set dataset=wntriples --set test.limit=2 --set dev.limit=2
refuse 11 'position is infix, but output token-linear' run -q study.yaml \
    --set methods.fine-tune.method=prefix --set methods.fine-tune.position=infix
refuse 11 "template is 'x P', but with output token-linear" run -q study.yaml \
    --set methods.fine-tune.method=prompt --set 'methods.fine-tune.template=x P'
sed '2s/"O", //' train.jsonl > wrong.jsonl
sed 's/train.jsonl/wrong.jsonl/g' birds.yaml > wrong.yaml
refuse 5 'wrong.jsonl:2: "tokens" has 5 words, but "tags" 4; give every word one tag' data wrong.yaml
sed 's/B-place/B-city/' train.jsonl > wrong.jsonl
echo 'tags: [O, B-bird, I-bird, B-place]' >> wrong.yaml
refuse 6 "wrong.jsonl:1: tag 5 is 'B-city'; the tags are O, B-bird, I-bird, B-place" data wrong.yaml
sed 's/[BI]-[a-z]*/O/g' train.jsonl > wrong.jsonl
sed -i '/^tags/d' wrong.yaml
refuse 6 "train has one tag only, 'O'; a tagging needs two or more" data wrong.yaml
sed "s/\"A\", /\"A\", $(seq -s, 900 | sed 's/[0-9]*,/"w", /g; s/[0-9]*$//')/; s/\"O\", \"B-bird/$(seq -s, 900 |
    sed 's/[0-9]*,/"O", /g; s/[0-9]*$//')\"O\", \"B-bird/" train.jsonl > wrong.jsonl
refuse 11 'the longest example takes 907 tokens' run -q study.yaml --set dataset=wrong.yaml
exit 0
