/* SPDX-License-Identifier: Apache-2.0
 * Who the people are: person n has the same name and address in every table. The hosts are reserved names, so that no
 * mail of a demo can reach anybody. */
#include "compose/seed/seed_priv.h"

#include <string.h>

static const char *const first_names[] = {
	"Anna",  "John",   "Ingrid", "Maria",  "Lars",   "Sofie", "Peter",  "Nora",  "Erik",    "Emma", "Thomas",
	"Julie", "Anders", "Ida",    "Henrik", "Camilla", "Jan",  "Kari",   "Simon", "Tuva",    "Jonas", "Sara",
	"Piet",  "Femke",  "Björn",  "Åse",    "Jürgen",  "Zoë",  "Mikkel", "Liv",   "Sebastian",
};
static const char *const last_names[] = {
	"Doe",     "Hansen",  "Olsen",  "Larsen",   "Berg",       "Nilsen", "O'Brien", "Dahl", "Vogel",
	"Visser",  "Jansen",  "Lund",   "Holm",     "Strand",     "Moen",   "Haugen",  "Lie",  "van Dijk",
	"Eriksen", "Solberg", "Møller", "Sørensen", "Schröder", "Bakke",  "Aas",     "Ng",   "Fitzgerald-Montgomery",
};
static const char *const companies[] = {
	"Fjord Data",  "Nordlys Energi", "Vik Marine",  "Delta Logistics", "Bergen Bakery", "Oslo Optics",
	"Polder Bank", "Alpine Tools",   "Green Metro", "Sund Medical",    "Kystlinjen",    "Harbour Hotels",
};
static const char *const hosts[] = {
	"fjord-data.example", "mail.nordlys.example", "vik.example",      "delta-logistics.example",
	"bakery.example",     "optics.example",       "polder.example",   "alpine.example",
	"metro.example",      "sund-medical.example", "kyst.example",     "post.harbour.example",
};

#define COUNT(list) ((int64_t)(sizeof(list) / sizeof(list)[0]))

/* Neighbours in a table should not be neighbours in the list. */
static const char *pick(const char *const *list, int64_t count, int64_t n, int64_t step)
{
	return list[n * step % count];
}

static const char *first_of(int64_t person)
{
	return pick(first_names, COUNT(first_names), person, 7);
}

static const char *last_of(int64_t person)
{
	return pick(last_names, COUNT(last_names), person / 3 + person, 5);
}

void seed_first_name(int64_t person, struct buf *out)
{
	buf_add_text(out, first_of(person));
}

void seed_last_name(int64_t person, struct buf *out)
{
	buf_add_text(out, last_of(person));
}

void seed_company(int64_t contact, struct buf *out)
{
	if (contact == 1)
		buf_add_text(out, "North Ltd");
	else
		buf_printf(out, "%s %lld", pick(companies, COUNT(companies), contact, 5), (long long)contact);
}

void seed_short_name(int64_t user, struct buf *out)
{
	if (user <= 2)
		buf_add_text(out, user == 1 ? "ADM" : "TST");
	else
		buf_printf(out, "U%03lld", (long long)user);
}

/* Only the ASCII letters of a name, in lower case. */
static void add_plain(struct buf *out, const char *name)
{
	for (; *name; name++) {
		char c = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);

		if (c >= 'a' && c <= 'z')
			buf_add(out, &c, 1);
	}
}

static void add_user_address(int64_t user, struct buf *out)
{
	if (user <= 2)
		buf_add_text(out, user == 1 ? "admin" : "tester");
	else
		add_plain(out, first_of(user));
	if (user > 2)
		buf_printf(out, "%lld", (long long)user);
	buf_add_text(out, "@north.example");
}

/* Most are as one expects; some are as one fears. */
static void add_odd_address(int64_t n, const char *host, struct buf *out)
{
	switch (n % 7) {
	case 0:
		buf_printf(out, "\"odd name %lld\"@%s", (long long)n, host);
		break;
	case 1:
		buf_printf(out, "jens%lld@blåbær.example", (long long)n);
		break;
	case 2:
		buf_printf(out, "jens%lld@xn--blbr-roah.example", (long long)n);
		break;
	case 3:
		buf_printf(out, "jørgen.åse%lld@%s", (long long)n, host);
		break;
	case 4:
		buf_printf(out, "%.56s%lld@very.long.host.name.of.a.very.big.company.%s",
		           "a.local.part.that.is.nearly.as.long.as.smtp.allows.to.be.x", (long long)(n % 1000000), host);
		break;
	case 5:
		buf_printf(out, "o'brien/sales=%lld@%s", (long long)n, host);
		break;
	default:
		buf_printf(out, "first_middle__last_%lld@%s", (long long)n, host);
		break;
	}
}

void seed_address(int64_t person, struct buf *out)
{
	const char *host = pick(hosts, COUNT(hosts), (person - 1) / 5, 7);

	if (person <= SEED_USERS) {
		add_user_address(person, out);
		return;
	}
	if (person % 20 == 0) {
		add_odd_address(person / 20, host, out);
		return;
	}
	if (person % 20 == 1)
		buf_printf(out, "John.Doe%lld@", (long long)person);
	else {
		add_plain(out, first_of(person));
		buf_add_text(out, person % 20 == 2 ? "_" : ".");
		add_plain(out, last_of(person));
		buf_printf(out, person % 20 == 3 ? "+news%lld@" : "%lld@", (long long)person);
	}
	for (size_t i = 0; person % 20 == 1 && host[i]; i++)
		buf_printf(out, "%c", host[i] >= 'a' && host[i] <= 'z' ? host[i] - 'a' + 'A' : host[i]);
	if (person % 20 != 1)
		buf_add_text(out, host);
}
