# A study of one's own data through the program: generation, classification, tagging and csv, each
# planned with every preset; one that is really run by make; and what is refused.
. tests/cli/support.sh

# plans NAME: every preset of the written spec can be planned.
plans() {
    for preset in quick full search; do
        "$softprompt" plan "$1/$1.yaml" --preset $preset > log 2>&1 || fail "plan $preset: $(cat log)"
        grep -q 'time left' log || fail "plan $preset: $(cat log)"
    done
}

# start ARGUMENTS...: init, which says what it found.
start() {
    "$softprompt" init "$@" > said 2> error || fail "init $*: $(cat error)"
}

told() {
    grep -qF -e "$1" said || fail "'$1' is not in: $(cat said)"
}

# ---- classification of texts: names of the hub, split by label ----

seq 1 40 | while read -r i; do
    echo "{\"id\": $i, \"sentence\": \"the cat number $i sleeps\", \"intent\": \"animal\"}"
    echo "{\"id\": $i, \"sentence\": \"a bowl of soup number $i\", \"intent\": \"food\"}"
done > my.jsonl
start orders --data my.jsonl --model gpt2-1m
told "text from 'sentence', label from 'intent'; left alone: id"
told '64 examples to train on, 8 dev, 8 test, cut off one file'
told 'labels: animal, food'
told 'Plan of preset quick:'
[ "$(grep -c '"animal"' orders/dev.jsonl)" -eq 4 ] || fail "labels keep their share: $(cat orders/dev.jsonl)"
cat orders/train.jsonl orders/dev.jsonl orders/test.jsonl | sed 's/.*number \([0-9]*\).*/\1/' | sort -n |
    uniq -c | grep -qv '^ *2 ' && fail "an example is lost or twice"
grep -q '^  output: ' orders/orders.yaml || fail "no output: $(cat orders/orders.yaml)"
plans orders
start again --data my.jsonl --model gpt2-1m
cmp -s orders/test.jsonl again/test.jsonl || fail "the split is not always the same"
cp -r orders before
: > input
refuse 7 'is there already' init orders --data my.jsonl --model gpt2-1m
diff -r orders before || fail "an existing folder was touched"

# Runs from elsewhere, to a report.
(cd / && make -C "$folder/orders" quick SET="train.steps=2 train.eval_every=1 test.limit=4") \
    > log 2>&1 || fail "make quick: $(cat log)"
for file in table.md cost.md cost.csv figures/learning-curve.svg; do
    [ -s "orders/results/orders/$file" ] || fail "no $file: $(cat log)"
done
grep -q 'PSCP' orders/results/orders/cost.md || fail "no PSCP"
make -C orders help | grep -q 'report' || fail "make help"

# ---- generation, a list of targets; files of their own for dev and test ----

seq 1 30 | while read -r i; do
    echo "{\"question\": \"what is $i\", \"targets\": [\"it is $i\", \"$i\"]}"
done > ask.jsonl
echo '{"input": "what is 99", "target": "it is 99"}' > more.jsonl
start asks --data ask.jsonl --dev more.jsonl --test more.jsonl --model gpt2-1m --folder deep/er
told "input from 'question', references from 'targets'"
told '30 examples to train on, 1 dev, 1 test'
grep -q 'decode: {beam: 5' deep/er/asks/asks.yaml || fail "decode: $(cat deep/er/asks/asks.yaml)"
cp -r deep/er/asks . && plans asks

# ---- tagging ----

seq 1 30 | while read -r i; do
    echo '{"words": ["the", "kite", "flies"], "ner_tags": ["O", "B-bird", "I-bird"]}'
done > tagged.jsonl
start tags --data tagged.jsonl --model gpt2-1m
told 'tags: B-bird, I-bird, O'
plans tags

# ---- csv with pairs and fields of several lines; the model is chosen ----

{
    echo 'premise,hypothesis,label,group'
    seq 1 20 | while read -r i; do
        printf '"a, b and\n""c"" %s",it is so,yes,\nplain %s,it is not,no,\n' "$i" "$i"
    done
} > pairs.csv
start pairs --data pairs.csv
told 'model   gpt2-'
told 'labels: no, yes'
plans pairs

# ---- what is refused, with one line ----

bad() {
    code=$1 text=$2
    shift 2
    refuse "$code" "$text" init bad --model gpt2-1m "$@"
    [ ! -e bad ] || fail "$text: a folder is left"
}
: > empty.jsonl
bad 6 'empty.jsonl: has no examples' --data empty.jsonl
head -n 3 my.jsonl > few.jsonl
bad 6 'few.jsonl: has 3 examples, too few' --data few.jsonl
{ cat my.jsonl; echo '{"input": "a", "target": "b"}'; } > mixed.jsonl
bad 5 'mixed.jsonl:81: field "intent" is missing' --data mixed.jsonl
grep animal my.jsonl > one.jsonl
bad 6 "one.jsonl:1: all 40 examples for training from here on have one label, 'animal'" --data one.jsonl
{ cat my.jsonl; echo; echo "{\"sentence\": \"$(seq 600 | tr '\n' ' ')\", \"intent\": \"food\"}"; } > long.jsonl
bad 6 'long.jsonl:82: the example takes ' --data long.jsonl
{ cat my.jsonl; echo "{\"sentence\": \"x\", \"intent\": \"$(seq 600 | tr '\n' ' ')\"}"; } > wide.jsonl
bad 6 'wide.jsonl:81: its label alone takes ' --data wide.jsonl
{ cat my.jsonl; printf '{"sentence": "caf\351", "intent": "food"}\n'; } > latin.jsonl
bad 5 'latin.jsonl:81: ' --data latin.jsonl
{ cat pairs.csv; printf 'caf\351,x,yes,\n'; } > latin.csv
bad 5 'latin.csv:62: ' --data latin.csv
echo '{"who": "a", "what": "b"}' > odd.jsonl
bad 5 'odd.jsonl:1: its fields are who, what; rename them to text and label' --data odd.jsonl
bad 5 'my.jsonl:1: its fields are id, sentence, intent' --data my.jsonl --task tagging
bad 2 "--task is 'taging'; did you mean 'tagging'?" --data my.jsonl --task taging
bad 2 'my.txt: is neither .jsonl, .csv nor .tsv' --data my.txt
bad 4 'none.jsonl' --data none.jsonl
refuse 4 'nowhere' init bad --data my.jsonl --model nowhere
refuse 2 "the name 'A b' is no name of a study" init 'A b' --data my.jsonl --model gpt2-1m
[ ! -e bad ] || fail "a folder is left"
