#include "repr.h"

UVA_ASYNC(int, worker, (uva_semaphore_t *, sem), (int, item)) {
    UVA_WITH(semaphore, sem)
        UVA_CHECK(uva_sleep(100));
    UVA_RETURN(item * item);
}

UVA_ASYNC(void, async_main) {
    uva_semaphore_t sem = UVA_SEMAPHORE_INIT(3);
    struct worker tasks[10];
    for (int i = 0; i < 10; i++)
        tasks[i] = worker(&sem, i);
    int results[10];
    UVA_CHECK(UVA_GATHER_ARRAY(results, tasks, 10));
    print_ints(results, 10);
    return 0;
}

UVA_MAIN(async_main());
