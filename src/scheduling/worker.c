#include "scheduling/worker.h"

#include "core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds between two reports of progress. */
static const double REPORT_SECONDS = 0.1;

typedef enum message_kind { PROGRESS, END } message_kind;

/* A packet of the socket; any other is text from the standard error of the worker. */
typedef struct message {
    char mark[8];
    message_kind kind;
    sp_status status;
    sp_progress_state state; /* its pointers mean nothing to the parent */
    char phase[SP_WORKER_WORD], dev_metric[SP_WORKER_WORD];
    char error[SP_WORKER_ERROR];
} message;

static const char MARK[8] = "\x01worker";

/* ---- in the worker ---- */

typedef struct reporter {
    int socket;
    double last; /* when something was reported */
} reporter;

static message new_message(message_kind kind) {
    message m = {.kind = kind};
    memcpy(m.mark, MARK, sizeof m.mark);
    return m;
}

/* Progress that finds the socket full, because the parent is busy or suspended, is lost. */
static void report_progress(void *user, const sp_progress_state *state) {
    reporter *r = user;
    double now = sp_now();
    if (now - r->last < REPORT_SECONDS) return;
    r->last = now;
    message m = new_message(PROGRESS);
    m.state = *state;
    snprintf(m.phase, sizeof m.phase, "%s", state->phase ? state->phase : "");
    snprintf(m.dev_metric, sizeof m.dev_metric, "%s", state->dev_metric ? state->dev_metric : "");
    send(r->socket, &m, sizeof m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void report_end(int socket, sp_status status) {
    message m = new_message(END);
    m.status = status;
    snprintf(m.error, sizeof m.error, "%s", sp_error());
    while (send(socket, &m, sizeof m, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

/* Of a sanitizer build. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

/* The worker ends without the exit handlers of its parent, so leaks are looked for here. */
static sp_status check_leaks(sp_status st) {
    if (!__lsan_do_recoverable_leak_check || !__lsan_do_recoverable_leak_check()) return st;
    return sp_fail(SP_ERR_INTERNAL, "memory was leaked");
}

/* Of parent and workers, a worker is to be ended when memory runs out. */
static void be_first_to_go(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t written = write(fd, "500", 3);
    (void)written; /* some systems forbid it; then the kernel chooses */
    close(fd);
}

static _Noreturn void work(sp_job *job, void *user, const cpu_set_t *cpus, int socket) {
    reporter r = {socket, -REPORT_SECONDS};
    sp_progress progress = {.line = report_progress, .user = &r};
    sched_setaffinity(0, sizeof *cpus, cpus);
    be_first_to_go();
    report_end(socket, check_leaks(job(user, &progress)));
    _exit(SP_OK);
}

/* ---- in the parent ---- */

/* SIGINT, SIGTERM and SIGHUP wait until the worker has its own way with them. */
static sigset_t block_interrupts(void) {
    sigset_t interrupts, before;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTERM);
    sigaddset(&interrupts, SIGHUP);
    sigprocmask(SIG_BLOCK, &interrupts, &before);
    return before;
}

sp_status sp_worker_start(sp_worker *w, sp_job *job, void *user, const cpu_set_t *cpus, int own) {
    *w = (sp_worker){.socket = -1};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return sp_fail(SP_ERR_IO, "no socket for a further process: %s", strerror(errno));
    fflush(NULL); /* or both processes would write what is in the buffers */
    pid_t parent = getpid();
    sigset_t before = block_interrupts();
    w->pid = fork();
    int reason = errno;
    if (w->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(SP_ERR_INTERRUPTED);
        sp_heed_interrupts();
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (own >= 0) close(own);
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        work(job, user, cpus, ends[1]);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (w->pid < 0) {
        close(ends[0]);
        return sp_fail(SP_ERR_IO, "cannot start a further process: %s", strerror(reason));
    }
    w->socket = ends[0];
    return SP_OK;
}

static sp_worker_news take_message(sp_worker *w, const message *m, sp_progress_state *state) {
    if (m->kind == END) {
        w->reported = true;
        w->status = m->status;
        memcpy(w->error, m->error, sizeof w->error);
        return SP_WORKER_TALK;
    }
    memcpy(w->phase, m->phase, sizeof w->phase);
    memcpy(w->dev_metric, m->dev_metric, sizeof w->dev_metric);
    *state = m->state;
    state->experiment = state->label = state->replicate = NULL;
    state->phase = *w->phase ? w->phase : NULL;
    state->dev_metric = *w->dev_metric ? w->dev_metric : NULL;
    return SP_WORKER_PROGRESS;
}

/* Whether an empty packet was the end of all: a write of nothing on standard error is one too. */
static bool has_hung_up(int socket) {
    struct pollfd state = {.fd = socket, .events = POLLIN};
    int bytes_left = 0;
    poll(&state, 1, 0);
    return (state.revents & POLLHUP) && (ioctl(socket, FIONREAD, &bytes_left) || !bytes_left);
}

sp_worker_news sp_worker_listen(sp_worker *w, sp_progress_state *state) {
    union {
        message message;
        char text[1 << 16];
    } packet;
    ssize_t n;
    do n = recv(w->socket, &packet, sizeof packet, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 || (n == 0 && has_hung_up(w->socket))) return SP_WORKER_ENDED;
    if (n == sizeof packet.message && memcmp(packet.message.mark, MARK, sizeof MARK) == 0)
        return take_message(w, &packet.message, state);
    if (w->text.len < SP_WORKER_ERROR) sp_buf_append(&w->text, packet.text, (size_t)n);
    return SP_WORKER_TALK;
}

void sp_worker_stop(const sp_worker *w) {
    kill(w->pid, SIGTERM);
}

void sp_worker_kill(const sp_worker *w) {
    kill(w->pid, SIGKILL);
}

/* The first line with a letter in it, without the program's name. */
static char *first_line(const sp_buf *text) {
    const char *start = text->data ? text->data : "";
    start += strcspn(start, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    const char own[] = "softprompt: ";
    if (strncmp(start, own, strlen(own)) == 0) start += strlen(own);
    return sp_strndup(start, strcspn(start, "\n"));
}

static sp_status fail_by_signal(int number) {
    return sp_fail(SP_ERR_FAILED, "its process was ended by signal %d (%s)%s", number,
                   strsignal(number),
                   number == SIGKILL ? "; if memory ran out, use fewer --jobs or a smaller batch"
                                     : "; the next run tries again");
}

static sp_status fail_without_report(const sp_worker *w, int code) {
    char *line = first_line(&w->text);
    sp_status kind = code == SP_ERR_MEMORY ? SP_ERR_MEMORY : SP_ERR_INTERNAL;
    sp_status st = *line ? sp_fail(kind, "%s", line)
                         : sp_fail(kind, "its process ended with exit code %d", code);
    free(line);
    return st;
}

sp_status sp_worker_end(sp_worker *w) {
    int how = 0;
    while (waitpid(w->pid, &how, 0) < 0 && errno == EINTR) continue;
    close(w->socket);
    sp_status st = SP_OK;
    if (WIFSIGNALED(how))
        st = fail_by_signal(WTERMSIG(how));
    else if (!w->reported)
        st = fail_without_report(w, WEXITSTATUS(how));
    else if (w->status)
        st = sp_fail(w->status, "%s", w->error);
    sp_buf_free(&w->text);
    w->socket = -1;
    return st;
}
