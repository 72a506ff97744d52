/*
 * faults_list.h - every function whose calls tests can count and make fail.
 *
 * One line each: WRAP_<kind>(NAME, symbol, parameters, arguments). The build
 * reads this file for the linker's --wrap options, and faults.h and faults.c
 * include it for FAULT_<NAME> and the wrapper itself, so that a new libuv
 * function is one line here and nothing elsewhere.
 *
 *   WRAP_OWN   has a wrapper written by hand in faults.c
 *   WRAP_INT   returns int; fails by returning the code
 *   WRAP_VOID  returns nothing: counted only
 *   WRAP_U64   returns uint64_t: counted only
 *
 * Included several times on purpose, hence no guard.
 */
/* clang-format off */
WRAP_OWN(MALLOC, malloc)
WRAP_OWN(CALLOC, calloc)
WRAP_OWN(REALLOC, realloc)
WRAP_OWN(FREE, free)
WRAP_OWN(STRDUP, strdup)
WRAP_OWN(STRNDUP, strndup)
WRAP_OWN(ALIGNED_ALLOC, aligned_alloc)
WRAP_OWN(POSIX_MEMALIGN, posix_memalign)
WRAP_OWN(MMAP, mmap)
WRAP_OWN(MUNMAP, munmap)
WRAP_OWN(MADVISE, madvise)
WRAP_OWN(MPROTECT, mprotect)
WRAP_INT(UV_LOOP_INIT, uv_loop_init,
    (uv_loop_t *a), (a))
WRAP_INT(UV_LOOP_CLOSE, uv_loop_close,
    (uv_loop_t *a), (a))
WRAP_INT(UV_RUN, uv_run,
    (uv_loop_t *a, uv_run_mode b), (a, b))
WRAP_U64(UV_NOW, uv_now,
    (const uv_loop_t *a), (a))
WRAP_U64(UV_HRTIME, uv_hrtime,
    (void), ())
WRAP_VOID(UV_UPDATE_TIME, uv_update_time,
    (uv_loop_t *a), (a))
WRAP_VOID(UV_CLOSE, uv_close,
    (uv_handle_t *a, uv_close_cb b), (a, b))
WRAP_INT(UV_TIMER_INIT, uv_timer_init,
    (uv_loop_t *a, uv_timer_t *b), (a, b))
WRAP_INT(UV_TIMER_START, uv_timer_start,
    (uv_timer_t *a, uv_timer_cb b, uint64_t c, uint64_t d), (a, b, c, d))
WRAP_INT(UV_TIMER_STOP, uv_timer_stop,
    (uv_timer_t *a), (a))
WRAP_INT(UV_PREPARE_INIT, uv_prepare_init,
    (uv_loop_t *a, uv_prepare_t *b), (a, b))
WRAP_INT(UV_PREPARE_START, uv_prepare_start,
    (uv_prepare_t *a, uv_prepare_cb b), (a, b))
WRAP_INT(UV_PREPARE_STOP, uv_prepare_stop,
    (uv_prepare_t *a), (a))
WRAP_INT(UV_CHECK_INIT, uv_check_init,
    (uv_loop_t *a, uv_check_t *b), (a, b))
WRAP_INT(UV_CHECK_START, uv_check_start,
    (uv_check_t *a, uv_check_cb b), (a, b))
WRAP_INT(UV_CHECK_STOP, uv_check_stop,
    (uv_check_t *a), (a))
WRAP_INT(UV_IDLE_INIT, uv_idle_init,
    (uv_loop_t *a, uv_idle_t *b), (a, b))
WRAP_INT(UV_IDLE_START, uv_idle_start,
    (uv_idle_t *a, uv_idle_cb b), (a, b))
WRAP_INT(UV_IDLE_STOP, uv_idle_stop,
    (uv_idle_t *a), (a))
WRAP_INT(UV_ASYNC_INIT, uv_async_init,
    (uv_loop_t *a, uv_async_t *b, uv_async_cb c), (a, b, c))
WRAP_INT(UV_ASYNC_SEND, uv_async_send,
    (uv_async_t *a), (a))
WRAP_INT(UV_QUEUE_WORK, uv_queue_work,
    (uv_loop_t *a, uv_work_t *b, uv_work_cb c, uv_after_work_cb d),
    (a, b, c, d))
WRAP_INT(UV_CANCEL, uv_cancel,
    (uv_req_t *a), (a))
