/* labels: valgrind */
/* The order of a host's addresses in a race: RFC 8305, section 4. */
#include "runtime/io/interleave.h"

#include <netdb.h>
#include <string.h>

#include "support/support.h"

enum { MOST = 12 };

/* Addresses as a resolver gives them: '6' and '4' are the families, 'x' is one
 * more. Interleaved, they are expected in the order of `places`. */
static void check(const char *families, const char *places) {
    static const char digits[] = "0123456789ab";
    struct addrinfo list[MOST];
    size_t count = strlen(families);
    ck_assert_uint_le(count, MOST);
    ck_assert_uint_eq(strlen(places), count);
    memset(list, 0, sizeof list);
    for (size_t i = 0; i < count; i++) {
        list[i].ai_family = families[i] == '6'   ? AF_INET6
                            : families[i] == '4' ? AF_INET
                                                 : AF_UNIX;
        list[i].ai_next = i + 1 < count ? &list[i + 1] : NULL;
    }
    uva__interleave(list);
    char found[MOST + 1] = "";
    size_t length = 0;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        ck_assert_uint_lt(length, count); /* no ring */
        found[length++] = digits[at - list];
    }
    ck_assert_str_eq(found, places);
}

START_TEST(interleave_puts_the_other_family_second) {
    CONFORMS("K-253");
    check("6644", "0213");
    check("4466", "0213");
    check("666444", "031425");
    check("64", "01");
}
END_TEST

START_TEST(interleave_keeps_the_order_within_a_family) {
    check("646464", "012345");
    check("644466", "014253");
    check("446644", "021345");
    check("444444446666", "08192a3b4567");
}
END_TEST

START_TEST(interleave_ends_with_the_longer_family) {
    check("66664", "04123");
    check("64444", "01234");
    check("66444", "02134");
    check("4446", "0312");
}
END_TEST

START_TEST(interleave_leaves_one_family_alone) {
    uva__interleave(NULL);
    check("6", "0");
    check("4", "0");
    check("666", "012");
    check("44444", "01234");
}
END_TEST

START_TEST(interleave_takes_all_others_for_one) {
    check("66x4", "0213");
    check("x64", "012");
    check("444x6", "03142");
}
END_TEST

/* What a resolver has made is freed whole after it. */
START_TEST(interleave_keeps_the_list_its_owners) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    struct addrinfo *six = NULL, *four = NULL;
    ck_assert_int_eq(getaddrinfo("::1", "1", &hints, &six), 0);
    ck_assert_int_eq(getaddrinfo("127.0.0.1", "1", &hints, &four), 0);
    struct addrinfo *last = six;
    size_t sixes = 1, count = 0;
    for (; last->ai_next != NULL; sixes++)
        last = last->ai_next;
    last->ai_next = four;
    uva__interleave(six);
    for (const struct addrinfo *at = six; at != NULL; at = at->ai_next)
        count++;
    ck_assert_uint_eq(count, 2 * sixes); /* as many socket types of each */
    ck_assert_int_eq(six->ai_family, AF_INET6);
    ck_assert_int_eq(six->ai_next->ai_family, AF_INET);
    uv_freeaddrinfo(six);
}
END_TEST

SUITE("interleave", interleave_puts_the_other_family_second,
      interleave_keeps_the_order_within_a_family,
      interleave_ends_with_the_longer_family,
      interleave_leaves_one_family_alone, interleave_takes_all_others_for_one,
      interleave_keeps_the_list_its_owners)
