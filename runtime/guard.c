/*
 * What: makes the gap below a stack fault when it is touched.
 *
 * How: MADV_GUARD_INSTALL (Linux 6.13) marks page table entries and splits no
 * mapping, so that guards cost no map however many there are. The first
 * attempt is the probe. Where the kernel refuses it (older, or the pages are
 * locked into memory), mprotect() does the same at the price of two maps a
 * guard, out of vm.max_map_count (65,530 by default) for the whole process.
 * When that runs out, malloc() itself begins to fail. So on this path the maps
 * are counted before guards are made, an eighth of the limit and at least
 * 1,000 maps are left to everybody else, and a guard beyond is refused with a
 * text.
 *
 * Counting reads all of /proc/self/maps (18 ms at 56,000 lines), so one count
 * is good for a sixteenth of the room it found, at most COUNT_EVERY guards: up
 * to 16 runtimes may count at the same moment and still not reach into the
 * margin together. After a refusal the next count is at least RECOUNT_NS
 * later, so that a storm of refused spawns costs nothing much.
 *
 * Rejected: asking mprotect() until it says ENOMEM (a peer does: malloc fails
 * next). Keeping the count in a global (I10). Trying MADV_GUARD_INSTALL again
 * after it was refused: what refuses it once is the kernel or mlockall().
 *
 * If you change this: stack.h's room and the public header speak of it;
 * test_stack_limits.c forces both kinds.
 */
#include "guard.h"

#include "advise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* From Linux 6.13's headers, which older distributions lack. */
#define ADVICE_GUARD_INSTALL 102
#define ADVICE_POPULATE_READ 22

#define DEFAULT_MAP_LIMIT 65530
#define MAPS_FOR_OTHERS   1000
#define MAPS_PER_GUARD    2
#define COUNT_EVERY       1024
#define RECOUNT_NS        UINT64_C(100000000)

static size_t install_by_advice(uva__guards_t *guards, char *first,
                                size_t stride, size_t count,
                                const char **ret_why);
static size_t install_by_protection(uva__guards_t *guards, char *first,
                                    size_t stride, size_t count,
                                    const char **ret_why);
static bool is_guarded(char *guard, size_t page_bytes);
static void turn_to_protection(uva__guards_t *guards);
static bool only_locked_pages_refuse(const uva__guards_t *guards);
static size_t take_budget(uva__guards_t *guards, size_t wanted);
static size_t count_room(uva__guards_t *guards);

void uva__guards_init(uva__guards_t *guards) {
    long page = sysconf(_SC_PAGESIZE);
    memset(guards, 0, sizeof *guards);
    guards->page_bytes = page > 0 ? (size_t)page : 4096;
    guards->guard_bytes = (UVA__GUARD_BYTES + guards->page_bytes - 1) /
                          guards->page_bytes * guards->page_bytes;
}

size_t uva__guards_install(uva__guards_t *guards, char *first, size_t stride,
                           size_t count, const char **ret_why) {
    size_t done = 0;
    if (guards->kind != UVA_GUARD_MPROTECT)
        done = install_by_advice(guards, first, stride, count, ret_why);
    if (done < count && guards->kind == UVA_GUARD_MPROTECT)
        done += install_by_protection(guards, first + done * stride, stride,
                                      count - done, ret_why);
    return done;
}

static size_t install_by_advice(uva__guards_t *guards, char *first,
                                size_t stride, size_t count,
                                const char **ret_why) {
    struct iovec ranges[UVA__ADVISE_MAX];
    size_t done = 0;
    while (done < count) {
        size_t batch = 0;
        for (; batch < UVA__ADVISE_MAX && done + batch < count; batch++) {
            ranges[batch].iov_base = first + (done + batch) * stride;
            ranges[batch].iov_len = guards->guard_bytes;
        }
        int code = 0;
        size_t accepted =
            uva__advise(ranges, batch, ADVICE_GUARD_INSTALL, &code);
        done += accepted;
        if (accepted > 0 && guards->kind == UVA_GUARD_NONE_YET &&
            !is_guarded(first, guards->page_bytes)) {
            turn_to_protection(guards);
            return install_by_protection(guards, first, stride, count, ret_why);
        }
        if (accepted > 0)
            guards->kind = UVA_GUARD_MADVISE;
        if (accepted == batch)
            continue;
        /* Short of memory for page tables, mprotect() would be no better. */
        if (code == UV_ENOMEM || code == UV_EAGAIN)
            *ret_why = "no memory for the guard of another task stack: let "
                       "fewer tasks live at once";
        else
            turn_to_protection(guards);
        break;
    }
    return done;
}

/* Whether the advice had an effect. Emulators (qemu-user 7.2) accept what they
 * do not know and do nothing; a guard that is there cannot be populated. */
