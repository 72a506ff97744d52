/**
 * How much memory this process has.
 */
#ifndef BENCH_RSS_H
#define BENCH_RSS_H

#include <stdint.h>

/* Gives freed memory of the heap back to the kernel where that is possible, so
 * that what is allocated next shows in bench_rss(). */
void bench_rss_settle(void);

/* Resident memory in bytes, without page tables; 0 where it cannot be known.
 * The kernel batches its counters per thread: off by some hundred KiB. */
uint64_t bench_rss(void);

/* The page tables alone, in bytes. */
uint64_t bench_page_tables(void);

#endif
