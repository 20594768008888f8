# Adapters in PEFT's layout through the program: a run out and in again, PEFT's own folders in, and
# what is refused. (What PEFT computes with them: tests/tuning/test_peft.c and `make peers`.)
. tests/cli/support.sh
: > input # nothing on standard input

run() {
    "$softprompt" "$@" > output 2> error || fail "$*: $(cat error)"
}

# logprobs FILE: of two lines under an adapter.
logprobs() {
    printf 'a small cat\nthe bread\n' | "$softprompt" logprobs -m gpt2-1m -a "$1" 2>&1
}

# run_of ENTRY: its run file.
run_of() {
    for file in results/study/runs/*.h5; do
        strings "$file" | grep -qxF "entry-$1" && echo "$PWD/$file" && return
    done
    fail "no run of $1"
}

for thing in cat horse bird cow bread cheese rice soup; do
    echo "{\"input\": \"a $thing\", \"target\": \"it is a $thing\"}"
done > train.jsonl
cat > things.yaml << 'YAML'
name: things
reader: jsonl
splits: {train: train.jsonl, dev: train.jsonl, test: train.jsonl}
YAML
cat > study.yaml << 'YAML'
name: study
base: {model: gpt2-1m, dataset: things.yaml, train: {steps: 3, batch: 4, lr: 0.05}, dev: {limit: 2},
       test: {limit: 1}, decode: {max_tokens: 2}}
methods:
  prefix: {length: 2, label: entry-prefix}
  shallow: {method: p-tuning-v2, length: 2, layers: 1, label: entry-shallow}
  prompt: {length: 3, label: entry-prompt}
  middle: {method: p-tuning, length: 3, label: entry-middle}
  lora: {rank: 2, label: entry-lora}
  bitfit: {label: entry-bitfit}
  adapter: {size: 2, label: entry-adapter}
  adaption-prompt: {length: 2, label: entry-adaption-prompt}
YAML
run run -q study.yaml

# A run that goes out and comes in again says the same, to the bit.
for entry in prefix prompt lora; do
    file=$(run_of $entry)
    run adapter export "$file" "out/$entry"
    [ "$(find "out/$entry" -type f | wc -l)" -eq 2 ] || fail "$entry: not two files"
    run adapter import "out/$entry" "$entry.h5" --model gpt2-1m
    logprobs "$file" > before
    logprobs "$entry.h5" > after
    cmp before after || fail "$entry: other log-probabilities after export and import"
    grep -q logprobs before || fail "$entry: $(cat before)"
done
[ "$(find . -name '*.??????' -type d | wc -l)" -eq 0 ] || fail "a temporary folder is left"

# What PEFT cannot hold is refused by name, and nothing is written.
refuse 3 'a prefix in some of the layers' adapter export "$(run_of shallow)" no
refuse 3 'a template' adapter export "$(run_of middle)" no
refuse 3 'trained weights of the model itself' adapter export "$(run_of bitfit)" no
refuse 3 'adapters' adapter export "$(run_of adapter)" no
refuse 3 'behind the output projection' adapter export "$(run_of adaption-prompt)" no
[ ! -e no ] || fail "something was written"

# Existing things stay unless --force says so.
file=$(run_of prompt)
refuse 7 'no empty folder' adapter export "$file" out/lora
refuse 7 'exists' adapter import out/prompt lora.h5 --model gpt2-1m
run adapter export --force "$file" out/lora
cmp out/lora/adapter_model.safetensors out/prompt/adapter_model.safetensors || fail "not replaced"
run adapter import --force out/lora lora.h5 --model gpt2-1m
mkdir empty
run adapter export "$file" empty/
touch plain
refuse 7 'plain' adapter export "$file" plain
refuse 7 '' adapter export "$file" /dev/null/x

# Wrong use.
refuse 2 'neither export nor import' adapter turn
refuse 2 '--model' adapter import out/prompt x.h5
refuse 4 'nowhere' adapter import nowhere x.h5 --model gpt2-1m
refuse 4 'nothing.h5' adapter export nothing.h5 x

# Broken folders.
broken() {
    rm -rf broken
    cp -r out/prompt broken
}
broken && rm broken/adapter_model.safetensors
refuse 4 'adapter_model.safetensors' adapter import broken x.h5 --model gpt2-1m
touch broken/adapter_model.bin
refuse 5 'safe_serialization' adapter import broken x.h5 --model gpt2-1m
broken && echo '{"peft_type": "PROMPT_TUNING"' > broken/adapter_config.json
refuse 5 'not a JSON object' adapter import broken x.h5 --model gpt2-1m
broken && echo '[1]' > broken/adapter_config.json
refuse 5 'not a JSON object' adapter import broken x.h5 --model gpt2-1m
broken && head -c 100000 /dev/zero | tr '\0' '[' > broken/adapter_config.json
refuse 5 'depth' adapter import broken x.h5 --model gpt2-1m
broken && truncate -s 9M broken/adapter_config.json
refuse 5 'no configuration is that large' adapter import broken x.h5 --model gpt2-1m
broken && truncate -s -8 broken/adapter_model.safetensors
refuse 5 'truncated' adapter import broken x.h5 --model gpt2-1m
broken && sed -i 's/"token_dim": [0-9]*/"token_dim": 7/' broken/adapter_config.json
refuse 5 '"token_dim" is 7' adapter import broken x.h5 --model gpt2-1m
broken && sed -i 's/"num_virtual_tokens": 3/"num_virtual_tokens": 4/' broken/adapter_config.json
refuse 5 'is needed' adapter import broken x.h5 --model gpt2-1m
broken && sed -i 's/"inference_mode": true/"use_dora": true/' broken/adapter_config.json
refuse 5 '"use_dora" is true' adapter import broken x.h5 --model gpt2-1m
refuse 3 'adapter import out/prompt' generate --model gpt2-1m --adapter out/prompt
[ ! -e x.h5 ] || fail "a broken adapter was written"
refuse 5 'token_dim' adapter import "$home/tests/golden/peft/llama-prompt-class" x.h5 --model gpt2-1m
