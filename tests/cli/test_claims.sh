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
methods: {prompt: {length: 3}, none: }
seeds: [1, 2]
presets: {quick: {train.steps: 2}}
claims:
  - {id: better, text: trained is better, source: section 1, paper: 3 against 2,
     test: mean(test.all.accuracy | entry=prompt) > mean(test.all.accuracy | entry=none)}
  - {id: smaller, text: none is smallest,
     test: mean(trainable_parameters | entry=none) < mean(trainable_parameters | entry=prompt)}
  - {id: never, text: too large, not_testable: needs a larger machine}
YAML
sed 's/^name: demo/name: other/; s/model: gpt2-1m/model: no-such-model/' study.yaml > other.yaml
sed 's/mean(test.all.accuracy | entry=none)/mean(test.all.accuracy | entry=nome)/' study.yaml > wrong.yaml
refuse 3 "wrong.yaml:8: test of claim 'better', character 73" claims wrong.yaml
refuse 3 "has no preset 'slow'" claims study.yaml --preset slow

"$softprompt" claims study.yaml > board || fail "claims without runs: exit code $?"
grep -q "4 of 4 runs missing; softprompt run study.yaml" board || fail "missing runs: $(cat board)"
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
grep -q "paper  3 against 2 (section 1)" board || fail "the paper's figure: $(cat board)"
grep -q "model 'no-such-model'" board || fail "the missing model: $(cat board)"
grep -q "^6 claims: 1 holds, 0 fail, 1 undecided, 4 not testable here" board || fail "$(tail -4 board)"
for file in claims/claims.md claims/claims.csv claims/claims.svg claims/claims.png \
    claims/claims.pdf claims/claims.dat demo/claims.md demo/claims.csv; do
    [ -s "results/$file" ] || fail "no results/$file"
done
[ "$(wc -l < results/claims/claims.csv)" -eq 7 ] || fail "claims.csv: $(cat results/claims/claims.csv)"
cp results/claims/claims.csv before
"$softprompt" claims study.yaml other.yaml --preset quick --json > json || fail "--json"
cmp -s before results/claims/claims.csv || fail "the same board came out otherwise"
python3 - << 'PYTHON' || fail "json: $(cat json)"
import json
board = json.load(open("json"))
assert [j["verdict"] for j in board[:3]] == ["undecided", "holds", "not testable here"]
assert board[0]["effect"] is not None and board[2]["effect"] is None
assert board[0]["runs"] == 4 and board[0]["examples"] == 40
PYTHON