WRAP_INT(UV_MUTEX_INIT, uv_mutex_init,
    (uv_mutex_t *a), (a))
WRAP_INT(UV_SEM_INIT, uv_sem_init,
    (uv_sem_t *a, unsigned int b), (a, b))
WRAP_INT(UV_COND_INIT, uv_cond_init,
    (uv_cond_t *a), (a))
WRAP_INT(UV_THREAD_CREATE, uv_thread_create,
    (uv_thread_t *a, uv_thread_cb b, void *c), (a, b, c))
WRAP_INT(UV_TCP_INIT, uv_tcp_init,
    (uv_loop_t *a, uv_tcp_t *b), (a, b))
WRAP_INT(UV_TCP_BIND, uv_tcp_bind,
    (uv_tcp_t *a, const struct sockaddr *b, unsigned int c), (a, b, c))
WRAP_INT(UV_TCP_CONNECT, uv_tcp_connect,
    (uv_connect_t *a, uv_tcp_t *b, const struct sockaddr *c, uv_connect_cb d),
    (a, b, c, d))
WRAP_INT(UV_TCP_NODELAY, uv_tcp_nodelay,
    (uv_tcp_t *a, int b), (a, b))
WRAP_INT(UV_TCP_GETSOCKNAME, uv_tcp_getsockname,
    (const uv_tcp_t *a, struct sockaddr *b, int *c), (a, b, c))
WRAP_INT(UV_LISTEN, uv_listen,
    (uv_stream_t *a, int b, uv_connection_cb c), (a, b, c))
WRAP_INT(UV_ACCEPT, uv_accept,
    (uv_stream_t *a, uv_stream_t *b), (a, b))
WRAP_INT(UV_READ_START, uv_read_start,
    (uv_stream_t *a, uv_alloc_cb b, uv_read_cb c), (a, b, c))
WRAP_INT(UV_READ_STOP, uv_read_stop,
    (uv_stream_t *a), (a))
WRAP_INT(UV_WRITE, uv_write,
    (uv_write_t *a, uv_stream_t *b, const uv_buf_t *c, unsigned int d,
     uv_write_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_TRY_WRITE, uv_try_write,
    (uv_stream_t *a, const uv_buf_t *b, unsigned int c), (a, b, c))
WRAP_INT(UV_SHUTDOWN, uv_shutdown,
    (uv_shutdown_t *a, uv_stream_t *b, uv_shutdown_cb c), (a, b, c))
WRAP_INT(UV_GETADDRINFO, uv_getaddrinfo,
    (uv_loop_t *a, uv_getaddrinfo_t *b, uv_getaddrinfo_cb c, const char *d,
     const char *e, const struct addrinfo *f),
    (a, b, c, d, e, f))
WRAP_INT(UV_PIPE_INIT, uv_pipe_init,
    (uv_loop_t *a, uv_pipe_t *b, int c), (a, b, c))
WRAP_INT(UV_PIPE_BIND, uv_pipe_bind,
    (uv_pipe_t *a, const char *b), (a, b))
WRAP_VOID(UV_PIPE_CONNECT, uv_pipe_connect,
    (uv_connect_t *a, uv_pipe_t *b, const char *c, uv_connect_cb d),
    (a, b, c, d))
WRAP_INT(UV_TCP_OPEN, uv_tcp_open,
    (uv_tcp_t *a, uv_os_sock_t b), (a, b))
WRAP_INT(UV_PIPE_OPEN, uv_pipe_open,
    (uv_pipe_t *a, uv_file b), (a, b))
WRAP_INT(UV_FILENO, uv_fileno,
    (const uv_handle_t *a, uv_os_fd_t *b), (a, b))
WRAP_INT(UV_POLL_INIT, uv_poll_init,
    (uv_loop_t *a, uv_poll_t *b, int c), (a, b, c))
WRAP_INT(UV_POLL_START, uv_poll_start,
    (uv_poll_t *a, int b, uv_poll_cb c), (a, b, c))
WRAP_INT(UV_POLL_STOP, uv_poll_stop,
    (uv_poll_t *a), (a))
WRAP_INT(UV_IP4_ADDR, uv_ip4_addr,
    (const char *a, int b, struct sockaddr_in *c), (a, b, c))
WRAP_INT(UV_IP6_ADDR, uv_ip6_addr,
    (const char *a, int b, struct sockaddr_in6 *c), (a, b, c))
/* clang-format on */
