# softprompt train-tokenizer and tokenize: a vocabulary learnt from a file spells its lines, and bad
# input gives one clear line.
softprompt=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

# expect CODE TEXT COMMAND ARGUMENTS...: the exit code, and a text that the output must contain.
expect() {
    code=$1 text=$2
    shift 2
    output=$("$softprompt" "$@" 2>&1 <lines)
    got=$?
    if [ "$got" -ne "$code" ] || ! printf '%s\n' "$output" | grep -qF -e "$text"; then
        printf '%s: exit %s, expected %s and "%s"; it printed:\n%s\n' \
            "$*" "$got" "$code" "$text" "$output"
        failed=1
    fi
}

printf 'the cat the cat the cat\n\036\nthe mat the mat\n' >text
printf 'the cat\n\n<|endoftext|>\n\377\n' >lines
mkdir model broken
: >empty
echo '{"model": {"type": "Unigram"}}' >broken/tokenizer.json

expect 0 '263 tokens' train-tokenizer --vocab 263 --out model/tokenizer.json text
expect 0 '{"ids": [259, 262], "tokens": ["the", "Ġcat"]}' tokenize --model model
expect 0 '{"ids": [], "tokens": []}' tokenize --model model
expect 0 '{"ids": [0], "tokens": ["<|endoftext|>"]}' tokenize --model model
expect 0 '"tokens": ["ÿ"]}' tokenize --model model
expect 0 '--min-count' train-tokenizer --help
expect 0 '--model' tokenize --help
expect 2 '--out FILE is missing' train-tokenizer text
expect 2 'no text files' train-tokenizer --out model/x.json
expect 2 "--vocab is 'many'; use a whole number" train-tokenizer --vocab many --out model/x.json text
expect 2 'which model? --model NAME' tokenize
expect 3 'no room for the bytes' train-tokenizer --vocab 100 --out model/x.json text
expect 4 'nosuch' train-tokenizer --out model/x.json nosuch
expect 4 'nosuch' tokenize --model nosuch
expect 5 'broken/tokenizer.json' tokenize --model broken
expect 6 'no text' train-tokenizer --out model/x.json empty
expect 7 'nosuch/x.json' train-tokenizer --out nosuch/x.json text
exit $failed
