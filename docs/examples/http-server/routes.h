/*
 * Who answers which request.
 */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include "connection.h"

/* Answers the connection's request: 0, or a code when the connection is
 * over. */
int route(connection_t *connection);

#endif
