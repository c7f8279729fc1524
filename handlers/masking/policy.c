/* SPDX-License-Identifier: Apache-2.0
 * What a clone's masking was told: its domain, checked, and the addresses that stay. */
#include "handlers/base/embedded.h"
#include "handlers/masking/masking_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 63, KEEP_MAX = 10000, KEEP_LEN_MAX = MASK_ADDRESS_MAX };

extern const struct embedded_file masking_files[];
extern const size_t masking_files_count;

/* ---- the domain ---- */
static bool is_alpha(char c)
{
	return mask_lower(c) >= 'a' && mask_lower(c) <= 'z';
}

static bool refused(struct err *e, const char *why)
{
	return err_set(e, ERR_REFUSED, 0, "mask domain", "the mask domain %s", why);
}

static bool label_check(const char *label, size_t len, struct err *e)
{
	if (len == 0)
		return refused(e, "has an empty label: two dots in a row, or one at its start or end");
	if (len > LABEL_MAX)
		return refused(e, "has a label of more than 63 characters");
	if (label[0] == '-' || label[len - 1] == '-')
		return refused(e, "has a label that begins or ends with a hyphen");
	for (size_t i = 0; i < len; i++)
		if (!is_alpha(label[i]) && !(label[i] >= '0' && label[i] <= '9') && label[i] != '-')
			return refused(e, "may only have letters, digits, hyphens and dots (write IDN as xn--)");
	return true;
}

/* Masked addresses must be recognised as addresses, so the end must look like a top-level domain. */
static bool top_label_check(const char *domain, size_t len, struct err *e)
{
	const char *top = strrchr(domain, '.') + 1;

	for (const char *c = top; *c; c++)
		if (!is_alpha(*c) && strncasecmp(top, "xn--", 4) != 0)
			return refused(e, "must end in a top-level label of letters");
	if (address_host_end(domain, 0, len) != len)
		return refused(e, "must end in a top-level label of two letters or more that is no file name ending");
	return true;
}

bool mask_domain_check(const char *domain, struct err *e)
{
	size_t len = domain ? strnlen(domain, MASK_DOMAIN_MAX + 1) : 0, labels = 0;

	if (len == 0)
		return refused(e, "is missing");
	if (len > MASK_DOMAIN_MAX)
		return refused(e, "is longer than 190 characters: no local part would fit before it");
	for (size_t i = 0; i <= len; labels++) {
		size_t n = strcspn(domain + i, ".");

		if (!label_check(domain + i, n, e))
			return false;
		i += n + 1;
	}
	if (labels < 2)
		return refused(e, "needs at least two labels, as in sandbox.example");
	return top_label_check(domain, len, e);
}

bool mask_domain_is_public(const char *domain)
{
	static const char *const inboxes[] = {
		"mailinator.com",    "mailinator2.com",  "guerrillamail.com", "guerrillamail.info", "guerrillamail.net",
		"guerrillamail.org", "guerrillamail.de", "sharklasers.com",   "grr.la",             "yopmail.com",
		"yopmail.fr",        "yopmail.net",      "10minutemail.com",  "maildrop.cc",        "trashmail.com",
		"trash-mail.com",    "temp-mail.org",    "tempmail.com",      "dispostable.com",    "getnada.com",
		"mailnesia.com",     "mailcatch.com",    "fakeinbox.com",     "throwawaymail.com",  "mohmal.com",
		"inboxkitten.com",   "moakt.com",        "emailondeck.com",   "mailsac.com",        "spam4.me",
		"mintemail.com",     "mytrashmail.com",  "tempinbox.com",     "mailexpire.com",     "burnermail.io",
		"discard.email",     "tempail.com",      "1secmail.com",      "mail-temp.com",      "spambox.me",
	};
	size_t len = strlen(domain);

	for (size_t i = 0; i < sizeof inboxes / sizeof *inboxes; i++) {
		size_t n = strlen(inboxes[i]);

		if (len >= n && strcasecmp(domain + len - n, inboxes[i]) == 0 && (len == n || domain[len - n - 1] == '.'))
			return true;
	}
	return false;
}

