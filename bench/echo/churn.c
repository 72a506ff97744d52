#include "churn.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/harness/measure.h"
#include "server.h"

enum { WARM_UP = 2000, AT_ONCE = 100, MOST_GROWTH_KIB = 1024 };

typedef struct standing {
    long rss_kib;
    int descriptors;
} standing_t;

static standing_t look(pid_t pid) {
    standing_t found = {0};
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    while (directory != NULL && readdir(directory) != NULL)
        found.descriptors++;
    if (directory != NULL)
        closedir(directory);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *in = fopen(path, "r");
    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        (void)sscanf(line, "VmRSS: %ld", &found.rss_kib);
    if (in != NULL)
        fclose(in);
    return found;
}

static int open_one(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return bench_wrong("connect: %s", strerror(errno));
    return fd;
}

/* A byte there and back, and a reset: ports are free at once. */
static int use(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    char byte = 'x';
    bool is_good =
        send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    return is_good ? 0 : bench_wrong("no echo: %s", strerror(errno));
}

static int churn(int port, uint64_t connections) {
    int fds[AT_ONCE];
    for (uint64_t done = 0; done < connections; done += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
            fds[i] = open_one(port);
            if (fds[i] < 0)
                return fds[i];
        }
        for (int i = 0; i < AT_ONCE; i++) {
            if (use(fds[i]) < 0)
                return -1;
        }
    }
    (void)usleep(200000); /* until it has seen the last reset */
    return 0;
}

int churn_show(uint64_t connections) {
    pid_t pid = -1;
    int port = server_start(&servers[0], NULL, &pid);
    if (port < 0)
        return port;
    int code = churn(port, WARM_UP);
    standing_t before = look(pid);
    uint64_t start = bench_now_ns();
    if (code == 0)
        code = churn(port, connections);
    double seconds = (double)(bench_now_ns() - start) / 1e9;
    standing_t after = look(pid);
    server_stop(pid);
    if (code < 0)
        return code;
    printf("%llu connections in %.1f s; memory %ld KiB before, %ld KiB after; "
           "descriptors %d before, %d after\n",
           (unsigned long long)connections, seconds, before.rss_kib,
           after.rss_kib, before.descriptors, after.descriptors);
    if (after.descriptors != before.descriptors ||
        after.rss_kib > before.rss_kib + MOST_GROWTH_KIB)
        return bench_wrong("something is left of them");
    return 0;
}
