# run, plan and report: wrong specs and command lines are one clear line and the right exit code.
softprompt=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# expect CODE TEXT COMMAND...: the exit code, and the text somewhere in what is printed.
expect() {
    code=$1 text=$2
    shift 2
    output=$("$softprompt" "$@" 2>&1)
    got=$?
    case $output in *"$text"*) found=1 ;; *) found=0 ;; esac
    if [ $got -ne "$code" ] || [ $found -ne 1 ]; then
        echo "softprompt $*: exit code $got (wanted $code), output: $output"
        echo "wanted: $text"
        exit 1
    fi
}

spec=$folder/s.yaml
cat > "$spec" << 'YAML'
name: demo
base: {model: no-such-model, dataset: wntriples}
methods: {prefix: {}}
presets: {quick: {train.steps: 3}}
YAML
for command in run plan report; do
    expect 0 "--preset" $command --help
    expect 2 "SPEC is missing" $command
    expect 2 "one SPEC at a time" $command "$spec" "$spec"
    expect 4 "nothing.yaml: cannot open" $command "$folder/nothing.yaml"
    expect 3 "has no preset 'slow'; use one of quick" $command "$spec" --preset slow
    expect 3 "--set trian.steps=3: unknown setting" $command "$spec" --set trian.steps=3
    expect 3 "did you mean 'steps'?" $command "$spec" --set train.stesp=3
    expect 4 "model 'no-such-model'" $command "$spec" --results "$folder/results"
done
sed 's/prefix:/prefxi:/' "$spec" > "$folder/typo.yaml"
expect 3 "typo.yaml:3: unknown method 'prefxi'; did you mean 'prefix'?" plan "$folder/typo.yaml"
head -c 60 "$spec" > "$folder/cut.yaml"
expect 3 "cut.yaml:" plan "$folder/cut.yaml"
[ ! -e "$folder/results" ] || { echo "a refused study left files behind"; exit 1; }
