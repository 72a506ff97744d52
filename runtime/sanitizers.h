/*
 * Which sanitizer the library is compiled with, the same for gcc and clang.
 */
#ifndef UVA__SANITIZERS_H
#define UVA__SANITIZERS_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UVA__ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define UVA__TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UVA__ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define UVA__TSAN 1
#endif
#ifndef UVA__ASAN
#define UVA__ASAN 0
#endif
#ifndef UVA__TSAN
#define UVA__TSAN 0
#endif

#endif
