/*
 * Files below the document root.
 */
#ifndef HTTP_STATIC_FILES_H
#define HTTP_STATIC_FILES_H

#include "connection.h"

/* Answers GET and HEAD with the file that the path names. */
int static_files_answer(connection_t *connection);

#endif
