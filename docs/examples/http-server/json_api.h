/*
 * The answers in JSON.
 */
#ifndef HTTP_JSON_API_H
#define HTTP_JSON_API_H

#include "connection.h"

/* GET /api/stats: what the server has done. */
int json_api_stats(connection_t *connection);

/* POST /api/echo: the JSON that was sent, back in its shortest form; 400 with
 * the place of the mistake for what is none. */
int json_api_echo(connection_t *connection);

#endif
