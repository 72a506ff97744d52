/**
 * The system calls of each echo server for a request, counted by strace.
 */
#ifndef ECHO_SYSCALLS_H
#define ECHO_SYSCALLS_H

/* Prints a table. 0, or a negative code after a line of bench_wrong(). */
int syscalls_show(void);

#endif