static bool is_guarded(char *guard, size_t page_bytes) {
    return madvise(guard, page_bytes, ADVICE_POPULATE_READ) != 0;
}

static void turn_to_protection(uva__guards_t *guards) {
    guards->locked = only_locked_pages_refuse(guards);
    guards->note =
        guards->locked
            ? "stacks are locked into memory (mlockall), where guard pages by "
              "madvise() are refused"
            : "no guard pages by madvise() before Linux 6.13";
    guards->kind = UVA_GUARD_MPROTECT;
    guards->map_budget = 0;
    guards->map_room = 0;
}

/* A page that is certainly not locked tells an old kernel from locked memory:
 * both answer EINVAL. */
static bool only_locked_pages_refuse(const uva__guards_t *guards) {
    size_t bytes = guards->page_bytes;
    void *page =
        mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    bool works = munlock(page, bytes) == 0 &&
                 madvise(page, bytes, ADVICE_GUARD_INSTALL) == 0;
    munmap(page, bytes);
    return works;
}

static size_t install_by_protection(uva__guards_t *guards, char *first,
                                    size_t stride, size_t count,
                                    const char **ret_why) {
    size_t done = 0;
    while (done < count) {
        size_t granted = take_budget(guards, count - done);
        if (granted == 0) {
            *ret_why = guards->why;
            return done;
        }
        for (size_t i = 0; i < granted; i++, done++) {
            if (mprotect(first + done * stride, guards->guard_bytes,
                         PROT_NONE) == 0) {
                guards->protected_count++;
                continue;
            }
            /* What was granted and not used goes back into the account. */
            guards->map_budget += granted - i;
            guards->map_room += granted - i;
            snprintf(guards->why, sizeof guards->why,
                     "the guard page of another task stack was refused "
                     "(mprotect: %s): let fewer tasks live at once",
                     strerror(errno));
            *ret_why = guards->why;
            return done;
        }
    }
    return done;
}

/* How many guards may be made now: 0 to wanted. */
static size_t take_budget(uva__guards_t *guards, size_t wanted) {
    if (guards->map_budget == 0) {
        uint64_t now = uv_hrtime();
        if (guards->refused_ns != 0 && now - guards->refused_ns < RECOUNT_NS)
            return 0;
        size_t room = count_room(guards);
        size_t budget = room / 16 > 0 ? room / 16 : room;
        guards->map_room = room;
        guards->map_budget = budget < COUNT_EVERY ? budget : COUNT_EVERY;
        guards->refused_ns = room == 0 ? now : 0;
    }
    size_t granted = wanted < guards->map_budget ? wanted : guards->map_budget;
    guards->map_budget -= granted;
    guards->map_room -= granted;
    return granted;
}

/* How many guards still fit; when none, why says so. */
static size_t count_room(uva__guards_t *guards) {
    size_t limit = uva__guards_map_limit();
    size_t maps = uva__guards_count_maps();
    /* Without /proc the others are unknown: half of the limit is theirs. */
    if (maps == 0)
        maps = limit / 2 + guards->protected_count * MAPS_PER_GUARD;
    size_t margin = limit / 8 > MAPS_FOR_OTHERS ? limit / 8 : MAPS_FOR_OTHERS;
    if (limit > margin && maps + MAPS_PER_GUARD <= limit - margin)
        return (limit - margin - maps) / MAPS_PER_GUARD;
    snprintf(guards->why, sizeof guards->why,
             "the kernel's limit of memory maps is near: vm.max_map_count is "
             "%zu, %zu are in use, and the guard of each task stack costs two "
             "here (%s). Raise it (sysctl -w vm.max_map_count=%zu), or let "
             "fewer tasks live at once",
             limit, maps, guards->note != NULL ? guards->note : "mprotect",
             limit < 262144 ? (size_t)1048576 : limit * 4);
    return 0;
}

bool uva__guards_maps_exhausted(uva__guards_t *guards) {
    return count_room(guards) == 0;
}

size_t uva__guards_count_maps(void) {
    /* A task's stack may be what we stand on, so the buffer is small; the
     * kernel hands out no more than a page at a time anyway. */
    char buffer[4096];
    size_t lines = 0;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    for (;;) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            lines += buffer[i] == '\n';
    }
    close(fd);
    return lines;
}

size_t uva__guards_map_limit(void) {
    char buffer[32];
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return DEFAULT_MAP_LIMIT;
    ssize_t got = read(fd, buffer, sizeof buffer - 1);
    close(fd);
    if (got <= 0)
        return DEFAULT_MAP_LIMIT;
    buffer[got] = '\0';
    unsigned long limit = strtoul(buffer, NULL, 10);
    return limit > 0 ? limit : DEFAULT_MAP_LIMIT;
}
