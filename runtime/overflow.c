/*
 * What: says which task has used up its stack, instead of a bare SIGSEGV.
 *
 * How: a handler on an alternate stack asks `describe` (the scheduler, which
 * knows the thread's running task) whether the fault lies in the guard of the
 * stack in use, writes one line to stderr, and then does what would have
 * happened without us: the host's former handler runs with the same
 * arguments, or the default action is put back and the faulting instruction
 * is tried again, so that a core dump shows where it happened. Faults of
 * everybody else pass through untouched.
 *
 * The state below is process-wide because signal handlers are; it is the one
 * exception to "no mutable globals", and exists only between install and the
 * last remove (I11). The handler reads it without the lock: whatever it needs
 * is written before sigaction() makes it reachable, and is never freed.
 *
 * If the host has set up a handler after ours, ours may be the one that it
 * hands on to, so it is neither removed nor installed a second time above it
 * (they would call each other for ever): it stays, and acts again when there
 * is somebody to describe.
 *
 * Rejected: reporting through the report hook, which may allocate or lock.
 * Unwinding the task and going on: its locks and buffers would be left as
 * they are.
 *
 * If you change this: test_overflow.c kills a child for each way through.
 */
#include "overflow.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* macOS raises SIGBUS for a page that mprotect() closed. */
#ifdef __APPLE__
#define GUARD_SIGNAL SIGBUS
#else
#define GUARD_SIGNAL SIGSEGV
#endif

/* Besides the frame of the signal itself: describe, the report, and some room
 * for the host's handler, which may print a backtrace. */
#define HANDLER_BYTES ((size_t)64 * 1024)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t installs;            /* under lock */
static bool in_place;              /* under lock: ours is in the chain */
static struct sigaction former;    /* written while ours is not in place */
static atomic_bool former_used_up; /* SA_RESETHAND of the former */
static _Atomic(uva__overflow_describe_fn) describe_fault;

static int put_in_place(void);
static void on_fault(int signal_number, siginfo_t *info, void *context);
static void report(const uva__overflow_info_t *info);
static void hand_on(int signal_number, siginfo_t *info, void *context);
static void die_of(int signal_number, const siginfo_t *info);

int uva__overflow_install(uva__overflow_describe_fn describe) {
    int code = 0;
    pthread_mutex_lock(&lock);
    if (!in_place)
        code = put_in_place();
    if (code == 0) {
        installs++;
        atomic_store(&describe_fault, describe);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int put_in_place(void) {
    struct sigaction ours;
    /* Asked for first: a fault may come before sigaction() has returned. */
    if (sigaction(GUARD_SIGNAL, NULL, &former) != 0)
        return uv_translate_sys_error(errno);
    atomic_store(&former_used_up, false);
    /* The host's handler is to find the mask and the flags it asked for. */
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_fault;
    ours.sa_mask = former.sa_mask;
    ours.sa_flags =
        SA_SIGINFO | SA_ONSTACK | (former.sa_flags & (SA_NODEFER | SA_RESTART));
    if (sigaction(GUARD_SIGNAL, &ours, NULL) != 0)
        return uv_translate_sys_error(errno);
    in_place = true;
    return 0;
}

void uva__overflow_remove(void) {
    struct sigaction now;
    pthread_mutex_lock(&lock);
    if (installs > 0 && --installs == 0) {
        atomic_store(&describe_fault, (uva__overflow_describe_fn)NULL);
        if (sigaction(GUARD_SIGNAL, NULL, &now) == 0 &&
            (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_fault &&
            sigaction(GUARD_SIGNAL, &former, NULL) == 0)
            in_place = false;
    }
    pthread_mutex_unlock(&lock);
}

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    int error = errno;
    uva__overflow_info_t what = {0};
    uva__overflow_describe_fn describe = atomic_load(&describe_fault);
    /* si_code <= 0: sent by somebody, the address means nothing. */
    if (describe != NULL && info->si_code > 0 && describe(info->si_addr, &what))
        report(&what);
    errno = error;
    hand_on(signal_number, info, context);
    errno = error;
}

/* A line that is put together without the help of stdio. */
typedef struct line {
    char text[640];
    size_t length;
} line_t;

static void add_text(line_t *line, const char *text, size_t most) {
    for (; *text != '\0' && most > 0; text++, most--) {
        if (line->length < sizeof line->text)
            line->text[line->length++] = *text;
    }
}

static void add_number(line_t *line, size_t number) {
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add_text(line, digits + at, sizeof digits);
}

static void report(const uva__overflow_info_t *info) {
    line_t line;
    line.length = 0;
    add_text(&line, "uvawait: stack overflow in task '", SIZE_MAX);
    add_text(&line, info->name != NULL ? info->name : "(unnamed)", 128);
    add_text(&line, "'", 1);
    if (info->file != NULL) {
        add_text(&line, " (spawned at ", SIZE_MAX);
        add_text(&line, info->file, 256);
        add_text(&line, ":", 1);
        add_number(&line, info->line > 0 ? (size_t)info->line : 0);
        add_text(&line, ")", 1);
    }
    add_text(&line, ": its ", SIZE_MAX);
    add_number(&line, info->bytes / 1024);
    add_text(&line,
             " KiB are used up; give it more with stack_bytes, or put large "
             "buffers on the heap\n",
             SIZE_MAX);
    /* Nobody is left to be told if stderr cannot be written. */
    ssize_t written = write(STDERR_FILENO, line.text, line.length);
    (void)written;
}

/* What would have happened without us. */
static void hand_on(int signal_number, siginfo_t *info, void *context) {
    bool once = ((unsigned)former.sa_flags & (unsigned)SA_RESETHAND) != 0;
    bool plain = (former.sa_flags & SA_SIGINFO) == 0;
    if (plain && former.sa_handler == SIG_IGN && info->si_code <= 0)
        return;
    if ((plain &&
         (former.sa_handler == SIG_DFL || former.sa_handler == SIG_IGN)) ||
        (once && atomic_exchange(&former_used_up, true))) {
        die_of(signal_number, info);
        return;
    }
    if (plain)
        former.sa_handler(signal_number);
    else
        former.sa_sigaction(signal_number, info, context);
}

/* A fault comes again by itself as soon as the handler returns; a signal that
 * was sent has to be sent again. */
static void die_of(int signal_number, const siginfo_t *info) {
    struct sigaction plain;
    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    sigaction(signal_number, &plain, NULL);
    if (info->si_code <= 0)
        raise(signal_number);
}

int uva__overflow_thread_enter(void **ret_token) {
    stack_t found;
    if (sigaltstack(NULL, &found) == 0 && (found.ss_flags & SS_DISABLE) == 0) {
        *ret_token = NULL;
        return 0;
    }
    long least = sysconf(_SC_MINSIGSTKSZ);
    size_t bytes = HANDLER_BYTES + (least > 0 ? (size_t)least : 0);
    stack_t ours = {.ss_size = bytes};
    ours.ss_sp = malloc(bytes);
    if (ours.ss_sp == NULL)
        return UV_ENOMEM;
    if (sigaltstack(&ours, NULL) != 0) {
        int code = uv_translate_sys_error(errno);
        free(ours.ss_sp);
        return code;
    }
    *ret_token = ours.ss_sp;
    return 0;
}

void uva__overflow_thread_leave(void *token) {
    stack_t none = {.ss_flags = SS_DISABLE};
    stack_t now;
    if (token == NULL)
        return;
    /* If somebody has put another there since, it may be about to put ours
     * back: the memory is then left to it. */
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == token &&
        sigaltstack(&none, NULL) == 0)
        free(token);
}
