#include <uvawait/async.h>

#include <stdio.h>

UVA_ASYNC(int, mul, (int, x), (int, y)) {
    UVA_RETURN(x * y);
}

int main(void) {
    int res;
    if (UVA_RUN(mul(5, 5), &res) < 0)
        return 1;
    printf("%d\n", res);
    return 0;
}
