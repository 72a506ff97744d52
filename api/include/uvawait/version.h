/**
 * The version of the library: of the headers at compile time, of the linked
 * library at run time.
 */
#ifndef UVAWAIT_VERSION_H
#define UVAWAIT_VERSION_H

#include "base.h"

#define UVA_VERSION_MAJOR  0
#define UVA_VERSION_MINOR  1
#define UVA_VERSION_PATCH  0
#define UVA_VERSION_STRING "0.1.0"

UVA_BEGIN_DECLS

/**
 * The version of the library that the program is linked to, as "0.1.0".
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  a static text
 * Owns:     the result is borrowed for ever
 * Since:    0.1
 */
UVA_API const char *uva_version(void);

UVA_END_DECLS

#endif
