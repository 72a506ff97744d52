/*
 * Standard input as a stream.
 */
#ifndef INPUT_H
#define INPUT_H

#include <uvawait.h>

/* 0 or a code; *ret_stream is new: uva_stream_close(). */
int input_open(uva_stream_t **ret_stream);

#endif
