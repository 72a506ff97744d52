/*
 * The machine's description, through libuv's portable calls.
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <uvawait.h>

/* The build passes the flags; a benchmark compiled by hand does not know. */
#ifndef BENCH_FLAGS
#define BENCH_FLAGS "unknown flags"
#endif

static void find_cpu(bench_machine_t *machine) {
    uv_cpu_info_t *cpus;
    int count;

    strcpy(machine->cpu, "unknown");
    machine->cores = uv_available_parallelism();
    if (uv_cpu_info(&cpus, &count) < 0)
        return;
    if (count > 0)
        snprintf(machine->cpu, sizeof(machine->cpu), "%s", cpus[0].model);
    uv_free_cpu_info(cpus, count);
}

static void find_system(bench_machine_t *machine) {
    uv_utsname_t name;
    double loads[3];

    strcpy(machine->system, "unknown");
    if (uv_os_uname(&name) == 0)
        snprintf(machine->system, sizeof(machine->system), "%.60s %.60s",
                 name.sysname, name.release);
    machine->memory_gib =
        (double)uv_get_total_memory() / (1024.0 * 1024.0 * 1024.0);
    uv_loadavg(loads);
    machine->load = loads[0];
}

static void find_compiler(bench_machine_t *machine) {
#if defined(__clang__)
    snprintf(machine->compiler, sizeof(machine->compiler), "clang %d.%d.%d",
             __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
    snprintf(machine->compiler, sizeof(machine->compiler), "gcc %d.%d.%d",
             __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
    strcpy(machine->compiler, "unknown");
#endif
}

void bench_machine_init(bench_machine_t *machine) {
    memset(machine, 0, sizeof(*machine));
    find_cpu(machine);
    find_system(machine);
    find_compiler(machine);
    machine->flags = BENCH_FLAGS;
    machine->libuv = uv_version_string();
    machine->library = uva_version();
}

void bench_machine_print(const bench_machine_t *machine, FILE *out) {
    fprintf(out, "%s, %u core%s, %.1f GiB, %s, load %.2f\n", machine->cpu,
            machine->cores, machine->cores == 1 ? "" : "s", machine->memory_gib,
            machine->system, machine->load);
    fprintf(out, "uvawait %s, libuv %s, %s, %s\n", machine->library,
            machine->libuv, machine->compiler, machine->flags);
}

json_t *bench_machine_json(const bench_machine_t *machine) {
    return json_pack("{s:s, s:i, s:s, s:f, s:f, s:s, s:s, s:s, s:s}", "cpu",
                     machine->cpu, "cores", (int)machine->cores, "system",
                     machine->system, "memory_gib", machine->memory_gib,
                     "load_average", machine->load, "compiler",
                     machine->compiler, "flags", machine->flags, "libuv",
                     machine->libuv, "uvawait", machine->library);
}
