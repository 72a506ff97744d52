/*
 * What: directories, read entry by entry.
 *
 * How: a batch of entries is fetched by one request to the file system (fs.c),
 * which lies in the directory, because the names of the batch are its. A
 * directory that is closed while a task fetches is freed by that task, when
 * the job that works on it is over.
 */
#include "fs.h"
#include "open.h"

#include <stdlib.h>

#include "../report.h"
#include "../task.h"
#include "uvawait/dir.h"

enum { BATCH = 64 };

struct uva_dir {
    uva_runtime_t *runtime;
    uva__resource_t resource;
    uv_dir_t *dir;
    uva__fs_t fs; /* holds the names of the entries */
    bool is_used; /* a task is in uva_dir_next() */
    bool closing;
    size_t next;  /* of the entries, the first that nobody has had */
    size_t count; /* how many were fetched */
    uv_dirent_t entries[BATCH];
};

/* On this thread: it frees memory and closes a descriptor. */
static void release(uva_dir_t *dir) {
    uv_fs_t request = {0};
    uva__fs_end(&dir->fs);
    (void)uv_fs_closedir(NULL, &request, dir->dir, NULL);
    uv_fs_req_cleanup(&request);
    free(dir);
}

static void close_resource(uva__resource_t *resource) {
    uva_dir_close(UVA__OF(resource, uva_dir_t, resource));
}

void uva_dir_close(uva_dir_t *dir) {
    if (dir == NULL ||
        !uva__may_close(dir->runtime, "uva_dir_close", &dir->closing))
        return;
    uva__list_remove(&dir->runtime->resources, &dir->resource.link);
    if (!dir->is_used)
        release(dir);
}

/* Opens the directory into `dir`. */
static int open_into(uva_dir_t *dir, const char *path) {
    uva__fs_t *fs = &dir->fs;
    int code = uva__fs_begin(fs, "uva_dir_open", true);
    if (code == 0)
        code = uv_fs_opendir(fs->loop, &fs->request, path, uva__fs_done);
    code = (int)uva__fs_wait(fs, code);
    dir->dir = code == 0 ? fs->request.ptr : NULL;
    uva__fs_end(fs);
    return code;
}

int uva_dir_open_at(const char *site, const char *path, uva_dir_t **ret_dir) {
    uva__task_t *task = uva__running("uva_dir_open");
    if (task == NULL)
        return UV_EPERM;
    if (path == NULL || ret_dir == NULL)
        return UV_EINVAL;
    uva_dir_t *dir = malloc(sizeof *dir);
    if (dir == NULL)
        return UV_ENOMEM;
    *dir = (uva_dir_t){.runtime = task->future.runtime};
    int code = open_into(dir, path);
    if (code < 0) {
        free(dir);
        return code;
    }
    uva__open_resource(dir->runtime, &dir->resource, "directory", site,
                       close_resource);
    *ret_dir = dir;
    return 0;
}

int(uva_dir_open)(const char *path, uva_dir_t **ret_dir) {
    return uva_dir_open_at(NULL, path, ret_dir);
}

static int fetch(uva_dir_t *dir) {
    uva__fs_t *fs = &dir->fs;
    uva__fs_end(fs);
    dir->next = dir->count = 0;
    dir->dir->dirents = dir->entries;
    dir->dir->nentries = BATCH;
    int code = uva__fs_begin(fs, "uva_dir_next", true);
    if (code == 0)
        code = uv_fs_readdir(fs->loop, &fs->request, dir->dir, uva__fs_done);
    ssize_t count = uva__fs_wait(fs, code);
    if (count < 0)
        return (int)count;
    dir->count = (size_t)count;
    return 0;
}

static int next_in(uva__task_t *task, uva_dir_t *dir, uv_dirent_t *ret_entry) {
    int code = dir->next < dir->count ? uva__spend(task) : fetch(dir);
    if (dir->closing)
        return UV_ECANCELED;
    if (code < 0 || dir->next == dir->count)
        return code;
    *ret_entry = dir->entries[dir->next++];
    return 1;
}

int uva_dir_next(uva_dir_t *dir, uv_dirent_t *ret_entry) {
    uva__task_t *task = uva__running("uva_dir_next");
    if (task == NULL)
        return UV_EPERM;
    if (dir == NULL || ret_entry == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(dir->runtime, "uva_dir_next");
    if (code < 0)
        return code;
    if (dir->is_used)
        return UV_EBUSY;
    dir->is_used = true;
    code = next_in(task, dir, ret_entry);
    dir->is_used = false;
    if (dir->closing)
        release(dir);
    return code;
}
