/* labels: valgrind */
/* What code an address belongs to, by what the files say, whatever they are. */
#include "support/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/symbols.h"

__attribute__((noinline)) static int some_function(void) {
    return (int)getpid();
}

static uva__symbol_t find(uintptr_t address) {
    uva__symbol_t symbol = {.module = NULL};
    uva__symbols_t *symbols = uva__symbols_load();
    ck_assert_ptr_nonnull(symbols);
    bool found = uva__symbols_find(symbols, address, &symbol);
    ck_assert_int_eq(found, uva__symbols_has(symbols, address));
    /* It is borrowed. */
    static char module[64];
    snprintf(module, sizeof module, "%s", found ? symbol.module : "");
    symbol.module = module;
    uva__symbols_free(symbols);
    return symbol;
}

START_TEST(symbols_name_functions) {
    uva__symbol_t symbol = find((uintptr_t)some_function + 1);
    ck_assert_str_eq(symbol.function, "some_function");
    ck_assert_uint_eq(symbol.offset, 1);
    ck_assert_str_eq(symbol.module, "test_symbols");
    symbol = find((uintptr_t)uva__symbols_load);
    ck_assert_str_eq(symbol.function, "uva__symbols_load");
}
END_TEST

START_TEST(symbols_are_not_where_no_code_is) {
    int here = 0;
    ck_assert_str_eq(find(0).module, "");
    ck_assert_str_eq(find((uintptr_t)&here).module, "");
    uva__symbols_free(NULL);
}
END_TEST

START_TEST(symbols_without_memory) {
    faults_fail(FAULT_CALLOC, 1);
    ck_assert_ptr_null(uva__symbols_load());
    ck_assert_uint_eq(faults_clear(), 1);
    faults_fail(FAULT_REALLOC, 1);
    ck_assert_ptr_null(uva__symbols_load());
    ck_assert_uint_eq(faults_clear(), 1);
    faults_fail(FAULT_MMAP, 1);
    ck_assert_str_eq(find((uintptr_t)some_function).function, "");
    ck_assert_uint_eq(faults_clear(), 1);
}
END_TEST

/* What is mapped from a file whose head is like ours, with one byte after the
 * other spoilt, or cut off behind. */
static void find_in_spoilt(const char *head, size_t length, size_t spoilt) {
    char path[] = "/tmp/uva-symbols-"
                  "XX"
                  "XX"
                  "XX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    char bytes[4096];
    memcpy(bytes, head, length);
    if (spoilt < length)
        bytes[spoilt] = (char)0xEF;
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    ck_assert_ptr_ne(code, MAP_FAILED);
    uva__symbol_t symbol = find((uintptr_t)code + 5);
    ck_assert_ptr_nonnull(strstr(symbol.module, "uva-symbols-"));
    ck_assert_str_eq(symbol.function, "");
    munmap(code, 4096);
    close(fd);
    unlink(path);
}

START_TEST(symbols_bear_any_file) {
    char head[4096];
    int fd = open("/proc/self/exe", O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(read(fd, head, sizeof head), (ssize_t)sizeof head);
    close(fd);
    for (size_t i = 0; i < 64; i++) {
        find_in_spoilt(head, sizeof head, i);
        find_in_spoilt(head, i * 8 + 1, SIZE_MAX);
    }
}
END_TEST

SUITE("symbols", symbols_name_functions, symbols_are_not_where_no_code_is,
      symbols_without_memory, symbols_bear_any_file)
