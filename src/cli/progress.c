#include "cli/progress.h"

#include "core/clock.h"
#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const double TERMINAL_SECONDS = 0.2, PLAIN_SECONDS = 15;

sp_printer sp_printer_start(bool quiet) {
    return (sp_printer){.quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
}

static int terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Cuts the text after `columns` characters (every one of ours is one column wide). */
static void cut(char *text, int columns) {
    for (; *text; text++) {
        bool starts_character = ((unsigned char)*text & 0xc0) != 0x80;
        if (starts_character && columns-- == 0) *text = '\0';
        if (!*text) return;
    }
}

/* Whether it is time for another line; then the next one is due a while from now. */
static bool is_due(sp_printer *p, int run) {
    int place = p->terminal ? 0 : run;
    for (; p->runs <= place; p->runs++) {
        p->last = sp_realloc(p->last, (size_t)p->runs + 1, sizeof *p->last);
        p->last[p->runs] = -INFINITY;
    }
    double now = sp_now();
    if (now - p->last[place] < (p->terminal ? TERMINAL_SECONDS : PLAIN_SECONDS)) return false;
    p->last[place] = now;
    return true;
}

static void print_line(void *user, const sp_progress_state *told) {
    sp_printer *p = user;
    sp_progress_state state = *told;
    if (p->quiet || !is_due(p, state.run)) return;
    if (!p->terminal && state.label) state.running = 0; /* the line is about one run */
    char *text = sp_progress_text(&state);
    if (p->terminal) {
        cut(text, terminal_columns() - 1);
        fprintf(stderr, "\r\033[K%s", text);
        fflush(stderr);
        p->line_open = true;
    } else {
        fprintf(stderr, "%s\n", text);
    }
    free(text);
}

sp_progress sp_printer_progress(sp_printer *printer) {
    return (sp_progress){.line = print_line, .user = printer};
}

void sp_printer_break(sp_printer *p) {
    if (p->line_open) fputc('\n', stderr);
    p->line_open = false;
}

void sp_printer_end(sp_printer *p) {
    sp_printer_break(p);
    free(p->last);
    *p = (sp_printer){.quiet = p->quiet, .terminal = p->terminal};
}
