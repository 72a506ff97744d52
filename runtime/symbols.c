/*
 * What: names for addresses: the function, the file that it was loaded from,
 * and the place in that file.
 *
 * How: /proc/self/maps says what is mapped from where; the symbol tables are
 * read from the files themselves, so that static functions have names too.
 *
 * Rejected: dladdr(), which knows exported names only, and takes the dynamic
 * linker's lock: a thread that blocks inside dlopen() may hold it, and it is
 * just blocked threads that this is about. backtrace_symbols(), for the same.
 */
#include "symbols.h"

#if defined(__linux__)

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct map {
    uintptr_t first;
    uintptr_t end;
    uintptr_t offset; /* of first, in the file */
    char path[256];   /* "[vdso]" and the like, or "", where there is none */
} map_t;

struct uva__symbols {
    size_t count;
    size_t capacity;
    map_t *maps; /* of code */
};

/* Room for one more; NULL without memory. */
static map_t *add_map(uva__symbols_t *symbols) {
    if (symbols->count == symbols->capacity) {
        size_t capacity = symbols->capacity * 2 + 16;
        map_t *maps = realloc(symbols->maps, capacity * sizeof *maps);
        if (maps == NULL)
            return NULL;
        symbols->maps = maps;
        symbols->capacity = capacity;
    }
    return &symbols->maps[symbols->count];
}

/* One line of /proc/self/maps; false without memory. */
static bool read_map(uva__symbols_t *symbols, const char *line) {
    unsigned long long first = 0;
    unsigned long long end = 0;
    unsigned long long offset = 0;
    char rights[5] = "";
    int path = 0;
    if (sscanf(line, "%llx-%llx %4s %llx %*s %*s %n", &first, &end, rights,
               &offset, &path) != 4 ||
        strchr(rights, 'x') == NULL)
        return true;
    map_t *map = add_map(symbols);
    if (map == NULL)
        return false;
    map->first = (uintptr_t)first;
    map->end = (uintptr_t)end;
    map->offset = (uintptr_t)offset;
    (void)snprintf(map->path, sizeof map->path, "%.*s",
                   (int)strcspn(line + path, "\n"), line + path);
    symbols->count++;
    return true;
}

uva__symbols_t *uva__symbols_load(void) {
    FILE *file = fopen("/proc/self/maps", "re");
    if (file == NULL)
        return NULL;
    uva__symbols_t *symbols = calloc(1, sizeof *symbols);
    bool fine = symbols != NULL;
    char line[512];
    while (fine && fgets(line, sizeof line, file) != NULL)
        fine = read_map(symbols, line);
    (void)fclose(file);
    if (fine)
        return symbols;
    uva__symbols_free(symbols);
    return NULL;
}

void uva__symbols_free(uva__symbols_t *symbols) {
    if (symbols == NULL)
        return;
    free(symbols->maps);
    free(symbols);
}

static const map_t *map_at(const uva__symbols_t *symbols, uintptr_t address) {
    for (size_t i = 0; i < symbols->count; i++) {
        const map_t *map = &symbols->maps[i];
        if (address >= map->first && address < map->end)
            return map;
    }
    return NULL;
}

bool uva__symbols_has(const uva__symbols_t *symbols, uintptr_t address) {
    return map_at(symbols, address) != NULL;
}

/* ---- one file ----------------------------------------------------------- */

/* A file as it lies on the disk, which need not be what was loaded once, nor
 * any proper file: whatever it says is measured against its length. */
typedef struct image {
    const char *bytes;
    size_t length;
} image_t;

/* What lies at an offset, or NULL if that is not all in the file. */
static const void *part(const image_t *image, uint64_t offset, uint64_t bytes) {
    if (offset > image->length || bytes > image->length - offset)
        return NULL;
    return image->bytes + offset;
}

/* The same for tables, which lie where their entries can be read. */
static const void *table(const image_t *image, uint64_t offset,
                         uint64_t bytes) {
    return offset % sizeof(uintptr_t) == 0 ? part(image, offset, bytes) : NULL;
}

static const ElfW(Ehdr) * header_of(const image_t *image) {
    const ElfW(Ehdr) *header = part(image, 0, sizeof *header);
    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? 2 : 1))
        return NULL;
    return header;
}

