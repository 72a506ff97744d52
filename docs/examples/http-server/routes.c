/*
 * What: a table of paths; what is not in it is a file.
 */
#include "routes.h"

#include "json_api.h"
#include "response.h"
#include "static_files.h"

static int hello(connection_t *connection) {
    return response_send(connection, 200, "text/plain",
                         TEXT("Hello, world!\n"));
}

typedef struct route {
    text_t path;
    llhttp_method_t method; /* GET means HEAD as well */
    int (*answer)(connection_t *connection);
} route_t;

/* clang-format off */
#define PATH(literal) { literal, sizeof(literal) - 1 }
static const route_t routes[] = {
    {PATH("/hello"), HTTP_GET, hello},
    {PATH("/api/stats"), HTTP_GET, json_api_stats},
    {PATH("/api/echo"), HTTP_POST, json_api_echo},
};
/* clang-format on */

static bool allows(llhttp_method_t allowed, llhttp_method_t method) {
    return method == allowed || (method == HTTP_HEAD && allowed == HTTP_GET);
}

static int refuse_method(connection_t *connection, llhttp_method_t allowed) {
    return response_error_with(connection, 405,
                               allowed == HTTP_POST
                                   ? TEXT("Allow: POST\r\n")
                                   : TEXT("Allow: GET, HEAD\r\n"));
}

int route(connection_t *connection) {
    const request_t *request = &connection->request;
    llhttp_method_t method = request_method(request);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!text_equal(routes[i].path, request->path))
            continue;
        if (!allows(routes[i].method, method))
            return refuse_method(connection, routes[i].method);
        return routes[i].answer(connection);
    }
    if (!allows(HTTP_GET, method))
        return refuse_method(connection, HTTP_GET);
    return static_files_answer(connection);
}
