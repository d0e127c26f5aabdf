/* What public constants and texts are, kept by tests/abi/release.sh. Prints those that have changed. */
#include <stdio.h>

#include "taut/abi.h"
#include "taut/call.h"
#include "taut/command.h"
#include "taut/conn.h"
#include "taut/event.h"
#include "taut/hook.h"
#include "taut/host.h"
#include "taut/json.h"
#include "taut/loop.h"
#include "taut/method.h"
#include "taut/module.h"
#include "taut/msg.h"
#include "taut/op.h"
#include "taut/option.h"
#include "taut/page.h"
#include "taut/route.h"
#include "taut/service.h"
#include "taut/svc/auth.h"
#include "taut/svc/conversation.h"
#include "taut/svc/directory.h"
#include "taut/svc/storage.h"
#include "taut/table.h"
#include "taut/taut.h"
#include "taut/types.h"

#define SAME(name, value) (name == value ? 0 : (puts(#name " is no longer " #value), 1))
#define TEXT(name, text) (strcmp(name, text) == 0 ? 0 : (puts(#name " is no longer " #text), 1))

int main(void) {
    int changed = 0;
    changed += SAME(TAUT_ACTOR_ADMIN, 1);
    changed += SAME(TAUT_ACTOR_OWNER, 2);
    changed += SAME(TAUT_ACTOR_BOT, 4);
    changed += SAME(TAUT_ACTOR_OPERATOR, 8);
    changed += SAME(TAUT_ACTOR_SYSTEM, 16);
    changed += SAME(TAUT_CALL_METHOD, 1);
    changed += SAME(TAUT_CALL_OPEN, 2);
    changed += SAME(TAUT_CALL_FRAME, 3);
    changed += SAME(TAUT_CALL_COMMAND, 4);
    changed += SAME(TAUT_CALL_TASK, 5);
    changed += SAME(TAUT_CALL_ROUTE, 6);
    changed += SAME(TAUT_ARG_STR, 1);
    changed += SAME(TAUT_ARG_INT, 2);
    changed += SAME(TAUT_ARG_BOOL, 3);
    changed += SAME(TAUT_ARG_LIST, 4);
    changed += SAME(TAUT_ARG_JSON, 5);
    changed += SAME(TAUT_ARG_REQUIRED, 1);
    changed += SAME(TAUT_ARG_POSITIONAL, 2);
    changed += SAME(TAUT_CMD_OFFLINE, 1);
    changed += SAME(TAUT_CMD_SERVE, 2);
    changed += SAME(TAUT_CMD_CREATES, 4);
    changed += SAME(TAUT_CMD_LONG, 8);
    changed += SAME(TAUT_EVENT_EPHEMERAL, 1);
    changed += SAME(TAUT_SUB_OWN_CURSOR, 1);
    changed += SAME(TAUT_SUB_FROM_NOW, 2);
    changed += SAME(TAUT_HOOK_FILTER, 1);
    changed += SAME(TAUT_HOOK_OBSERVE, 2);
    changed += SAME(TAUT_HOOK_PROVIDE, 3);
    changed += SAME(TAUT_STAGE_POLICY, 0);
    changed += SAME(TAUT_STAGE_NORMALISE, -20);
    changed += SAME(TAUT_STAGE_AUTHENTICATE, -10);
    changed += SAME(TAUT_STAGE_ENRICH, 10);
    changed += SAME(TAUT_STAGE_ROUTE, 20);
    changed += SAME(TAUT_FAIL_OPEN, 0);
    changed += SAME(TAUT_FAIL_CLOSED, 1);
    changed += SAME(TAUT_STOP, 1);
    changed += SAME(TAUT_PASS, 1);
    changed += SAME(TAUT_LOG_DEBUG, 0);
    changed += SAME(TAUT_LOG_INFO, 1);
    changed += SAME(TAUT_LOG_WARN, 2);
    changed += SAME(TAUT_LOG_ERROR, 3);
    changed += SAME(TAUT_HEALTH_OK, 0);
    changed += SAME(TAUT_HEALTH_DEGRADED, 1);
    changed += SAME(TAUT_HEALTH_DOWN, 2);
    changed += SAME(TAUT_POLL_READ, 1);
    changed += SAME(TAUT_POLL_WRITE, 2);
    changed += SAME(TAUT_POLL_HANGUP, 4);
    changed += SAME(TAUT_METHOD_NOAUTH, 1);
    changed += SAME(TAUT_RATE_NONE, 0);
    changed += SAME(TAUT_RATE_TIER1, 1);
    changed += SAME(TAUT_RATE_TIER2, 2);
    changed += SAME(TAUT_RATE_TIER3, 3);
    changed += SAME(TAUT_RATE_TIER4, 4);
    changed += SAME(TAUT_RATE_SPECIAL, 5);
    changed += SAME(TAUT_COUNTER, 1);
    changed += SAME(TAUT_GAUGE, 2);
    changed += SAME(TAUT_HISTOGRAM, 3);
    changed += SAME(TAUT_MODULE_STANDARD, 1);
    changed += SAME(TAUT_CH_PUBLIC, 1);
    changed += SAME(TAUT_CH_PRIVATE, 2);
    changed += SAME(TAUT_CH_IM, 3);
    changed += SAME(TAUT_CH_MPIM, 4);
    changed += SAME(TAUT_DRAFT_TEXT, 1);
    changed += SAME(TAUT_DRAFT_BLOCKS, 2);
    changed += SAME(TAUT_DRAFT_ATTACHMENTS, 3);
    changed += SAME(TAUT_DRAFT_METADATA, 4);
    changed += SAME(TAUT_OPT_STR, 1);
    changed += SAME(TAUT_OPT_PATH, 2);
    changed += SAME(TAUT_OPT_INT, 3);
    changed += SAME(TAUT_OPT_BOOL, 4);
    changed += SAME(TAUT_OPT_ENUM, 5);
    changed += SAME(TAUT_OPT_DURATION, 6);
    changed += SAME(TAUT_OPT_BYTES, 7);
    changed += SAME(TAUT_OPT_ADDR, 8);
    changed += SAME(TAUT_OPT_URL, 9);
    changed += SAME(TAUT_OPT_NET, 10);
    changed += SAME(TAUT_OPT_FLOAT, 11);
    changed += SAME(TAUT_OPT_FLAGS, 12);
    changed += SAME(TAUT_OPT_REGEX, 13);
    changed += SAME(TAUT_OPT_SECRET, 14);
    changed += SAME(TAUT_OPT_LIST, 15);
    changed += SAME(TAUT_OPT_MAP, 16);
    changed += SAME(TAUT_OPT_STRUCT, 17);
    changed += SAME(TAUT_OPT_REQUIRED, 1);
    changed += SAME(TAUT_OPT_LIVE, 2);
    changed += SAME(TAUT_OPT_CHOICES_MAX, 32);
    changed += SAME(TAUT_OPT_ITEMS_MAX, 4096);
    changed += SAME(TAUT_OPT_DEPTH_MAX, 4);
    changed += SAME(TAUT_PREPARE, 1);
    changed += SAME(TAUT_COMMIT, 2);
    changed += SAME(TAUT_CANCEL, 3);
    changed += SAME(TAUT_PAGE_DEFAULT, 100);
    changed += SAME(TAUT_PAGE_MAX, 1000);
    changed += SAME(TAUT_CURSOR_SIZE, 128);
    changed += SAME(TAUT_CURSOR_KIND_MAX, 12);
    changed += SAME(TAUT_CURSOR_VALUE_MAX, 80);
    changed += SAME(TAUT_ROUTE_ADMIN, 1);
    changed += SAME(TAUT_ROUTE_PARTS, 2);
    changed += SAME(TAUT_ACT_SEE, 1);
    changed += SAME(TAUT_ACT_READ, 2);
    changed += SAME(TAUT_ACT_POST, 3);
    changed += SAME(TAUT_ACT_REACT, 4);
    changed += SAME(TAUT_ACT_JOIN, 5);
    changed += SAME(TAUT_ACT_INVITE, 6);
    changed += SAME(TAUT_ACT_KICK, 7);
    changed += SAME(TAUT_ACT_LEAVE, 8);
    changed += SAME(TAUT_ACT_MARK, 9);
    changed += SAME(TAUT_ACT_TYPE, 10);
    changed += SAME(TAUT_ACT_EDIT, 11);
    changed += SAME(TAUT_ACT_DELETE, 12);
    changed += SAME(TAUT_USER_DELETED, 1);
    changed += SAME(TAUT_USER_BOT, 2);
    changed += SAME(TAUT_USER_ADMIN, 4);
    changed += SAME(TAUT_USER_OWNER, 8);
    changed += SAME(TAUT_USER_PRIMARY_OWNER, 16);
    changed += SAME(TAUT_W_INSERT, 1);
    changed += SAME(TAUT_W_UPSERT, 2);
    changed += SAME(TAUT_W_UPDATE, 3);
    changed += SAME(TAUT_W_DELETE, 4);
    changed += SAME(TAUT_CLASS_INTERACTIVE, 0);
    changed += SAME(TAUT_CLASS_BACKGROUND, 1);
    changed += SAME(TAUT_NULL, 0);
    changed += SAME(TAUT_INT, 1);
    changed += SAME(TAUT_TEXT, 2);
    changed += SAME(TAUT_BLOB, 3);
    changed += SAME(TAUT_SEQ, 4);
    changed += SAME(TAUT_INDEX_UNIQUE, 1);
    changed += SAME(TAUT_INDEX_NOT_NULL, 2);
    changed += SAME(TAUT_SCAN_PRIMARY, -1);
    changed += SAME(TAUT_COND_ABSENT, 1);
    changed += SAME(TAUT_COND_PRESENT, 2);
    changed += SAME(TAUT_COND_EQUALS, 3);
    changed += SAME(TAUT_SET, 1);
    changed += SAME(TAUT_ADD, 2);
    changed += SAME(TAUT_MAX, 3);
    changed += SAME(TAUT_OK, 0);
    changed += SAME(TAUT_E_AGAIN, -1);
    changed += SAME(TAUT_E_PENDING, -2);
    changed += SAME(TAUT_E_FAILED, -3);
    changed += SAME(TAUT_E_INVAL, -4);
    changed += SAME(TAUT_E_NOMEM, -5);
    changed += SAME(TAUT_E_TIMEOUT, -6);
    changed += SAME(TAUT_E_UNAVAILABLE, -7);
    changed += SAME(TAUT_E_CONFLICT, -8);
    changed += SAME(TAUT_E_CLAIMED, -9);
    changed += SAME(TAUT_E_GAP, -10);
    changed += SAME(TAUT_E_NOTFOUND, -11);
    changed += SAME(TAUT_E_EXISTS, -12);
    changed += SAME(TAUT_E_LIMIT, -13);
    changed += SAME(TAUT_E_IO, -14);
    changed += SAME(TAUT_E_UNKNOWN, -15);
    changed += SAME(TAUT_E_DENIED, -16);
    changed += SAME(TAUT_E_CANCELLED, -17);
    changed += TEXT(TAUT_HOOK_BEFORE_SEND, "message.before_send");
    changed += TEXT(TAUT_HOOK_BEFORE_EDIT, "message.before_edit");
    changed += TEXT(TAUT_HOOK_SENT, "message.sent");
    changed += TEXT(TAUT_HOOK_EDITED, "message.edited");
    changed += TEXT(TAUT_HOOK_DELETED, "message.deleted");
    changed += TEXT(TAUT_BASE64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    changed += TEXT(TAUT_HOOK_USER_CREATE, "directory.user_create");
    changed += TEXT(TAUT_HOOK_WORKSPACE_CREATE, "directory.workspace_create");
    return changed ? 1 : 0;
}
