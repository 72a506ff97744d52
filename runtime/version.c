/*
 * What: the version that the linked library says it is.
 */
#include "uvawait/version.h"

const char *uva_version(void) {
    return UVA_VERSION_STRING;
}
