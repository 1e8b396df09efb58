#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/// crypt_r(3): writes the hash of a phrase with the method, cost and salt of a setting.
///
/// It allocates the memory that the function needs, and zeros it afterwards. Returns 0; ENOMEM without memory; another
/// error for a setting or a phrase that the library does not accept.
static inline int crypt_hash(const char *phrase, const char *setting, char output[CRYPT_OUTPUT_SIZE]) {
    struct crypt_data *data = calloc(1, sizeof *data);
    if (data == NULL) return ENOMEM;
    errno = 0;
    const char *hash = crypt_rn(phrase, setting, data, sizeof *data);
    int status = hash != NULL ? 0 : errno != 0 ? errno : EINVAL;
    if (hash != NULL) memcpy(output, data->output, CRYPT_OUTPUT_SIZE);
    explicit_bzero(data, sizeof *data);
    free(data);
    return status;
}
