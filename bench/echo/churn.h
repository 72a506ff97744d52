/**
 * Connections that come and go, and what is left of them.
 */
#ifndef ECHO_CHURN_H
#define ECHO_CHURN_H

#include <stdint.h>

/* Opens and closes so many connections to uvawait's server, one echo each, and
 * prints its memory and descriptors before and after. A code below 0, after a
 * line of bench_wrong(), when descriptors are left or it has grown by more than
 * 1 MiB. */
int churn_show(uint64_t connections);

#endif
