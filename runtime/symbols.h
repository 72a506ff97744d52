/*
 * What code an address belongs to, in words, for backtraces that are read in
 * this process about this process.
 */
#ifndef UVA__SYMBOLS_H
#define UVA__SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct uva__symbols uva__symbols_t;

/* What code is mapped now; NULL without memory, or where nothing tells. */
uva__symbols_t *uva__symbols_load(void);
void uva__symbols_free(uva__symbols_t *symbols);

/* Whether code is mapped there. */
bool uva__symbols_has(const uva__symbols_t *symbols, uintptr_t address);

typedef struct uva__symbol {
    char function[96];  /* "" where it has no name */
    uintptr_t offset;   /* from its begin; with function */
    const char *module; /* the file's last name; borrowed from the symbols */
    uintptr_t at;       /* in the module, as addr2line wants it */
} uva__symbol_t;

/* False: there is no code. */
bool uva__symbols_find(const uva__symbols_t *symbols, uintptr_t address,
                       uva__symbol_t *ret_symbol);

#endif
