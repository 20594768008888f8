# softprompt model: describes and measures a model; bad input gives one clear line.
softprompt=$(realpath "$1")
scripts=$PWD/scripts
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

# expect CODE TEXT COMMAND ARGUMENTS...: the exit code, and a text that the output must contain.
expect() {
    code=$1 text=$2
    shift 2
    output=$("$softprompt" "$@" 2>&1)
    got=$?
    if [ "$got" -ne "$code" ] || ! printf '%s\n' "$output" | grep -qF -e "$text"; then
        printf '%s: exit %s, expected %s and "%s"; it printed:\n%s\n' \
            "$*" "$got" "$code" "$text" "$output"
        failed=1
    fi
}

printf 'the cat the cat\n\036\nname = cat; eats = mat\nThe cat eats mat.\n' >train.txt
cp train.txt heldout.txt
: >empty.txt
cat >tiny.yaml <<'YAML'
name: tiny
corpus: .
tokenizer: tokenizer.json
n_positions: 128
n_embd: 16
train: {steps: 1, lr: 1e-3}
YAML
SOFTPROMPT_HOME=$folder
export SOFTPROMPT_HOME
expect 0 '263 tokens' train-tokenizer --vocab 263 --out tokenizer.json train.txt
expect 0 '' pretrain tiny.yaml --threads 1 --quiet --work work --out models/tiny

expect 0 'not measured: no build/corpus/heldout.txt' model tiny
expect 0 '"perplexity": null' model tiny --json
expect 0 "sha256 $(sha256sum models/tiny/model.safetensors | cut -d ' ' -f 1)" model tiny
expect 0 '(2 documents, ' model tiny --text heldout.txt
expect 0 '(1 documents, ' model tiny --text heldout.txt --documents 1
expect 0 'of 2 values copied from 1 records' model models/tiny --text heldout.txt
expect 0 '"records": 1' model tiny --text heldout.txt --json
expect 0 '| parameters | ' model tiny --text heldout.txt --card
expect 0 'holds no record' model tiny --text tokenizer.json
expect 0 '--documents=N' model show --help
expect 0 'softprompt model show|list|fetch' model --help
expect 0 'config       gpt2' model show tiny
expect 0 'tiny                   below models/' model list
expect 0 '"models": [' model list --json
expect 0 'tiny: already here: ' model fetch tiny
expect 0 '"fetched":false' model fetch --json --check tiny
expect 4 "did you mean 'tiny'?" model fetch tinny
expect 2 'which model?' model fetch
mkdir -p models/cards
cat >models/cards/far.yaml <<'YAML'
name: far
title: Far
model_type: t5
parameters: 3
licence: MIT
source: nowhere
hub: {repository: org/far, files: [config.json]}
YAML
expect 0 'far                    t5, 0M parameters, MIT, family not read yet: not here' model list
expect 4 'hf download org/far config.json --local-dir' model fetch far
expect 4 'softprompt model fetch far' model show far
sh "$scripts/fetch.sh" "$softprompt" tiny >log 2>&1 && [ ! -s log ] || {
    echo "fetch.sh of a model that is here: $(cat log)"
    failed=1
}
sh "$scripts/fetch.sh" "$softprompt" far >log 2>&1
[ $? -eq 4 ] && grep -q 'hf download' log || {
    echo "fetch.sh of a model of the hub: $(cat log)"
    failed=1
}
mkdir -p models/fetched/far
echo '{}' >models/fetched/far/config.json
expect 0 'far: already here: ' model fetch far
expect 0 'models of the type t5 cannot be opened yet' model fetch far
expect 2 'which model?' model
expect 2 'one model at a time' model tiny tiny
expect 2 'not both' model tiny --json --card
expect 2 "--documents is 'none'" model tiny --documents none
expect 2 "--documents is '0'" model tiny --documents 0
expect 4 'nosuch' model nosuch
expect 4 'nosuch.txt' model tiny --text nosuch.txt
expect 6 'empty.txt: ' model tiny --text empty.txt
mv models/tiny/tokenizer.json .
expect 4 'models/tiny: no tokenizer.json' model tiny

exit $failed
