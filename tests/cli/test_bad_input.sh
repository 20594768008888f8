# Bad input to a study and to the use of its results: one line on standard error that names the
# place, the right exit code, and finished runs untouched. Stopped runs go on to the same bits.
softprompt=$(realpath "$1")
folder=$(mktemp -d)
first=
trap '[ -z "$first" ] || kill -9 $first 2>/dev/null; rm -rf "$folder"' EXIT
ln -s "$PWD/plots" "$folder/plots"
cd "$folder" || exit 1
export SOFTPROMPT_HOME="$folder" # not the real models and data sets

fail() {
    echo "$*"
    exit 1
}

# refuse CODE TEXT ARGUMENTS...: the exit code; one line, with TEXT, on standard error; and the runs
# listed in `earlier` as they were.
refuse() {
    code=$1 text=$2
    shift 2
    "$softprompt" "$@" < input > output 2> error
    got=$?
    [ $got -eq "$code" ] || fail "$*: exit code $got, not $code: $(cat error)"
    [ "$(wc -l < error)" -eq 1 ] || fail "$*: not one line: $(cat error)"
    grep -qF -e "$text" error || fail "$*: '$text' is not in: $(cat error)"
    sha256sum --quiet -c earlier || fail "$*: changed an earlier result"
}

# spec NAME METHODS [MORE]: writes NAME.yaml, a study of one run a method. Line 4 has the methods.
spec() {
    cat > "$1.yaml" << YAML
name: study
base: {model: models/tiny, dataset: data.yaml, dev: {limit: 4}, test: {limit: 8},
       train: {steps: 4, batch: 4, checkpoint_seconds: 1}, decode: {max_tokens: 10}}
methods: {$2}
$3
YAML
}

run() {
    "$softprompt" run -q "$@"
}

# ---- a model, a data set and a finished study ----

i=0
while [ $i -lt 60 ]; do
    i=$((i + 1))
    echo "{\"input\": \"name : thing $i\", \"target\": \"The thing $i.\"}"
done > train.jsonl
cp train.jsonl dev.jsonl
cat train.jsonl train.jsonl train.jsonl train.jsonl > test.jsonl
sed 's/.*/a thing is a thing/; $!s/$/\n\o036/' train.jsonl > train.txt
cp train.txt heldout.txt
card='reader: jsonl\nsplits: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}'
printf 'name: things\n%b\n' "$card" > data.yaml
mkdir -p models/tiny
"$softprompt" train-tokenizer --vocab 260 --out tokenizer.json train.txt > log 2>&1 &&
    printf '%s\n' 'name: tiny' 'corpus: .' 'tokenizer: tokenizer.json' 'n_positions: 64' \
        'n_embd: 32' 'tokens_per_step: 128' 'train: {steps: 3}' > pretrain.yaml &&
    "$softprompt" pretrain -q -t 1 -w work -o models/tiny pretrain.yaml >> log 2>&1 ||
    fail "no model: $(cat log)"
