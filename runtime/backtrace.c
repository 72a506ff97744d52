/*
 * What: the backtrace of a thread that does not let go of its processor, or
 * that waits in a system call.
 *
 * How: a thread that waits must not be sent a signal: nanosleep(), poll() and
 * others would end with EINTR in spite of SA_RESTART, and a write() to a full
 * pipe with part of its work done. It stands still, so its stack is read from
 * outside: the kernel tells its stack pointer and its place, and whatever on
 * the stack lies behind a call instruction is taken for a return address. That
 * may name a call that is over; it never misses one that is not (but, where
 * return addresses are kept in a register, that of the innermost function).
 * Reading goes through /proc/self/mem, which says so where nothing is to be
 * read, instead of faulting.
 *
 * A thread that computes is sent SIGURG, as Go does it: what happens by itself
 * when nobody listens is nothing, debuggers let it pass, and libc does not use
 * it. The handler is there only for the moments of one such question, and only
 * where the host has none of its own. It unwinds its own stack, exactly. The
 * kernel is asked as the last thing before the signal is sent; a wait that
 * begins in the microseconds between can still end with EINTR.
 *
 * Under ThreadSanitizer (which puts signals off) and valgrind (whose threads
 * stand elsewhere than the kernel says) there is no backtrace.
 *
 * Rejected: a signal in any case, for what it does to waiting calls. ptrace(),
 * which cannot be had in a thread of the same process. Unwinding from outside
 * by the modules' tables: the frame pointer, on which functions that are not
 * optimised go, is nowhere to be read.
 *
 * The state below is process-wide because signal handlers are (I10). Late
 * answers find that nobody asks any more.
 */
#include "backtrace.h"

#include "sanitizers.h"

#if defined(__linux__) && defined(__has_include)
#if __has_include(<execinfo.h>)
#define CAN_LOOK 1
#endif
#endif

#ifndef CAN_LOOK

uva__thread_t uva__thread_self(void) {
    return (uva__thread_t){.thread = pthread_self()};
}

void uva__backtrace_prepare(void) {}

void uva__backtrace_take(const uva__thread_t *thread,
                         const uva__symbols_t *symbols,
                         uva__backtrace_t *ret_trace) {
    (void)thread;
    (void)symbols;
    *ret_trace = (uva__backtrace_t){.why = "this system cannot give one"};
}

#else

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(UVA__HAVE_VALGRIND)
#include <valgrind/valgrind.h>
#define ON_VALGRIND (RUNNING_ON_VALGRIND != 0)
#else
#define ON_VALGRIND false
#endif

enum {
    CHUNK_WORDS = 2048,  /* read at once */
    MOST_CHUNKS = 16,    /* of a stack: with words of 8 bytes, 256 KiB */
    ANSWER_STEPS = 200,  /* milliseconds that a thread has to answer */
    HANDLER_FRAMES = 12, /* at the most, of handler and sanitizer */
    FRAMES_ASKED = UVA__FRAMES + HANDLER_FRAMES
};

uva__thread_t uva__thread_self(void) {
    return (uva__thread_t){.thread = pthread_self(),
                           .id = (pid_t)syscall(SYS_gettid)};
}

void uva__backtrace_prepare(void) {
    /* The first call loads the unwinder, which a handler must not do. */
    void *frame[1];
    (void)backtrace(frame, 1);
}

/* ---- from outside ------------------------------------------------------- */

typedef enum { UNKNOWN, COMPUTES, WAITS } doing_t;

/* What a thread does, and, if it waits, where. */
typedef struct place {
    doing_t doing;
    uintptr_t sp;
    uintptr_t pc;
} place_t;

/* "number arguments... sp pc", or "-1 sp pc" outside a call. */
static bool read_place(char *text, place_t *place) {
    unsigned long long sp = 0;
    unsigned long long pc = 0;
    char *last = strrchr(text, ' ');
    if (last == NULL)
        return false;
    *last = '\0';
    const char *before = strrchr(text, ' ');
    if (before == NULL || sscanf(before, "%llx", &sp) != 1 ||
        sscanf(last + 1, "%llx", &pc) != 1)
        return false;
    place->sp = (uintptr_t)sp;
    place->pc = (uintptr_t)pc;
    return true;
}