/* The address, in the file's own terms, of what lies at an offset of it. */
static uintptr_t address_in(const image_t *image, uintptr_t offset) {
    const ElfW(Ehdr) *header = header_of(image);
    if (header == NULL)
        return offset;
    const ElfW(Phdr) *segments =
        table(image, header->e_phoff, header->e_phnum * sizeof *segments);
    for (size_t i = 0; segments != NULL && i < header->e_phnum; i++) {
        const ElfW(Phdr) *segment = &segments[i];
        if (segment->p_type == PT_LOAD && offset >= segment->p_offset &&
            offset - segment->p_offset < segment->p_filesz)
            return offset - segment->p_offset + segment->p_vaddr;
    }
    return offset;
}

/* Looks for the function in one table of symbols. Of two names for one
 * function the one without an underscore in front is what people wrote. */
static bool find_in(const image_t *image, const ElfW(Shdr) * entries,
                    const ElfW(Shdr) * texts, uva__symbol_t *ret_symbol) {
    const ElfW(Sym) *symbols =
        table(image, entries->sh_offset, entries->sh_size);
    const char *chars = part(image, texts->sh_offset, texts->sh_size);
    size_t count = symbols != NULL ? entries->sh_size / sizeof *symbols : 0;
    bool found = false;
    for (size_t i = 0; chars != NULL && i < count; i++) {
        const ElfW(Sym) *symbol = &symbols[i];
        if ((symbol->st_info & 15) != STT_FUNC || symbol->st_shndx == 0 ||
            ret_symbol->at - symbol->st_value >= symbol->st_size ||
            symbol->st_name >= texts->sh_size ||
            (found && chars[symbol->st_name] == '_'))
            continue;
        size_t most = texts->sh_size - symbol->st_name;
        (void)snprintf(ret_symbol->function, sizeof ret_symbol->function,
                       "%.*s", most > 95 ? 95 : (int)most,
                       chars + symbol->st_name);
        ret_symbol->offset = ret_symbol->at - symbol->st_value;
        found = true;
    }
    return found;
}

/* Of all functions, if the file has been stripped of them: of the exported. */
static void find_function(const image_t *image, uva__symbol_t *ret_symbol) {
    const ElfW(Ehdr) *header = header_of(image);
    if (header == NULL)
        return;
    const ElfW(Shdr) *sections =
        table(image, header->e_shoff, header->e_shnum * sizeof *sections);
    static const uint32_t kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
    for (size_t k = 0; sections != NULL && k < 2; k++) {
        for (size_t i = 0; i < header->e_shnum; i++) {
            if (sections[i].sh_type == kinds[k] &&
                sections[i].sh_link < header->e_shnum &&
                find_in(image, &sections[i], &sections[sections[i].sh_link],
                        ret_symbol))
                return;
        }
    }
}

static bool map_file(const char *path, image_t *ret_image) {
    if (path[0] != '/')
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct stat status;
    void *bytes = MAP_FAILED;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size > 0) {
        ret_image->length = (size_t)status.st_size;
        bytes = mmap(NULL, ret_image->length, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    (void)close(fd);
    ret_image->bytes = bytes;
    return bytes != MAP_FAILED;
}

bool uva__symbols_find(const uva__symbols_t *symbols, uintptr_t address,
                       uva__symbol_t *ret_symbol) {
    const map_t *map = map_at(symbols, address);
    if (map == NULL)
        return false;
    const char *slash = strrchr(map->path, '/');
    *ret_symbol =
        (uva__symbol_t){.module = slash != NULL ? slash + 1 : map->path,
                        .at = address - map->first + map->offset};
    image_t image;
    if (!map_file(map->path, &image))
        return true;
    ret_symbol->at = address_in(&image, ret_symbol->at);
    find_function(&image, ret_symbol);
    (void)munmap((void *)(uintptr_t)image.bytes, image.length);
    return true;
}

#else

uva__symbols_t *uva__symbols_load(void) {
    return NULL;
}

void uva__symbols_free(uva__symbols_t *symbols) {
    (void)symbols;
}

bool uva__symbols_has(const uva__symbols_t *symbols, uintptr_t address) {
    (void)symbols;
    (void)address;
    return false;
}

bool uva__symbols_find(const uva__symbols_t *symbols, uintptr_t address,
                       uva__symbol_t *ret_symbol) {
    (void)symbols;
    (void)address;
    (void)ret_symbol;
    return false;
}

#endif
