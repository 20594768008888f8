# Encoders through the program: every method with both class heads on a tiny BERT and a tiny RoBERTa,
# labels for lines of standard input, and what is refused.
. tests/cli/support.sh

# The golden models have 97 rows of random embeddings and no tokenizer.
# tokenizer CLS SEP MASK: a WordPiece tokenizer of letters and some words.
tokenizer() {
    words="$1 $2 $3 [UNK] : topic animal dog food $(echo {a..z}) $(printf '##%s ' {a..z})"
    vocabulary=$(echo "$words" | tr -s ' ' '\n' | awk 'NF {printf "%s\"%s\": %d", s, $1, n++; s = ", "}')
    special() { echo "{\"id\": $2, \"content\": \"$1\", \"special\": true, \"single_word\": false,
        \"lstrip\": false, \"rstrip\": false, \"normalized\": false}"; }
    echo "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null,
        \"added_tokens\": [$(special "$1" 0), $(special "$2" 1), $(special "$3" 2)],
        \"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": true,
            \"handle_chinese_chars\": true, \"strip_accents\": null, \"lowercase\": true},
        \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"},
        \"post_processor\": {\"type\": \"BertProcessing\", \"sep\": [\"$2\", 1], \"cls\": [\"$1\", 0]},
        \"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true},
        \"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\",
            \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100,
            \"vocab\": {$vocabulary}}}"
}
cp -r "$home/tests/golden/bert-tiny" "$home/tests/golden/roberta-tiny" . || fail "golden models"
tokenizer '[CLS]' '[SEP]' '[MASK]' > bert-tiny/tokenizer.json
tokenizer '<s>' '</s>' '<mask>' > roberta-tiny/tokenizer.json

for animal in cat horse bird cow; do
    echo "{\"text\": \"a wild $animal\", \"label\": \"animal\"}"
done > train.jsonl
for dish in bread cheese rice soup; do
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
name: encoder
base: {dataset: topics.yaml, train: {steps: 2, batch: 4}}
methods:
  none: {template: "a x"}
  prefix: {length: 2, hidden: 8, init: vocab}
  p-tuning-v2: {length: 2}
  prompt: {length: 2, init: class-label}
  p-tuning: {length: 3, hidden: 4}
  adaption-prompt: {length: 2}
  lora: {rank: 2}
  adalora: {init_r: 2, target_r: 1}
  adapter: {size: 2, share: 0}
  bitfit: {}
  ft-top: {layers: 1}
  fine-tune: {}
grid:
  model: [./bert-tiny, ./roberta-tiny]
  output: [verbalizer, linear]
YAML
"$softprompt" run -q study.yaml > log 2>&1 || fail "run: $(cat log)"
[ "$(ls results/encoder/runs | wc -l)" -eq 48 ] || fail "48 runs should be finished"
"$softprompt" run -q study.yaml --set precision=bf16 --set name=half > log 2>&1 ||
    fail "run in bf16: $(cat log)"

# ---- labels for lines, by a model that a run file steers as it was ----

seq 20 | sed 's/^/a cat number /' > input
labelled=0
for run in results/encoder/runs/*.h5; do
    "$softprompt" generate -m ./bert-tiny -a "$run" --batch 3 < input > one 2> error ||
        { grep -qF 'use the model it was made with' error && continue || fail "$(cat error)"; }
    "$softprompt" generate -m ./bert-tiny -a "$run" < input > other || fail "generate"
    [ "$(grep -cx 'animal\|food' one)" -eq 20 ] || fail "a label a line: $(head one)"
    cmp -s one other || fail "labels depend on --batch"
    labelled=$((labelled + 1)) last=$run
done
[ $labelled -eq 24 ] || fail "24 runs of BERT should label, not $labelled"
"$softprompt" model ./bert-tiny > output || fail "model"
grep -q '^reads .*both directions' output || fail "model: $(cat output)"

# ---- what is refused ----

run_all="run -q study.yaml --set model=./bert-tiny --set name=refused"
refuse 3 'the model is an encoder (bert)' generate -m ./bert-tiny
refuse 3 'the model is an encoder (bert)' logprobs -m ./bert-tiny -a "$last"
refuse 11 "output is text, but model './bert-tiny' is an encoder" $run_all --set output=text
sed '/prefix:/!{/^  [a-z].*{.*length/d}' study.yaml | sed 's/init: vocab/position: infix/' > infix.yaml
refuse 11 'position is infix, but a model of type bert is an encoder' run -q infix.yaml \
    --set name=infix
sed 's/text": "a wild cat/text": "a wild kangaroo and a kangaroo/' train.jsonl > long.jsonl
sed 's/train.jsonl/long.jsonl/g' topics.yaml > long.yaml
refuse 11 'the longest example takes' $run_all --set dataset=long.yaml --set name=long \
    --set methods.prompt.length=30