static void ask_kernel(pid_t id, place_t *ret_place) {
    char path[64];
    char text[256];
    *ret_place = (place_t){.doing = UNKNOWN};
    (void)snprintf(path, sizeof path, "/proc/self/task/%ld/syscall", (long)id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t length = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (length <= 0)
        return;
    text[length] = '\0';
    if (strncmp(text, "running", 7) == 0)
        ret_place->doing = COMPUTES;
    else if (read_place(text, ret_place))
        ret_place->doing = WAITS;
}

#if defined(__x86_64__)
/* The lengths that "call *" comes in, by addressing mode. */
static bool follows_call(const unsigned char code[8]) {
    const unsigned char *end = code + 8;
    if (end[-5] == 0xE8)
        return true;
    for (int length = 2; length <= 7; length++) {
        if (length != 5 && end[-length] == 0xFF &&
            (end[1 - length] & 0x38) == 0x10)
            return true;
    }
    return false;
}
#elif defined(__aarch64__)
static bool follows_call(const unsigned char code[8]) {
    uint32_t last;
    memcpy(&last, code + 4, sizeof last);
    return (last & 0xFC000000) == 0x94000000 || /* bl */
           (last & 0xFEFFF800) == 0xD63F0800 || /* blra.. */
           (last & 0xFFFFFC1F) == 0xD63F0000;   /* blr */
}
#elif defined(__riscv)
static bool follows_call(const unsigned char code[8]) {
    uint32_t last;
    memcpy(&last, code + 4, sizeof last);
    return (last & 0xFFF) == 0x0EF ||                            /* jal ra */
           (last & 0x7FFF) == 0x0E7 ||                           /* jalr ra */
           ((last >> 16 & 0xF07F) == 0x9002 && last >> 23 != 0); /* c.jalr */
}
#else
static bool follows_call(const unsigned char code[8]) {
    (void)code;
    return false;
}
#endif

static bool is_return_address(const uva__symbols_t *symbols, int memory,
                              uintptr_t word) {
    unsigned char code[8];
    return uva__symbols_has(symbols, word) &&
           pread(memory, code, sizeof code, (off_t)(word - sizeof code)) ==
               (ssize_t)sizeof code &&
           follows_call(code);
}

/* Adds what looks like a return address, from sp on upwards. */
static void scan(const uva__symbols_t *symbols, uintptr_t sp,
                 uva__backtrace_t *trace) {
    uintptr_t words[CHUNK_WORDS];
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0)
        return;
    for (int chunk = 0; chunk < MOST_CHUNKS; chunk++) {
        ssize_t length = pread(memory, words, sizeof words, (off_t)sp);
        size_t count = length > 0 ? (size_t)length / sizeof words[0] : 0;
        for (size_t i = 0; i < count && trace->count < UVA__FRAMES; i++) {
            if (is_return_address(symbols, memory, words[i]))
                trace->frames[trace->count++] = words[i];
        }
        if (count < CHUNK_WORDS || trace->count == UVA__FRAMES)
            break;
        sp += sizeof words;
    }
    (void)close(memory);
}

/* ---- by a signal -------------------------------------------------------- */

/* Nobody asks -> ASKED -> ANSWERING (in the handler) -> ANSWERED -> nobody. */
enum { NOBODY, ASKED, ANSWERING, ANSWERED };

static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;
static struct {
    atomic_int state;
    pthread_t asked; /* from ASKED on */
    int count;       /* ANSWERED: of frames */
    void *frames[FRAMES_ASKED];
    uintptr_t pc; /* ANSWERED: where the signal came; 0: not known */
} question;

static uintptr_t interrupted_at(const void *context) {
    const ucontext_t *user = context;
#if defined(__x86_64__)
    return (uintptr_t)user->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)user->uc_mcontext.pc;
#elif defined(__riscv)
    return (uintptr_t)user->uc_mcontext.__gregs[0];
#else
    (void)user;
    return 0;
#endif
}

