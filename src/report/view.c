#include "report/view.h"

#include "core/clock.h"
#include "report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SPARK_WIDTH = 24, MOST_LOSSES = 4096 };

/* ---- looking ---- */

void sp_view_start(const sp_run_list *runs, const char *folder, const char *study, sp_view *out) {
    *out = (sp_view){.runs = runs, .folder = folder, .study = study, .started = sp_now()};
    out->items = sp_alloc(runs->count, sizeof *out->items);
    for (size_t i = 0; i < runs->count; i++) out->items[i].loss_step = -1;
}

/* When a file was last replaced; 0 if it is not there. */
static double written_at(const char *path) {
    struct stat info;
    if (stat(path, &info)) return 0;
    return (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
}

static bool read_checkpoint(const char *path, sp_runlog *log) {
    sp_h5 *file = NULL;
    sp_status st = sp_h5_open(path, &file);
    if (!st) st = sp_runlog_load_series(log, file, "/checkpoint/log");
    sp_h5_close(file);
    return !st;
}

/* Reads the series again if the file is another one; what cannot be read leaves what was there. */
static void read_log(const sp_view *view, size_t i) {
    const sp_run_spec *run = &view->runs->items[i];
    sp_viewed_run *item = &view->items[i];
    bool finished = item->status.state == SP_RUN_FINISHED;
    char *path =
        finished ? sp_run_path(run, view->folder) : sp_run_checkpoint_path(run, view->folder);
    double written = written_at(path);
    sp_runlog log = {0};
    bool fresh = written > 0 && written != item->log_seconds;
    if (fresh && (finished ? !sp_runlog_read(path, &log) : read_checkpoint(path, &log))) {
        sp_runlog_free(&item->log);
        item->log = log;
        item->log_seconds = written;
    } else if (fresh) {
        sp_runlog_free(&log);
    }
    free(path);
}

static void add_loss(sp_viewed_run *item, long step, double loss) {
    if (!isfinite(loss) || step <= item->loss_step) return;
    sp_column *c = &item->losses;
    if (c->len == MOST_LOSSES) { /* every other one is enough */
        for (size_t i = 0; i < c->len / 2; i++) c->data[i] = c->data[2 * i];
        c->len /= 2;
    }
    if (c->len == c->cap) {
        c->cap = 2 * c->cap + 64;
        c->data = sp_realloc(c->data, c->cap, sizeof *c->data);
    }
    c->data[c->len++] = loss;
    item->loss_step = step;
}

/* From the checkpoint, then from what the progress file says look by look. */
static void follow_loss(sp_viewed_run *item) {
    const sp_column *steps = &item->log.train[SP_COLUMN_STEP];
    const sp_column *losses = &item->log.train[SP_COLUMN_LOSS];
    for (size_t i = 0; i < steps->len && i < losses->len; i++)
        add_loss(item, (long)steps->data[i], losses->data[i]);
    const sp_run_progress *p = &item->status.progress;
    if (strcmp(p->phase, "training") == 0) add_loss(item, p->step, p->loss);
}

void sp_view_look(sp_view *view) {
    memset(view->counts, 0, sizeof view->counts);
    for (size_t i = 0; i < view->runs->count; i++) {
        sp_viewed_run *item = &view->items[i];
        if (item->status.state == SP_RUN_FINISHED && item->log_seconds > 0) {
            view->counts[SP_RUN_FINISHED]++; /* stays as it is */
            continue;
        }
        sp_run_status_free(&item->status);
        item->status = (sp_run_status){0};
        item->damaged = sp_run_status_read(&view->runs->items[i], view->folder, &item->status);
        read_log(view, i);
        if (item->status.state == SP_RUN_RUNNING) follow_loss(item);
        view->counts[item->status.state]++;
    }
}

bool sp_view_is_over(const sp_view *view) {
    return view->counts[SP_RUN_FINISHED] + view->counts[SP_RUN_FAILED] == view->runs->count;
}

void sp_view_free(sp_view *view) {
    for (size_t i = 0; i < view->runs->count; i++) {
        sp_run_status_free(&view->items[i].status);
        sp_runlog_free(&view->items[i].log);
        free(view->items[i].losses.data);
    }
    free(view->items);
    *view = (sp_view){0};
}

/* ---- texts ---- */

void sp_sparkline(const double *values, size_t count, size_t width, sp_buf *out) {
    double *cells = sp_alloc(width + 1, sizeof *cells), low = INFINITY, high = -INFINITY;
    size_t *times = sp_alloc(width + 1, sizeof *times), used = count < width ? count : width;
    for (size_t i = 0; i < count; i++) {
        size_t cell = i * used / count;
        if (isfinite(values[i])) cells[cell] += values[i], times[cell]++;
    }
    for (size_t i = 0; i < used; i++) {
        if (!times[i]) continue;
        cells[i] /= (double)times[i];
        low = fmin(low, cells[i]), high = fmax(high, cells[i]);
    }
    for (size_t i = 0; i < used; i++) {
        int level = high > low ? (int)lround(7 * (cells[i] - low) / (high - low)) : 0;
        /* U+2581 to U+2588: lower one eighth block to full block */
        if (times[i]) sp_buf_printf(out, "\xe2\x96%c", 0x81 + level);
    }
    free(cells), free(times);
}

static void put_counts(const sp_view *view, sp_buf *out) {
    sp_buf_printf(out, "%s: %zu runs", view->study, view->runs->count);
    for (int i = 0; i < SP_RUN_STATES; i++)
        if (view->counts[i]) sp_buf_printf(out, ", %zu %s", view->counts[i], sp_run_state_names[i]);
}

/* The last value of the first series that is a quality, else of the loss. */
static void put_dev(const sp_runlog *log, sp_buf *out) {
    size_t chosen = 0;
    while (chosen < log->dev_names.len && strcmp(log->dev_names.data[chosen], "loss") == 0)
        chosen++;
    if (chosen == log->dev_names.len) chosen = 0;
    if (!log->dev_names.len || !log->dev[chosen].len) return;
    const sp_column *values = &log->dev[chosen];
    sp_buf_printf(out, ", dev %s %.4g", log->dev_names.data[chosen], values->data[values->len - 1]);
}

static void put_run(const sp_view *view, size_t i, bool spark, sp_buf *out) {
    const sp_viewed_run *item = &view->items[i];
    const sp_run_progress *p = &item->status.progress;
    char *title = sp_run_title(&view->runs->items[i]);
    char *replicate = sp_run_replicate(&view->runs->items[i]);
    sp_buf_printf(out, "%s %s: %s", title, replicate, *p->phase ? p->phase : "start");
    if (p->steps > 0) sp_buf_printf(out, " %ld/%ld", p->step, p->steps);
    if (isfinite(p->loss)) sp_buf_printf(out, ", loss %.4g", p->loss);
    if (spark && item->losses.len > 1) {
        sp_buf_putc(out, ' ');
        sp_sparkline(item->losses.data, item->losses.len, SPARK_WIDTH, out);
    }
    put_dev(&item->log, out);
    if (p->seconds_left >= 0) {
        char *left = sp_duration_text(p->seconds_left);
        sp_buf_printf(out, ", %s left", left);
        free(left);
    }
    free(title), free(replicate);
}

static bool is_at_work(const sp_view *view, size_t run) {
    return view->items[run].status.state == SP_RUN_RUNNING;
}

void sp_view_line(const sp_view *view, sp_buf *out) {
    put_counts(view, out);
    for (size_t i = 0; i < view->runs->count; i++) {
        if (!is_at_work(view, i)) continue;
        sp_buf_puts(out, "; ");
        put_run(view, i, false, out);
    }
}

/* ---- the screen ---- */

/* Ends a line, which began at `start`, after `columns` characters. */
static void end_line(sp_buf *out, size_t start, int columns) {
    size_t i = start;
    for (int n = 0; columns > 0 && i < out->len; i++) {
        bool starts_character = ((unsigned char)out->data[i] & 0xc0) != 0x80;
        if (starts_character && n++ == columns) break;
    }
    if (columns > 0 && i < out->len) out->len = i, out->data[i] = '\0';
    sp_buf_putc(out, '\n');
}

static void put_failure(const sp_view *view, size_t i, sp_buf *out) {
    const sp_viewed_run *item = &view->items[i];
    char *title = sp_run_title(&view->runs->items[i]);
    char *replicate = sp_run_replicate(&view->runs->items[i]);
    const char *message = item->damaged          ? "its file cannot be read"
                          : item->status.message ? item->status.message
                                                 : "";
    sp_buf_printf(out, "%s %s failed: %s", title, replicate, message);
    free(title), free(replicate);
}

void sp_view_screen(const sp_view *view, int rows, int columns, sp_buf *out) {
    size_t start = out->len;
    int used = 2;
    put_counts(view, out);
    end_line(out, start, columns);
    sp_buf_putc(out, '\n');
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < view->runs->count; i++) {
            bool failed = view->items[i].damaged || view->items[i].status.state == SP_RUN_FAILED;
            if (pass ? !failed : !is_at_work(view, i)) continue;
            if (rows > 0 && used++ >= rows) return;
            start = out->len;
            if (pass)
                put_failure(view, i, out);
            else
                put_run(view, i, true, out);
            end_line(out, start, columns);
        }
}

/* ---- the figure ---- */

sp_status sp_view_draw(const sp_view *view, const char *path, bool *drawn) {
    sp_curve *curves = sp_alloc(view->runs->count, sizeof *curves);
    sp_strings labels = {0};
    const char *dev = NULL;
    size_t n = 0;
    for (size_t i = 0; i < view->runs->count; i++) {
        const sp_runlog *log = &view->items[i].log;
        if (!log->train[SP_COLUMN_STEP].len && !log->dev_step.len) continue;
        char *title = sp_run_title(&view->runs->items[i]);
        char *replicate = sp_run_replicate(&view->runs->items[i]);
        sp_strings_take(&labels, sp_format("%s %s", title, replicate));
        free(title), free(replicate);
        for (size_t k = 0; !dev && k < log->dev_names.len; k++)
            if (strcmp(log->dev_names.data[k], "loss") != 0) dev = log->dev_names.data[k];
        curves[n++].log = log;
    }
    for (size_t i = 0; i < n; i++) curves[i].label = labels.data[i];
    sp_status st = sp_plot_curves(curves, n, dev, path, drawn);
    sp_strings_free(&labels);
    free(curves);
    return st;
}
