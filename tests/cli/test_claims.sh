# claims: judges what is there, writes the board, and is not stopped by runs that are missing.
. tests/cli/support.sh

touch input
"$softprompt" claims 2> error
[ $? -eq 2 ] || fail "claims without a spec: $(cat error)"
grep -q "SPEC is missing" error || fail "claims without a spec: $(cat error)"
refuse 4 "nothing.yaml: cannot open" claims nothing.yaml

cat > study.yaml << 'YAML'
name: demo
base: {model: gpt2-1m, dataset: wntopic, train: {steps: 3, batch: 4}, dev: {limit: 20}, test: {limit: 40}}
methods: {prompt: {length: 3, init: class-label, lr: 1e-6}, none: }
report: {neighbours: true}
seeds: [1, 2]
presets: {quick: {train.steps: 2}}
claims:
  - {id: better, text: trained is better, source: section 1, paper: 3 against 2,
     test: mean(test.all.accuracy | entry=prompt) > mean(test.all.accuracy | entry=none)}
  - {id: smaller, text: none is smallest,
     test: mean(trainable_parameters | entry=none) < mean(trainable_parameters | entry=prompt)}
  - {id: words, text: class words persist, test: mean(class_words | entry=prompt) > 0}
  - {id: never, text: too large, not_testable: needs a larger machine}
YAML
sed 's/^name: demo/name: other/; s/model: gpt2-1m/model: no-such-model/' study.yaml > other.yaml
sed 's/mean(test.all.accuracy | entry=none)/mean(test.all.accuracy | entry=nome)/' study.yaml > wrong.yaml
refuse 3 "wrong.yaml:9: test of claim 'better', character 73" claims wrong.yaml
refuse 3 "has no preset 'slow'" claims study.yaml --preset slow

"$softprompt" claims study.yaml > board || fail "claims without runs: exit code $?"
grep -q "4 of 4 runs missing; softprompt run study.yaml$" board || fail "missing runs: $(cat board)"
"$softprompt" claims study.yaml --preset quick > board || fail "claims without runs: exit code $?"
grep -q "softprompt run study.yaml --preset quick$" board || fail "missing runs: $(cat board)"
[ ! -e results/demo ] || fail "claims made a folder for a study without runs"

"$softprompt" run study.yaml --preset quick --quiet > log 2>&1 || fail "run: $(cat log)"
# A report or a watch with another preset than that of the runs says so.
"$softprompt" report study.yaml > table 2> error || fail "report: $(cat error)"
grep -q "demo: no run is finished without --preset, but 4 with --preset quick" error ||
    fail "report without the preset: $(cat error)"
"$softprompt" status study.yaml --preset quick > table 2> error || fail "status: $(cat error)"
[ ! -s error ] || fail "status with the preset: $(cat error)"
"$softprompt" watch --once study.yaml -r nowhere > table 2> error || fail "watch: $(cat error)"
grep -q "no run is finished in nowhere/demo yet; softprompt run study.yaml does" error ||
    fail "watch without runs: $(cat error)"
"$softprompt" claims study.yaml other.yaml --preset quick > board || fail "claims: exit code $?"
grep -q "holds  *smaller: none is smallest" board || fail "smaller does not hold: $(cat board)"
grep -q "paper  section 1: 3 against 2" board || fail "the paper's figure: $(cat board)"
grep -q "model 'no-such-model'" board || fail "the missing model: $(cat board)"
grep -q "^8 claims: 2 hold, 0 fail, 1 undecided, 5 not testable here" board || fail "$(tail -4 board)"
for file in claims/claims.md claims/claims.csv claims/claims.svg claims/claims.png \
    claims/claims.pdf claims/claims.dat demo/claims.md demo/claims.csv; do
    [ -s "results/$file" ] || fail "no results/$file"
done
[ "$(wc -l < results/claims/claims.csv)" -eq 9 ] || fail "claims.csv: $(cat results/claims/claims.csv)"
cp results/claims/claims.csv before
"$softprompt" claims study.yaml other.yaml --preset quick --json > json || fail "--json"
cmp -s before results/claims/claims.csv || fail "the same board came out otherwise"
"$softprompt" report study.yaml --preset quick > log 2>&1 || fail "report: $(cat log)"
python3 - << 'PYTHON' || fail "json: $(cat json)"
import csv, json
board = json.load(open("json"))
demo = {j["id"]: j for j in board if j["study"] == "demo"}
verdicts = {name: j["verdict"] for name, j in demo.items()}
assert verdicts == {"better": "undecided", "smaller": "holds", "words": "holds", "never": "not testable here"}
assert demo["better"]["effect"] is not None and demo["never"]["effect"] is None
table = next(csv.DictReader(open("results/demo/neighbours.csv")))
assert 0 < float(table["Class words %"]) < 100
assert abs(float(table["Class words %"]) - demo["words"]["effect"]) < 1e-6
assert demo["better"]["runs"] == 4 and demo["better"]["examples"] == 40
PYTHON

# make claims over studies of which one fails and one needs a model that cannot be fetched.
mkdir experiments scripts
cp "$home/scripts/claims.sh" scripts/
echo 'echo "no network" >&2; exit 1' > scripts/fetch.sh
sed 's/^name: demo/name: first/' study.yaml > experiments/first.yaml
sed 's/^name: demo/name: broken/; s/wntopic/no-such-data/' study.yaml > experiments/broken.yaml
sed 's/^name: demo/name: remote/; s/gpt2-1m/claims-test-model/' study.yaml > experiments/remote.yaml
sed '/^claims:/,$d; s/^name: demo/name: silent/' study.yaml > experiments/silent.yaml
cat > program << SH
#!/bin/sh
# A model of the catalogue that is not here, whatever this machine has fetched.
if [ "\$1" = plan ] && [ "\$2" = experiments/remote.yaml ]; then
    echo "model 'claims-test-model' is not here yet; run: softprompt model fetch claims-test-model" >&2
    exit 4
fi
exec "$softprompt" "\$@"
SH
chmod +x program
sh scripts/claims.sh ./program --preset quick --set 'seeds=[1,2,3]' > board 2> log
code=$?
[ $code -eq 4 ] || fail "claims.sh with a study that fails: exit code $code: $(cat log)"
for line in 'study 1 of 3, experiments/broken.yaml' 'experiments/broken.yaml ended with exit code 4' \
    'experiments/first.yaml done in 0 min' 'failed: experiments/broken.yaml' \
    'experiments/remote.yaml is left out: claims-test-model cannot be fetched'; do
    grep -qF "make claims: $line" log || fail "claims.sh does not say '$line': $(cat log)"
done
grep -q silent log && fail "a study without claims was run: $(cat log)"
grep -q "^12 claims: 2 hold, " board || fail "claims.sh: $(tail -5 board)"
grep -q "first: 3 seeds, 40 test examples, 6 runs" board || fail "--set did not reach: $(cat board)"
grep -q "^Written into results/claims: " board || fail "claims.sh: $(tail -5 board)"
tail -n 1 board | grep -q " for 3 studies and the board" || fail "claims.sh: $(tail -5 board)"
rm experiments/broken.yaml
sh scripts/claims.sh ./program --preset quick > board 2> log || fail "claims.sh: exit code $?: $(cat log)"
