# watch and compare: a study in progress with and without a terminal, Ctrl-C, its figure, its runs
# side by side, the report's page, and what is refused.
. tests/cli/support.sh
touch input

things 16
cat > study.yaml << 'YAML'
name: watched
base: {model: gpt2-1m, dataset: things.yaml, decode: {max_tokens: 4},
       train: {steps: 120, batch: 4, eval_every: 20}}
methods: {prompt: {length: 2}, prefix: {length: 2, hidden: 8}}
report: {table: {metrics: [bleu]}}
YAML

refuse 2 "a figure's name ends with .svg, .png or .pdf" watch study.yaml --once --figure x.gif
refuse 4 "no.yaml" watch no.yaml

"$softprompt" watch study.yaml --once > before
grep -q "^watched: 2 runs, 2 pending$" before || fail "before: $(cat before)"
[ ! -e results ] || fail "watching made files"

# Ctrl-C ends it and is no failure; nothing is left behind.
timeout --preserve-status -s INT 2 "$softprompt" watch study.yaml -i 1 > stopped
[ $? -eq 0 ] || fail "Ctrl-C: exit code $?"
[ "$(grep -c "2 pending" stopped)" -ge 1 ] || fail "no lines before Ctrl-C: $(cat stopped)"

# It ends with the study.
"$softprompt" run study.yaml --quiet > /dev/null 2> run.errors &
runner=$!
timeout 100 "$softprompt" watch study.yaml -i 1 --figure curves.svg > lines ||
    fail "watch: exit code $?: $(cat lines)"
wait $runner || fail "run: $(cat run.errors)"
tail -n 1 lines | grep -q "^watched: 2 runs, 2 finished$" || fail "at the end: $(cat lines)"
for file in curves.svg curves.dat curves.gp; do
    [ -s $file ] || fail "no $file"
done

# On a terminal: the other screen comes and goes, the last state stays.
if command -v script > /dev/null; then
    script -qec "'$softprompt' watch study.yaml" /dev/null > screen < /dev/null ||
        fail "on a terminal: exit code $?"
    grep -q "$(printf '\033')\[?1049h" screen || fail "no screen of its own"
    grep -q "$(printf '\033')\[?1049l" screen || fail "the screen is not given back"
    tail -n 3 screen | grep -q "2 finished" || fail "nothing stays: $(tail -n 3 screen)"
else
    echo "not tested on a terminal: script is not installed"
fi

# The same runs side by side, by file and by id.
set -- results/watched/runs/????????????????.h5
[ $# -eq 2 ] || fail "runs: $*"
"$softprompt" compare "$1" "$2" --figure side.png > sides || fail "compare: exit code $?"
for part in "Runs side by side" "| method.name |" "BLEU, every two runs" "16 test examples"; do
    grep -qF "$part" sides || fail "'$part' is not in: $(cat sides)"
done
head -c 4 side.png | grep -q PNG || fail "no picture"
id1=$(basename "$1" .h5) id2=$(basename "$2" .h5)
"$softprompt" compare "$id1" "$id2" > by_id || fail "compare by id: exit code $?"
cmp -s sides by_id || fail "by id it is another comparison"
"$softprompt" compare "$id1" "$id2" --json > sides.json || fail "compare --json: exit code $?"
grep -q '"examples": 16' sides.json || fail "not as expected: $(cat sides.json)"
refuse 4 "no study in results has this run" compare "$id1" 0123456789abcdef
refuse 5 "input: " compare "$id1" input
refuse 2 "accuracy: not a metric" compare "$id1" "$id2" --metric accuracy

"$softprompt" report study.yaml > report.txt || fail "report: exit code $?"
grep -q "report.html$" report.txt || fail "the page is not named: $(cat report.txt)"
grep -q "<h2>Results</h2>" results/watched/report.html || fail "no table in the page"