echo 'name : thing 1' > input
spec good 'prefix: {length: 4, reparametrization: none}, prompt: {length: 2}'
run good.yaml > log 2>&1 || fail "the good study failed: $(cat log)"
sha256sum results/study/runs/*.h5 > earlier
[ "$(wc -l < earlier)" -eq 2 ] || fail "two runs should be finished"
adapter=$(echo results/study/runs/*.h5 | cut -d ' ' -f 1)
"$softprompt" generate -m tiny -a "$adapter" < input > output 2> error && [ "$(wc -l < output)" -eq 1 ] ||
    fail "generate: $(cat output error)"

# ---- model and tokenizer ----

refuse 4 "model 'nosuch'" run good.yaml --set model=nosuch
refuse 4 "model 'nosuch'" generate -m nosuch
cp -r models/tiny broken
rm broken/model.safetensors
refuse 4 'broken/model.safetensors: cannot open' generate -m ./broken
refuse 4 'broken/model.safetensors: cannot open' run good.yaml --set model=./broken
head -c 2000 models/tiny/model.safetensors > broken/model.safetensors
refuse 5 'broken/model.safetensors: ' generate -m ./broken
refuse 11 'broken/model.safetensors: ' run -q good.yaml --set model=./broken
head -c 60 models/tiny/model.safetensors > broken/model.safetensors
refuse 5 'broken/model.safetensors: ' generate -m ./broken
cp models/tiny/model.safetensors broken
rm broken/tokenizer.json
refuse 4 'broken: no tokenizer.json' generate -m ./broken
refuse 4 'broken/tokenizer.json: cannot open' run good.yaml --set model=./broken
head -c 500 models/tiny/tokenizer.json > broken/tokenizer.json
refuse 5 'broken/tokenizer.json:' generate -m ./broken
refuse 11 'broken/tokenizer.json:' run -q good.yaml --set model=./broken
cp models/tiny/tokenizer.json broken
sed 's/"tie_word_embeddings": true/"tie_word_embeddings": false/' models/tiny/config.json \
    > broken/config.json
refuse 5 'broken/config.json: "tie_word_embeddings" is false' generate -m ./broken

# ---- results ----

refuse 4 'nosuch.h5: cannot open' generate -m tiny -a nosuch.h5
head -c 3000 "$adapter" > cut.h5
refuse 5 'cut.h5: ' generate -m tiny -a cut.h5
refuse 5 'cut.h5: ' logprobs -m tiny -a cut.h5
cp -r results copy
head -c 3000 "$adapter" > "copy/${adapter#results/}"
refuse 5 "copy/${adapter#results/}: " report good.yaml -r copy
refuse 5 "copy/${adapter#results/}: " run good.yaml -r copy
cp -r models/tiny other
echo >> other/tokenizer.json
refuse 3 "$adapter: was made with model 'models/tiny'" generate -m ./other -a "$adapter"
refuse 3 "$adapter: was made with model 'models/tiny'" logprobs -m ./other -a "$adapter"

# ---- specs ----

refuse 4 'nosuch.yaml: cannot open' run nosuch.yaml
printf 'name: study\nbase: {model: [\n' > syntax.yaml
refuse 3 'syntax.yaml:3' run syntax.yaml
spec unknown 'prefix: {lenght: 4}'
refuse 3 "unknown.yaml:4: prefix has no setting 'lenght'; did you mean 'length'?" run unknown.yaml
spec unknown 'prefxi: {}'
refuse 3 "unknown.yaml:4: unknown method 'prefxi'; did you mean 'prefix'?" run unknown.yaml
spec unknown 'prefix: {}' 'sedes: [1]'
refuse 3 "unknown.yaml:5: unknown key 'sedes'; did you mean 'seeds'?" run unknown.yaml
spec long 'prefix: {length: 70}'
refuse 3 'long.yaml:4: method.length is 70' plan long.yaml
refuse 11 'long.yaml:4: method.length is 70' run -q long.yaml
spec long 'prefix: {length: 55}'
refuse 3 'long.yaml:4: method.length is 55' plan long.yaml
refuse 11 'long.yaml:4: method.length is 55' run -q long.yaml
spec beams 'prefix: {beam: 3, temperature: 1}'
refuse 3 'beams.yaml:4: beam 3 with temperature 1' run beams.yaml
spec figure 'prefix: {}' 'report: {figure: {kind: learning-curve, y: dev.chrf}}'
refuse 3 "figure.yaml:5: y is 'dev.chrf'; use one of: " report figure.yaml

# ---- data ----

: > empty.jsonl
printf 'name: things\n%b\n' "$card" | sed 's/dev.jsonl/empty.jsonl/' > empty.yaml
refuse 6 'empty.yaml: split dev is empty' data ./empty.yaml --split dev
refuse 11 'empty.yaml: split dev is empty' run -q good.yaml --set dataset=empty.yaml
long=$(printf 'word %.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)
echo "{\"input\": \"name : x\", \"target\": \"$long\"}" > target.jsonl
printf 'name: things\n%b\n' "$card" | sed 's/train.jsonl/target.jsonl/' > target.yaml
refuse 6 'target.yaml: the longest example takes' plan good.yaml --set dataset=target.yaml
refuse 11 'target.yaml: the longest example takes' run -q good.yaml --set dataset=target.yaml
echo "{\"input\": \"$long $long\", \"target\": \"a thing\"}" > input.jsonl
printf 'name: things\n%b\n' "$card" | sed 's/test.jsonl/input.jsonl/' > input.yaml
refuse 6 'input.yaml: the longest example takes' plan good.yaml --set dataset=input.yaml
echo '{"input": "a"' > broken.jsonl
printf 'name: things\n%b\n' "$card" | sed 's/test.jsonl/broken.jsonl/' > broken.yaml
refuse 5 'broken.jsonl:1: is not JSON' run good.yaml --set dataset=broken.yaml
printf 'name : thing 1\n\nname : thing 2\n' > input
refuse 6 'standard input:2: ' generate -m tiny
refuse 6 'standard input:2: ' logprobs -m tiny
printf 'name : thing 1\nname : \000thing 2\n' > input
refuse 6 'standard input:2: has a NUL byte' generate -m tiny
refuse 6 'standard input:2: has a NUL byte' logprobs -m tiny
printf 'name : thing 1\n%s\n' "$long $long $long $long" > input
refuse 6 'standard input:1-2: an input takes' generate -m tiny
echo 'name : thing 1' > input
"$softprompt" generate -m tiny --beam 2 --temperature 1 < input > output 2> error
[ $? -eq 2 ] && grep -q 'beam search does not sample' error || fail "generate: $(cat error)"
"$softprompt" generate -m tiny --seed x < input > output 2> error
[ $? -eq 2 ] && grep -q "seed is 'x'; use a whole number" error || fail "generate: $(cat error)"

# ---- a loss that is no number ----

cp -r models/tiny nan
size=$(wc -c < nan/model.safetensors)
printf '\000\176' | dd of=nan/model.safetensors bs=1 seek=$((size - 2)) conv=notrunc 2> log
refuse 11 'loss is' run -q good.yaml --set model=./nan
refuse 11 'use a lower learning rate' run -q good.yaml --set model=./nan

refuse 3 "its status is 'failed'" generate -m ./nan -a "$(grep -l 'loss is' results/study-nan/runs/*.h5 | head -n 1)"

# ---- what cannot be written ----

refuse 7 'train.jsonl' run good.yaml -r train.jsonl
refuse 7 'train.jsonl' report good.yaml -r train.jsonl/below
"$softprompt" data ./data.yaml > /dev/full 2> error
[ $? -eq 7 ] && grep -q 'standard output: cannot write' error || fail "data: $(cat error)"
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    chmod 555 locked
    refuse 7 'locked/study' run good.yaml -r locked
fi
# A limit on file sizes stands in for a full disk: here the log of predictions is too large, and
# what was trained is kept for the next call.
spec full 'prompt: {length: 2}' 'seeds: [7]'
(trap '' XFSZ && ulimit -f 48 && refuse 7 'results/study/runs/' run -q full.yaml \
    --set test.limit=240 --set decode.max_tokens=58) || exit 1
ls results/study/runs/*.checkpoint.h5 > log 2>&1 || fail 'a full disk cost the checkpoint'
run full.yaml --set test.limit=240 --set decode.max_tokens=58 > log 2>&1 ||
    fail "with room on the disk: $(cat log)"

# ---- two at a time, Ctrl-C, kill -9: then the same command finishes with the same bits ----

spec slow 'prefix: {length: 8, reparametrization: mlp, hidden: 64, lr: 3e-3}' \
    'report: {figure: {kind: learning-curve, y: train.loss}}'
sed -i 's/steps: 4/steps: 10000/' slow.yaml
run slow.yaml -r whole > log 2>&1 || fail "an undisturbed run: $(cat log)"
checkpoint=whole/study/runs/$(basename whole/study/runs/*.h5 .h5).checkpoint.h5
[ ! -e "$checkpoint" ] || fail 'a finished run leaves its checkpoint'
checkpoint=stopped/${checkpoint#whole/}

# start: the slow run in the background as $first, until it has written a checkpoint.
start() {
    touch mark
    "$softprompt" run -q slow.yaml -r stopped 2> error &
    first=$!
    while kill -0 $first 2>/dev/null && [ -z "$(find "$checkpoint" -newer mark 2>/dev/null)" ]; do
        sleep 0.02
    done
    kill -0 $first 2>/dev/null || fail "the run ended before it wrote a checkpoint: $(cat error)"
}

start
# A second process leaves the first one's run alone.
run slow.yaml -r stopped --no-wait > log 2>&1 || fail "beside another process: $(cat log)"
kill -0 $first 2>/dev/null || fail "a second process ended the first: $(cat error)"
kill -INT $first
wait $first
[ $? -eq 130 ] || fail 'Ctrl-C did not end the run with 130'
start
kill -9 $first
wait $first 2>/dev/null
first=
[ -e "$checkpoint" ] || fail 'kill -9 cost the checkpoint'
run slow.yaml -r stopped > log 2>&1 || fail "after kill -9: $(cat log)"
for results in whole stopped; do
    "$softprompt" report slow.yaml -r $results > log 2>&1 || fail "report: $(cat log)"
    "$softprompt" logprobs -m tiny -a $results/study/runs/*[0-9a-f].h5 < input > $results/logprobs ||
        fail 'logprobs'
    ls $results/study/runs > $results/files
done
for file in files logprobs study/table.csv study/figures/learning-curve.dat; do
    cmp whole/$file stopped/$file || fail "a stopped run differs in $file"
done
sha256sum --quiet -c earlier || fail 'an earlier result was changed'