static void on_question(int signum, siginfo_t *info, void *context) {
    int error = errno;
    int state = ASKED;
    (void)signum;
    (void)info;
    if (atomic_load(&question.state) == ASKED &&
        pthread_equal(pthread_self(), question.asked) &&
        atomic_compare_exchange_strong(&question.state, &state, ANSWERING)) {
        question.pc = interrupted_at(context);
        question.count = backtrace(question.frames, FRAMES_ASKED);
        atomic_store(&question.state, ANSWERED);
    }
    errno = error;
}

/* Puts our handler in place, if nobody has one. */
static bool listen(struct sigaction *ret_former) {
    struct sigaction ours = {.sa_sigaction = on_question,
                             .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    (void)sigemptyset(&ours.sa_mask);
    return sigaction(SIGURG, NULL, ret_former) == 0 &&
           (ret_former->sa_flags & SA_SIGINFO) == 0 &&
           (ret_former->sa_handler == SIG_DFL ||
            ret_former->sa_handler == SIG_IGN) &&
           sigaction(SIGURG, &ours, NULL) == 0;
}

/* A signal that is still on its way is forgotten by this. */
static void listen_no_more(const struct sigaction *former) {
    struct sigaction now;
    if (sigaction(SIGURG, NULL, &now) == 0 &&
        (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_question)
        (void)sigaction(SIGURG, former, NULL);
}

/* Waits until there is an answer, or takes the question back. */
static bool is_answered(int steps) {
    const struct timespec step = {.tv_nsec = 1000000};
    for (int i = 0; atomic_load(&question.state) != ANSWERED; i++) {
        int state = ASKED;
        if (i >= steps &&
            atomic_compare_exchange_strong(&question.state, &state, NOBODY))
            return false;
        (void)nanosleep(&step, NULL);
    }
    return true;
}

/* Copies the frames from the one that was interrupted. */
static void copy_answer(uva__backtrace_t *trace) {
    int first = 0;
    while (first < question.count &&
           (uintptr_t)question.frames[first] != question.pc)
        first++;
    if (first == question.count)
        first = 0;
    for (int i = first; i < question.count && trace->count < UVA__FRAMES; i++)
        trace->frames[trace->count++] = (uintptr_t)question.frames[i];
}

/* Asks the thread, unless it has begun to wait. */
static void ask_thread(const uva__thread_t *thread, place_t *place,
                       uva__backtrace_t *trace) {
    struct sigaction former;
    (void)pthread_mutex_lock(&asking);
    if (listen(&former)) {
        question.asked = thread->thread;
        atomic_store(&question.state, ASKED);
        ask_kernel(thread->id, place);
        bool is_sent = place->doing == COMPUTES &&
                       pthread_kill(thread->thread, SIGURG) == 0;
        if (is_answered(is_sent ? ANSWER_STEPS : 0) && is_sent)
            copy_answer(trace);
        atomic_store(&question.state, NOBODY);
        listen_no_more(&former);
        trace->why = "the thread did not answer SIGURG; is it blocked?";
    } else {
        trace->why = "SIGURG has a handler of the host's";
    }
    (void)pthread_mutex_unlock(&asking);
}

/* ---- both --------------------------------------------------------------- */

void uva__backtrace_take(const uva__thread_t *thread,
                         const uva__symbols_t *symbols,
                         uva__backtrace_t *ret_trace) {
    place_t place;
    *ret_trace = (uva__backtrace_t){.count = 0};
    if (UVA__TSAN || ON_VALGRIND || symbols == NULL) {
        ret_trace->why = symbols == NULL ? "no memory, or no /proc/self/maps"
                                         : "none under this tool";
        return;
    }
    ask_kernel(thread->id, &place);
    if (place.doing == COMPUTES)
        ask_thread(thread, &place, ret_trace);
    if (place.doing == UNKNOWN)
        ret_trace->why = "the kernel does not say what the thread does";
    if (place.doing != WAITS)
        return;
    ret_trace->is_waiting = true;
    ret_trace->frames[ret_trace->count++] = place.pc;
    scan(symbols, place.sp, ret_trace);
}

#endif
