/* Pretraining of a tiny model on a tiny corpus. Runs on one thread, so that a forked child may
 * train too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "support/folder.h"
#include "support/letters.h"
#include "tensor/gemm.h"
#include "training/pretrain.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 40, STOP = 17 };

/* A corpus of 50 documents that repeat two phrases, and folders for checkpoint and model. */
typedef struct workplace {
    char *corpus, *work, *out;
    sp_pretrain_spec spec;
} workplace;

static void write_documents(const char *folder, const char *name, int count) {
    sp_buf text = {0};
    for (int i = 0; i < count; i++)
        sp_buf_puts(&text, i % 2 ? "abc abc abc x\n\x1e\n" : "cab cab\n\x1e\n");
    char *path = sp_path_join(folder, name);
    assert_int_equal(sp_write_file(path, text.data, text.len), SP_OK);
    free(path);
    sp_buf_free(&text);
}

static void open_workplace(workplace *w) {
    *w = (workplace){.corpus = make_folder(), .work = make_folder(), .out = make_folder()};
    write_documents(w->corpus, "train.txt", 50);
    write_documents(w->corpus, "heldout.txt", 4);
    char *tokenizer_path = sp_path_join(w->corpus, "tokenizer.json");
    char *spec_path = sp_path_join(w->corpus, "spec.yaml");
    sp_tokenizer *tokenizer = letters();
    assert_int_equal(sp_tokenizer_save(tokenizer, tokenizer_path), SP_OK);
    char *text = sp_format("name: tiny\ncorpus: %s\ntokenizer: %s\nn_positions: 16\nn_embd: 16\n"
                           "tokens_per_step: 64\nheldout_documents: 4\n"
                           "train: {steps: %d, lr: 3e-3, eval_every: 10}\n",
                           w->corpus, tokenizer_path, STEPS);
    assert_int_equal(sp_write_file(spec_path, text, strlen(text)), SP_OK);
    if (sp_pretrain_spec_read(spec_path, &w->spec)) fail_msg("%s", sp_error());
    sp_tokenizer_free(tokenizer);
    free(text);
    free(spec_path);
    free(tokenizer_path);
}

static void close_workplace(workplace *w) {
    remove_folder(w->corpus);
    remove_folder(w->work);
    remove_folder(w->out);
}

static void interrupt_self(void *user, const sp_progress_state *state) {
    (void)user;
    if (state->step == STOP) raise(SIGINT);
}

static sp_status pretrain(const workplace *w, const sp_progress *progress,
                          sp_pretrain_result *result) {
    return sp_pretrain(&w->spec, w->work, w->out, progress, result);
}

static void pretraining_learns_the_corpus_and_writes_a_model_that_opens(void **state) {
    (void)state;
    workplace w;
    sp_pretrain_result final;
    sp_model *model = NULL;
    open_workplace(&w);
    if (pretrain(&w, NULL, &final)) fail_msg("%s", sp_error());
    assert_int_equal(final.steps, STEPS);
    assert_true(final.heldout_loss < 1.2); /* log 6 = 1.79 before training */
    assert_int_equal(sp_model_open(w.out, SP_PRECISION_FP32, &model), SP_OK);
    assert_int_equal(model->config.vocab_size, 6);
    assert_int_equal(model->config.eos_token_id, LETTER_END);
    sp_model_free(model);
    close_workplace(&w);
}

static void assert_same_model(const workplace *a, const workplace *b) {
    char *x = sp_path_join(a->out, "model.safetensors");
    char *y = sp_path_join(b->out, "model.safetensors");
    sp_buf one = {0}, other = {0};
    assert_int_equal(sp_read_file(x, &one), SP_OK);
    assert_int_equal(sp_read_file(y, &other), SP_OK);
    assert_int_equal(one.len, other.len);
    assert_memory_equal(one.data, other.data, one.len);
    sp_buf_free(&one);
    sp_buf_free(&other);
    free(x);
    free(y);
}

static void an_interrupted_pretraining_resumed_writes_the_same_bytes(void **state) {
    (void)state;
    workplace whole, broken;
    sp_pretrain_result final;
    open_workplace(&whole);
    open_workplace(&broken);
    assert_int_equal(pretrain(&whole, NULL, &final), SP_OK);
    pid_t child = fork();
    if (child == 0) {
        sp_watch_interrupts();
        sp_progress progress = {.line = interrupt_self};
        _exit((int)pretrain(&broken, &progress, &final));
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), SP_ERR_INTERRUPTED);
    assert_int_equal(count_files(broken.out), 0);
    assert_int_equal(pretrain(&broken, NULL, &final), SP_OK);
    assert_same_model(&whole, &broken);
    close_workplace(&whole);
    close_workplace(&broken);
}

