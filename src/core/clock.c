#include "core/clock.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

double sp_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void on_signal(int number) {
    if (interrupted) _exit(128 + number);
    interrupted = 1;
}

static void on_passed_signal(int number) {
    (void)number;
    interrupted = 1;
}

static void watch(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction before;
    bool nohup = sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    if (!nohup) sigaction(SIGHUP, &action, NULL);
}

void sp_watch_interrupts(void) {
    watch(on_signal);
}

void sp_heed_interrupts(void) {
    watch(on_passed_signal);
}

bool sp_interrupted(void) {
    return interrupted;
}

double sp_peak_rss(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1024.0 * (double)usage.ru_maxrss;
}
