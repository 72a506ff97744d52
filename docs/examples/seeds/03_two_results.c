#include <uvawait/async.h>

#include <stdio.h>

UVA_ASYNC(int, add, (int, x), (int, y)) {
    UVA_RETURN(x + y);
}

UVA_ASYNC(void, get_results) {
    int res1 = UVA_TRY(add(3, 4));
    int res2 = UVA_TRY(add(8, 5));
    printf("%d %d\n", res1, res2);
    return 0;
}

UVA_MAIN(get_results());
