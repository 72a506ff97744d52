#include "peer.h"

#include <stdlib.h>

enum { COMMAND_BYTES = 1024 };

static int run(bench_job_t *job, const char *program, const char *workload) {
    char command[COMMAND_BYTES];
    char line[64] = "";
    int length = snprintf(command, sizeof command, "%s %s %llu", program,
                          workload, (unsigned long long)job->operations);
    if (length < 0 || (size_t)length >= sizeof command)
        return UV_ENAMETOOLONG;
    FILE *out = popen(command, "r");
    if (out == NULL)
        return bench_wrong("%s does not start", command);
    bool is_read = fgets(line, sizeof line, out) != NULL;
    int status = pclose(out);
    char *end = line;
    job->value = strtod(line, &end);
    if (!is_read || status != 0 || end == line)
        return bench_wrong("%s failed", command);
    return 0;
}

#ifdef BENCH_GO_PEER
int peer_go(bench_job_t *job, const char *workload) {
    return run(job, BENCH_GO_PEER, workload);
}
#endif

#ifdef BENCH_PYTHON
int peer_python(bench_job_t *job, const char *workload) {
    return run(job, BENCH_PYTHON " " BENCH_PEERS "/sync.py", workload);
}
#endif
