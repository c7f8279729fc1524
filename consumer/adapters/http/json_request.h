/* SPDX-License-Identifier: Apache-2.0
 * A clone request as somebody writes it into a file: JSON with the names of schemas/clone_requested.avsc. */
#ifndef SANDBOX_HTTP_JSON_REQUEST_H
#define SANDBOX_HTTP_JSON_REQUEST_H

#include "consumer/ports/messages.h"
#include "handlers/base/buf.h"

/* Puts the members that are there into *request; the others stay as they are. Texts and lists live in mem. REFUSED,
 * with the member's name, when the text is no JSON object, a member is not known, or of the wrong type; the sentence
 * quotes no value. What the rules say of it is the caller's business (core/request.h). */
bool json_request_read(const struct buf *text, struct arena *mem, struct clone_request *request, struct err *e);

#endif
