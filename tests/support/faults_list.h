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
WRAP_INT(UV_MUTEX_INIT_RECURSIVE, uv_mutex_init_recursive,
    (uv_mutex_t *a), (a))
WRAP_INT(UV_SEM_INIT, uv_sem_init,
    (uv_sem_t *a, unsigned int b), (a, b))
WRAP_INT(UV_COND_INIT, uv_cond_init,
    (uv_cond_t *a), (a))
WRAP_INT(UV_THREAD_CREATE, uv_thread_create,
    (uv_thread_t *a, uv_thread_cb b, void *c), (a, b, c))
WRAP_INT(UV_TCP_INIT, uv_tcp_init,
    (uv_loop_t *a, uv_tcp_t *b), (a, b))
WRAP_INT(UV_TCP_INIT_EX, uv_tcp_init_ex,
    (uv_loop_t *a, uv_tcp_t *b, unsigned int c), (a, b, c))
WRAP_INT(UV_TCP_BIND, uv_tcp_bind,
    (uv_tcp_t *a, const struct sockaddr *b, unsigned int c), (a, b, c))
WRAP_INT(UV_TCP_CONNECT, uv_tcp_connect,
    (uv_connect_t *a, uv_tcp_t *b, const struct sockaddr *c, uv_connect_cb d),
    (a, b, c, d))
WRAP_INT(UV_TCP_NODELAY, uv_tcp_nodelay,
    (uv_tcp_t *a, int b), (a, b))
WRAP_INT(UV_TCP_GETSOCKNAME, uv_tcp_getsockname,
    (const uv_tcp_t *a, struct sockaddr *b, int *c), (a, b, c))
WRAP_INT(UV_TCP_KEEPALIVE, uv_tcp_keepalive,
    (uv_tcp_t *a, int b, unsigned int c), (a, b, c))
WRAP_INT(UV_SEND_BUFFER_SIZE, uv_send_buffer_size,
    (uv_handle_t *a, int *b), (a, b))
WRAP_INT(UV_RECV_BUFFER_SIZE, uv_recv_buffer_size,
    (uv_handle_t *a, int *b), (a, b))
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
WRAP_INT(UV_PIPE_CHMOD, uv_pipe_chmod,
    (uv_pipe_t *a, int b), (a, b))
WRAP_VOID(UV_PIPE_CONNECT, uv_pipe_connect,
    (uv_connect_t *a, uv_pipe_t *b, const char *c, uv_connect_cb d),
    (a, b, c, d))
WRAP_INT(UV_TCP_OPEN, uv_tcp_open,
    (uv_tcp_t *a, uv_os_sock_t b), (a, b))
WRAP_INT(UV_PIPE_OPEN, uv_pipe_open,
    (uv_pipe_t *a, uv_file b), (a, b))
WRAP_INT(UV_TTY_INIT, uv_tty_init,
    (uv_loop_t *a, uv_tty_t *b, uv_file c, int d), (a, b, c, d))
WRAP_INT(UV_TTY_SET_MODE, uv_tty_set_mode,
    (uv_tty_t *a, uv_tty_mode_t b), (a, b))
WRAP_INT(UV_TTY_GET_WINSIZE, uv_tty_get_winsize,
    (uv_tty_t *a, int *b, int *c), (a, b, c))
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
WRAP_INT(UV_FS_CLOSE, uv_fs_close,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_OPEN, uv_fs_open,
    (uv_loop_t *a, uv_fs_t *b, const char *c, int d, int e, uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_READ, uv_fs_read,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, const uv_buf_t d[], unsigned int e,
     int64_t f, uv_fs_cb g),
    (a, b, c, d, e, f, g))
WRAP_INT(UV_FS_UNLINK, uv_fs_unlink,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_WRITE, uv_fs_write,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, const uv_buf_t d[], unsigned int e,
     int64_t f, uv_fs_cb g),
    (a, b, c, d, e, f, g))