static void a_pretraining_can_be_made_longer_or_shorter_between_sessions(void **state) {
    (void)state;
    workplace w;
    sp_pretrain_result final;
    open_workplace(&w);
    w.spec.train.steps = 2;
    assert_int_equal(pretrain(&w, NULL, &final), SP_OK);
    w.spec.train.steps = 6;
    w.spec.train.decay = 0.5;
    w.spec.train.eval_every = 3;
    w.spec.train.checkpoint_seconds = 5;
    if (pretrain(&w, NULL, &final)) fail_msg("%s", sp_error());
    assert_int_equal(final.steps, 6);
    close_workplace(&w);
}

static void assert_refused(const workplace *w, sp_status expected, const char *place) {
    sp_pretrain_result final;
    assert_int_equal(pretrain(w, NULL, &final), expected);
    if (!strstr(sp_error(), place)) fail_msg("'%s' is not in: %s", place, sp_error());
    assert_int_equal(count_files(w->out), 0);
}

/* Every change of a spec or a file that makes it another training. */
static void a_checkpoint_of_another_training_is_refused(void **state) {
    (void)state;
    workplace w;
    sp_pretrain_result final;
    open_workplace(&w);
    w.spec.train.steps = 2;
    assert_int_equal(pretrain(&w, NULL, &final), SP_OK);
    remove_folder(w.out);
    w.out = make_folder();
    w.spec.n_layer++;
    assert_refused(&w, SP_ERR_FORMAT, "another training");
    w.spec.n_layer--;
    w.spec.seed++;
    assert_refused(&w, SP_ERR_FORMAT, "another training");
    w.spec.seed--;
    w.spec.tokens_per_step++;
    assert_refused(&w, SP_ERR_FORMAT, "another training");
    w.spec.tokens_per_step--;
    w.spec.train.lr *= 2;
    assert_refused(&w, SP_ERR_FORMAT, "another training");
    w.spec.train.lr /= 2;
    write_documents(w.corpus, "train.txt", 3);
    assert_refused(&w, SP_ERR_FORMAT, "another training");
    write_documents(w.corpus, "train.txt", 50);
    assert_int_equal(pretrain(&w, NULL, &final), SP_OK);
    close_workplace(&w);
}

static void what_cannot_be_pretrained_is_refused_by_name(void **state) {
    (void)state;
    workplace w;
    open_workplace(&w);
    w.spec.n_head = 3;
    assert_refused(&w, SP_ERR_SPEC, "n_head 3");
    w.spec.n_head = 2;
    write_documents(w.corpus, "heldout.txt", 0);
    assert_refused(&w, SP_ERR_DATA, "heldout.txt");
    strcpy(w.spec.corpus, "/tmp/softprompt-absent");
    assert_refused(&w, SP_ERR_MISSING, "/tmp/softprompt-absent/train.txt");
    strcpy(w.spec.tokenizer, "/tmp/softprompt-absent.json");
    assert_refused(&w, SP_ERR_MISSING, "/tmp/softprompt-absent.json");
    close_workplace(&w);
}

static void a_spec_without_its_needed_keys_is_refused_with_its_file(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "bad.yaml");
    static const char *const texts[] = {"name: x\n",
                                        "name: x\ntokenizer: t\nn_layers: 3\n",
                                        "name: x\ntokenizer: t\ntrain: {steps: -1}\n",
                                        "[1]\n",
                                        "text\n",
                                        "",
                                        "name: x\ntokenizer: t\ntrain: 5\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sp_pretrain_spec spec;
        assert_int_equal(sp_write_file(path, texts[i], strlen(texts[i])), SP_OK);
        assert_int_equal(sp_pretrain_spec_read(path, &spec), SP_ERR_SPEC);
        assert_non_null(strstr(sp_error(), path));
    }
    free(path);
    remove_folder(folder);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pretraining_learns_the_corpus_and_writes_a_model_that_opens),
        cmocka_unit_test(an_interrupted_pretraining_resumed_writes_the_same_bytes),
        cmocka_unit_test(a_pretraining_can_be_made_longer_or_shorter_between_sessions),
        cmocka_unit_test(a_checkpoint_of_another_training_is_refused),
        cmocka_unit_test(what_cannot_be_pretrained_is_refused_by_name),
        cmocka_unit_test(a_spec_without_its_needed_keys_is_refused_with_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
