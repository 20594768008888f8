/* softprompt watch SPEC: a study in progress. */
#include "cli/command.h"
#include "cli/number.h"
#include "cli/other_presets.h"
#include "core/clock.h"
#include "report/plot.h"
#include "report/view.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { OPTION_ONCE = 256, SCREEN_SECONDS = 3, PLAIN_SECONDS = 15, LONGEST = 86400 };

static const char doc[] =
    "Shows how far the runs of the study SPEC are, whichever processes do them: on a terminal a "
    "screen that is drawn again every few seconds, else plain lines. Ends when every run is "
    "finished or has failed; Ctrl-C ends it at once, and the study goes on. Nothing is changed.";

typedef struct watch_options {
    int interval; /* seconds; 0: by default */
    const char *figure;
    bool once;
} watch_options;

static const struct argp_option option_list[] = {
    {"interval", 'i', "SECONDS", 0, "between two looks (default: 3 on a terminal, else 15)", 0},
    {"figure", 'f', "FILE", 0,
     "at every look draw the learning curves of finished and running runs to FILE.svg, .png or "
     ".pdf",
     0},
    {"once", OPTION_ONCE, NULL, 0, "look once", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    watch_options *options = state->input;
    switch (key) {
    case 'i':
        options->interval = sp_argument_number(arg, "interval", 1, LONGEST, state);
        return 0;
    case 'f':
        options->figure = arg;
        return 0;
    case OPTION_ONCE:
        options->once = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp watch_parser = {.options = option_list, .parser = parse_option};

/* Until the time is over or the user wants to stop. */
static void wait_seconds(int seconds) {
    const struct timespec moment = {.tv_nsec = 100 * 1000 * 1000};
    for (double end = sp_now() + seconds; sp_now() < end && !sp_interrupted();)
        nanosleep(&moment, NULL);
}

static void print_screen(const sp_view *view, bool redraw) {
    struct winsize size = {0};
    bool known = redraw && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    sp_buf text = {0};
    sp_view_screen(view, known ? size.ws_row - 1 : 0, known ? size.ws_col : 0, &text);
    /* Home, then each line's rest and what is below it erased: no flicker. */
    if (redraw) fputs("\033[H\033[J", stdout);
    fputs(text.data, stdout);
    fflush(stdout);
    sp_buf_free(&text);
}

static void print_line(const sp_view *view) {
    sp_buf text = {0};
    sp_view_line(view, &text);
    puts(text.data);
    fflush(stdout);
    sp_buf_free(&text);
}

static sp_status draw(const sp_view *view, const char *path) {
    bool drawn;
    return path ? sp_view_draw(view, path, &drawn) : SP_OK;
}

/* The terminal's other screen comes and goes, so that what stood there stays. */
static sp_status watch(sp_view *view, const watch_options *options) {
    bool terminal = isatty(STDOUT_FILENO) == 1, redraw = terminal && !options->once;
    int interval = options->interval ? options->interval : redraw ? SCREEN_SECONDS : PLAIN_SECONDS;
    if (redraw) fputs("\033[?1049h", stdout);
    sp_status st = SP_OK;
    for (bool more = true; more && !st;) {
        sp_view_look(view);
        if (redraw)
            print_screen(view, true);
        else if (!options->once)
            print_line(view);
        st = draw(view, options->figure);
        more = !options->once && !sp_view_is_over(view) && !sp_interrupted();
        if (more) wait_seconds(interval);
        if (sp_interrupted()) more = false;
    }
    if (redraw) fputs("\033[?1049l", stdout);
    if (redraw || options->once) print_screen(view, false);
    return st;
}

static sp_status run(int argc, char **argv) {
    sp_study study;
    watch_options options = {0};
    const sp_own_options own = {&watch_parser, &options};
    sp_status st = sp_study_open(argc, argv, doc, &own, &study);
    if (!st && options.figure) st = sp_check_figure_path(options.figure);
    if (!st) {
        sp_hint_other_presets(&study);
        sp_view view;
        sp_view_start(&study.runs, study.folder, study.spec.name, &view);
        st = watch(&view, &options);
        sp_view_free(&view);
    }
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_watch = {.name = "watch", .help = "a study in progress", .run = run};
