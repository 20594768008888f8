# softprompt score: files of texts in, scores out, and one clear line for bad input.
softprompt=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect CODE TEXT ARGUMENTS...: the exit code, and a text that the output must contain.
expect() {
    code=$1 text=$2
    shift 2
    output=$("$softprompt" score "$@" 2>&1)
    got=$?
    if [ "$got" -ne "$code" ] || ! printf '%s\n' "$output" | grep -qF -e "$text"; then
        printf 'score %s: exit %s, expected %s and "%s"; it printed:\n%s\n' \
            "$*" "$got" "$code" "$text" "$output"
        failed=1
    fi
}

cd "$folder" || exit 1
printf 'the cat sat on the mat .\nIt costs $5.00, not 1,000.\n\n' >hyp
printf 'the cat is on the mat .\nIt costs $5.00, not 2,000.\nsome words\n' >ref1
printf 'a cat sat on the mat .\n\n\n' >ref2
printf 'one line\n' >short
printf 'a\0b\nb\nc\n' >nul
sed 's/$/\r/' ref2 >crlf
: >empty

printf 'animal\nplant\nanimal\nfood\n' >predicted
printf 'animal\nplant\nplant\nfood\n' >true
printf 'a\na\na\na\n' >one_class
printf '\357\273\277' | cat - true >marked

expect 0 'BLEU            68.84' --hyp hyp --ref ref1 --ref ref2
expect 0 'chrF            73.32' --hyp hyp --ref ref1 --ref ref2
expect 0 'ROUGE-L         56.35' --hyp hyp --ref ref1 --ref ref2
expect 0 'TER             28.57' --hyp hyp --ref ref1 --ref ref2
expect 0 'METEOR          57.33' --hyp hyp --ref ref1 --ref ref2
expect 0 'BLEU            68.84' --hyp hyp --ref ref1 --ref crlf
expect 0 '{"texts": 3, "rouge-l": 100}' --json --metrics rouge-l --hyp ref1 --ref ref1
expect 0 '{"texts": 4, "accuracy": 75, "mcc": 70' --json --metrics accuracy,mcc \
    --hyp predicted --ref true
expect 0 'Accuracy       100.00' --metrics accuracy --hyp marked --ref true
expect 2 'mcc is of labels, which have one --ref, not 2' --metrics bleu,mcc --hyp true \
    --ref true --ref predicted
expect 0 'MCC              0.00' --metrics mcc,macro-f1 --hyp one_class --ref one_class
expect 0 'Macro F1       100.00' --metrics mcc,macro-f1 --hyp one_class --ref one_class
expect 5 'nul:1: has a NUL byte' --hyp hyp --ref nul
expect 6 'short has 1 lines, but hyp has 3' --hyp hyp --ref ref1 --ref short
expect 6 'empty is empty' --hyp empty --ref empty
expect 4 'nowhere' --hyp hyp --ref nowhere
expect 2 "unknown metric 'blue'; did you mean 'bleu'?" --metrics chrf,blue --hyp hyp --ref ref1
expect 2 "names 'chrf' twice" --metrics chrf,chrf --hyp hyp --ref ref1
WNSEARCHDIR=/nowhere
export WNSEARCHDIR
expect 4 "METEOR needs WordNet's dictionary, which is not in /nowhere" --hyp hyp --ref ref1
expect 0 'BLEU' --metrics bleu --hyp hyp --ref ref1
unset WNSEARCHDIR
expect 2 'give --hyp FILE' --ref ref1
expect 2 'give --ref FILE' --hyp hyp
expect 0 '--json' --help
exit $failed
