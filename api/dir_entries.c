/*
 * What: a directory's entries as a generator.
 */
#include "uvawait/dir.h"
#include "uvawait/generator.h"

static int emit_entries(void *arg) {
    const char *path = arg;
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    int code = uva_dir_open(path, &dir);
    if (code < 0)
        return code;
    while ((code = uva_dir_next(dir, &entry)) > 0) {
        code = uva_emit(&entry);
        if (code < 0)
            break;
    }
    uva_dir_close(dir);
    return code;
}

uva_generator_t *uva_dir_entries_at(const char *site, const char *path) {
    return uva_generate_at(site, emit_entries, (void *)(uintptr_t)path,
                           sizeof(uv_dirent_t));
}

uva_generator_t *(uva_dir_entries)(const char *path) {
    return uva_dir_entries_at(NULL, path);
}