/* ---- the policy ---- */
static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool copy_keep(struct mask_policy *p, const struct mask_choices *choices, struct err *e)
{
	if (choices->keep_count > KEEP_MAX)
		return err_set(e, ERR_REFUSED, 0, "masking", "the keep list has more than %d addresses", KEEP_MAX);
	p->keep = calloc(choices->keep_count + 1, sizeof *p->keep);
	if (!p->keep)
		return err_set(e, ERR_TRANSIENT, 0, "masking", "memory is short");
	for (size_t i = 0; i < choices->keep_count; i++) {
		size_t len = strnlen(choices->keep[i], KEEP_LEN_MAX + 1);
		struct address a;

		if (len > KEEP_LEN_MAX || !address_parse(choices->keep[i], len, &a))
			continue; /* a sign-in name that is no address: nothing would touch it */
		p->keep[p->keep_count] = strdup(choices->keep[i]);
		if (!p->keep[p->keep_count])
			return err_set(e, ERR_TRANSIENT, 0, "masking", "memory is short");
		for (char *c = p->keep[p->keep_count++]; *c; c++)
			*c = mask_lower(*c);
		p->keep_longest = len > p->keep_longest ? len : p->keep_longest;
	}
	qsort(p->keep, p->keep_count, sizeof *p->keep, compare_texts);
	return true;
}

static bool fill(struct mask_policy *p, const struct mask_choices *choices, struct err *e)
{
	if (!mask_domain_check(choices->domain, e) || !copy_keep(p, choices, e))
		return false;
	p->hash = choices->hash;
	p->hash_arg = choices->hash_arg;
	p->domain_len = strlen(choices->domain);
	for (size_t i = 0; i < p->domain_len; i++)
		p->domain[i] = mask_lower(choices->domain[i]);
	if (masking_files_count != 1)
		return err_set(e, ERR_BUG, 0, "masking", "the list of columns is not part of the program");
	p->columns = mask_columns_new(masking_files[0].text, masking_files[0].len, e);
	return p->columns != NULL;
}

struct mask_policy *mask_policy_new(const struct mask_choices *choices, struct err *e)
{
	struct mask_policy *p = calloc(1, sizeof *p);

	if (!p)
		err_set(e, ERR_TRANSIENT, 0, "masking", "memory is short");
	else if (!fill(p, choices, e))
		mask_policy_free(&p);
	return p;
}

void mask_policy_free(struct mask_policy **p)
{
	if (!*p)
		return;
	for (size_t i = 0; i < (*p)->keep_count; i++)
		free((*p)->keep[i]);
	free((*p)->keep);
	mask_columns_free(&(*p)->columns);
	free(*p);
	*p = NULL;
}

bool mask_is_domain(const struct mask_policy *p, const char *host, size_t len)
{
	return len == p->domain_len && mask_begins_with_domain(p, host, len);
}

bool mask_begins_with_domain(const struct mask_policy *p, const char *host, size_t len)
{
	if (len < p->domain_len)
		return false;
	return memcmp(host, p->domain, p->domain_len) == 0 || strncasecmp(host, p->domain, p->domain_len) == 0;
}

bool mask_is_kept(const struct mask_policy *p, const char *local, size_t local_len, const char *host, size_t host_len)
{
	char whole[KEEP_LEN_MAX + 1], *key = whole;
	size_t len = local_len + 1 + host_len;

	if (len > p->keep_longest)
		return false;
	for (size_t i = 0; i < local_len; i++)
		whole[i] = mask_lower(local[i]);
	whole[local_len] = '@';
	for (size_t i = 0; i < host_len; i++)
		whole[local_len + 1 + i] = mask_lower(host[i]);
	whole[len] = '\0';
	return bsearch(&key, p->keep, p->keep_count, sizeof *p->keep, compare_texts) != NULL;
}
