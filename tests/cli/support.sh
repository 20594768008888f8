# Sourced from the project's folder by tests whose $1 is the program: they go on in an empty folder of
# their own, where the program still finds models and data sets.
softprompt=$(realpath "$1")
home=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export SOFTPROMPT_HOME="$home"

fail() {
    echo "$*"
    exit 1
}

# refuse CODE TEXT ARGUMENTS...: with the file `input` on standard input, the exit code, and one line
# with TEXT on standard error.
refuse() {
    code=$1 text=$2
    shift 2
    "$softprompt" "$@" < input > output 2> error
    got=$?
    [ $got -eq "$code" ] || fail "$*: exit code $got, not $code: $(cat error)"
    [ "$(wc -l < error)" -eq 1 ] || fail "$*: not one line: $(cat error)"
    grep -qF -e "$text" error || fail "$*: '$text' is not in: $(cat error)"
}

# things COUNT: the card things.yaml of a data set with so many records, which are train, dev and test.
things() {
    for i in $(seq "$1"); do
        echo "{\"input\": \"name : thing $i\", \"target\": \"thing $i\"}"
    done > things.jsonl
    cat > things.yaml << 'YAML'
name: things
reader: jsonl
splits: {train: things.jsonl, dev: things.jsonl, test: things.jsonl}
YAML
}

# topics LABELS: the card topics.yaml of sixteen short texts about animals and food, likewise.
topics() {
    for animal in cat horse bird cow; do
        echo "{\"text\": \"the $animal sleeps\", \"label\": \"animal\"}"
        echo "{\"text\": \"a wild $animal\", \"label\": \"animal\"}"
    done > train.jsonl
    for dish in bread cheese rice soup; do
        echo "{\"text\": \"the $dish is cooked\", \"label\": \"food\"}"
        echo "{\"text\": \"a sweet $dish\", \"label\": \"food\"}"
    done >> train.jsonl
    cat > topics.yaml << YAML
name: topics
reader: jsonl
task: classification
template: {separator: "\\nTopic:"}
labels: $1
splits: {train: train.jsonl, dev: train.jsonl, test: train.jsonl}
YAML
}

# events NAME FILE...: how many there are in what `run --json` printed.
events() {
    name=$1
    shift
    cat "$@" | grep -c "^{\"event\":\"$name\",.*}\$"
}

# children PID: the processes it started.
children() {
    sed -n 's/^PPid:\t//p; s/^Pid:\t/=/p' /proc/[0-9]*/status 2> /dev/null | tr '\n' ' ' |
        tr '=' '\n' | sed -n "s/^\([0-9]*\) $1 *$/\1/p"
}