WRAP_INT(UV_FS_COPYFILE, uv_fs_copyfile,
    (uv_loop_t *a, uv_fs_t *b, const char *c, const char *d, int e, uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_MKDIR, uv_fs_mkdir,
    (uv_loop_t *a, uv_fs_t *b, const char *c, int d, uv_fs_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_FS_MKDTEMP, uv_fs_mkdtemp,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_MKSTEMP, uv_fs_mkstemp,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_RMDIR, uv_fs_rmdir,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_SCANDIR, uv_fs_scandir,
    (uv_loop_t *a, uv_fs_t *b, const char *c, int d, uv_fs_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_FS_SCANDIR_NEXT, uv_fs_scandir_next,
    (uv_fs_t *a, uv_dirent_t *b), (a, b))
WRAP_INT(UV_FS_OPENDIR, uv_fs_opendir,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_READDIR, uv_fs_readdir,
    (uv_loop_t *a, uv_fs_t *b, uv_dir_t *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_CLOSEDIR, uv_fs_closedir,
    (uv_loop_t *a, uv_fs_t *b, uv_dir_t *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_STAT, uv_fs_stat,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_FSTAT, uv_fs_fstat,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_RENAME, uv_fs_rename,
    (uv_loop_t *a, uv_fs_t *b, const char *c, const char *d, uv_fs_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_FS_FSYNC, uv_fs_fsync,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_FDATASYNC, uv_fs_fdatasync,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_FTRUNCATE, uv_fs_ftruncate,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, int64_t d, uv_fs_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_FS_SENDFILE, uv_fs_sendfile,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, uv_file d, int64_t e, size_t f,
     uv_fs_cb g),
    (a, b, c, d, e, f, g))
WRAP_INT(UV_FS_ACCESS, uv_fs_access,
    (uv_loop_t *a, uv_fs_t *b, const char *c, int d, uv_fs_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_FS_CHMOD, uv_fs_chmod,
    (uv_loop_t *a, uv_fs_t *b, const char *c, int d, uv_fs_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_FS_UTIME, uv_fs_utime,
    (uv_loop_t *a, uv_fs_t *b, const char *c, double d, double e, uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_FUTIME, uv_fs_futime,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, double d, double e, uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_LUTIME, uv_fs_lutime,
    (uv_loop_t *a, uv_fs_t *b, const char *c, double d, double e, uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_LSTAT, uv_fs_lstat,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_LINK, uv_fs_link,
    (uv_loop_t *a, uv_fs_t *b, const char *c, const char *d, uv_fs_cb e),
    (a, b, c, d, e))
WRAP_INT(UV_FS_SYMLINK, uv_fs_symlink,
    (uv_loop_t *a, uv_fs_t *b, const char *c, const char *d, int e, uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_READLINK, uv_fs_readlink,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_REALPATH, uv_fs_realpath,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_FCHMOD, uv_fs_fchmod,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, int d, uv_fs_cb e), (a, b, c, d, e))
WRAP_INT(UV_FS_CHOWN, uv_fs_chown,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_uid_t d, uv_gid_t e,
     uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_FCHOWN, uv_fs_fchown,
    (uv_loop_t *a, uv_fs_t *b, uv_file c, uv_uid_t d, uv_gid_t e, uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_LCHOWN, uv_fs_lchown,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_uid_t d, uv_gid_t e,
     uv_fs_cb f),
    (a, b, c, d, e, f))
WRAP_INT(UV_FS_STATFS, uv_fs_statfs,
    (uv_loop_t *a, uv_fs_t *b, const char *c, uv_fs_cb d), (a, b, c, d))
WRAP_INT(UV_FS_POLL_INIT, uv_fs_poll_init,
    (uv_loop_t *a, uv_fs_poll_t *b), (a, b))
WRAP_INT(UV_FS_POLL_START, uv_fs_poll_start,
    (uv_fs_poll_t *a, uv_fs_poll_cb b, const char *c, unsigned int d),
    (a, b, c, d))
WRAP_INT(UV_FS_POLL_STOP, uv_fs_poll_stop,
    (uv_fs_poll_t *a), (a))
WRAP_INT(UV_FS_EVENT_INIT, uv_fs_event_init,
    (uv_loop_t *a, uv_fs_event_t *b), (a, b))
WRAP_INT(UV_FS_EVENT_START, uv_fs_event_start,
    (uv_fs_event_t *a, uv_fs_event_cb b, const char *c, unsigned int d),
    (a, b, c, d))
WRAP_INT(UV_FS_EVENT_STOP, uv_fs_event_stop,
    (uv_fs_event_t *a), (a))
WRAP_INT(UV_GETNAMEINFO, uv_getnameinfo,
    (uv_loop_t *a, uv_getnameinfo_t *b, uv_getnameinfo_cb c,
     const struct sockaddr *d, int e),
    (a, b, c, d, e))
WRAP_INT(UV_SIGNAL_INIT, uv_signal_init,
    (uv_loop_t *a, uv_signal_t *b), (a, b))
WRAP_INT(UV_SIGNAL_START, uv_signal_start,
    (uv_signal_t *a, uv_signal_cb b, int c), (a, b, c))
WRAP_INT(UV_SPAWN, uv_spawn,
    (uv_loop_t *a, uv_process_t *b, const uv_process_options_t *c), (a, b, c))
WRAP_INT(UV_PROCESS_KILL, uv_process_kill,
    (uv_process_t *a, int b), (a, b))
WRAP_INT(UV_SOCKETPAIR, uv_socketpair,
    (int a, int b, uv_os_sock_t c[2], int d, int e), (a, b, c, d, e))
WRAP_INT(UV_PIPE, uv_pipe,
    (uv_file a[2], int b, int c), (a, b, c))
WRAP_INT(UV_UDP_INIT, uv_udp_init,
    (uv_loop_t *a, uv_udp_t *b), (a, b))
WRAP_INT(UV_UDP_BIND, uv_udp_bind,
    (uv_udp_t *a, const struct sockaddr *b, unsigned int c), (a, b, c))
WRAP_INT(UV_UDP_CONNECT, uv_udp_connect,
    (uv_udp_t *a, const struct sockaddr *b), (a, b))
WRAP_INT(UV_UDP_GETSOCKNAME, uv_udp_getsockname,
    (const uv_udp_t *a, struct sockaddr *b, int *c), (a, b, c))
WRAP_INT(UV_UDP_GETPEERNAME, uv_udp_getpeername,
    (const uv_udp_t *a, struct sockaddr *b, int *c), (a, b, c))
WRAP_INT(UV_UDP_SET_MEMBERSHIP, uv_udp_set_membership,
    (uv_udp_t *a, const char *b, const char *c, uv_membership d), (a, b, c, d))
WRAP_INT(UV_UDP_SET_MULTICAST_TTL, uv_udp_set_multicast_ttl,
    (uv_udp_t *a, int b), (a, b))
WRAP_INT(UV_UDP_SET_MULTICAST_LOOP, uv_udp_set_multicast_loop,
    (uv_udp_t *a, int b), (a, b))
WRAP_INT(UV_UDP_SET_MULTICAST_INTERFACE, uv_udp_set_multicast_interface,
    (uv_udp_t *a, const char *b), (a, b))
WRAP_INT(UV_UDP_SET_BROADCAST, uv_udp_set_broadcast,
    (uv_udp_t *a, int b), (a, b))
WRAP_INT(UV_UDP_SET_TTL, uv_udp_set_ttl,
    (uv_udp_t *a, int b), (a, b))
WRAP_INT(UV_RANDOM, uv_random,
    (uv_loop_t *a, uv_random_t *b, void *c, size_t d, unsigned e,
     uv_random_cb f),
    (a, b, c, d, e, f))
/* clang-format on */
