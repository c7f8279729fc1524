/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/programs/wire_signer.h"

#include "consumer/adapters/openssl/signer_openssl.h"
#include "consumer/adapters/system/secret_file.h"

struct key_texts {
	struct signer_keys keys;
	struct buf texts[2 * SIGNER_KEYS_MAX];
	size_t count;
};

static bool read_files(const char *const *files, size_t count, struct signer_key *keys_r, struct key_texts *t, struct err *e)
{
	if (count > SIGNER_KEYS_MAX)
		return err_set(e, ERR_REFUSED, 0, "signer", "there are more than %d keys of a kind", SIGNER_KEYS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct buf *text = &t->texts[t->count++];

		buf_init(text, SECRET_MAX_BYTES);
		if (!secret_file_read(files[i], text, e))
			return false;
		keys_r[i] = (struct signer_key){ files[i], text->data, text->len };
	}
	return true;
}

struct signer_port *wire_signer(const struct key_files *files, struct err *e)
{
	struct key_texts t = { .keys = { .rsa_count = files->rsa_count, .ed25519_count = files->ed25519_count } };
	struct signer_port *signer = NULL;

	if (read_files(files->rsa, files->rsa_count, t.keys.rsa, &t, e) &&
	    read_files(files->ed25519, files->ed25519_count, t.keys.ed25519, &t, e))
		signer = signer_openssl_new(&t.keys, e);
	for (size_t i = 0; i < t.count; i++)
		secret_done(&t.texts[i]);
	return signer;
}
