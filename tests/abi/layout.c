/* layout.c - the layouts that ABI 1.0 has frozen (LP64). That this compiles is the test. A new member at the end of a
 * struct that may grow adds a line and changes the size; nothing else here ever changes. */
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

#define SIZE(s, n) _Static_assert(sizeof(struct s) == (n), "the size of struct " #s)
#define AT(s, m, n) _Static_assert(offsetof(struct s, m) == (n), "the place of " #s "." #m)

#if defined(__LP64__)

/* taut/abi.h */
SIZE(taut_array, 16);
AT(taut_array, ptr, 0);
AT(taut_array, len, 8);
AT(taut_array, elem_size, 12);

/* taut/call.h */
SIZE(taut_actor, 104);
AT(taut_actor, size, 0);
AT(taut_actor, flags, 4);
AT(taut_actor, workspace, 8);
AT(taut_actor, user, 24);
AT(taut_actor, bot, 40);
AT(taut_actor, app, 56);
AT(taut_actor, token, 72);
AT(taut_actor, scopes, 88);
SIZE(taut_call, 136);
AT(taut_call, size, 0);
AT(taut_call, kind, 4);
AT(taut_call, mod, 8);
AT(taut_call, actor, 16);
AT(taut_call, conn, 24);
AT(taut_call, run, 32);
AT(taut_call, reserved, 36);
AT(taut_call, text, 40);
AT(taut_call, query, 56);
AT(taut_call, failed, 72);
AT(taut_call, refused, 88);
AT(taut_call, claimed, 104);
AT(taut_call, claimed_seq, 120);
AT(taut_call, arg, 128);
SIZE(taut_arg, 32);
AT(taut_arg, name, 0);
AT(taut_arg, type, 8);
AT(taut_arg, flags, 12);
AT(taut_arg, missing, 16);
AT(taut_arg, help, 24);
SIZE(taut_argv, 32);
AT(taut_argv, present, 0);
AT(taut_argv, type, 4);
AT(taut_argv, s, 8);
AT(taut_argv, i, 24);
SIZE(taut_outcome, 48);
AT(taut_outcome, size, 0);
AT(taut_outcome, status, 4);
AT(taut_outcome, body, 8);
AT(taut_outcome, error, 24);
AT(taut_outcome, seq, 40);

/* taut/command.h */
SIZE(taut_command, 48);
AT(taut_command, name, 0);
AT(taut_command, help, 8);
AT(taut_command, args, 16);
AT(taut_command, flags, 32);
AT(taut_command, reserved, 36);
AT(taut_command, run, 40);

/* taut/conn.h */
SIZE(taut_topic, 24);
AT(taut_topic, name, 0);
AT(taut_topic, since_seq, 16);
SIZE(taut_accept, 64);
AT(taut_accept, size, 0);
AT(taut_accept, ntopics, 4);
AT(taut_accept, actor, 8);
AT(taut_accept, topics, 16);
AT(taut_accept, as_of, 24);
AT(taut_accept, cursor, 32);
AT(taut_accept, hello, 40);
AT(taut_accept, state, 56);
SIZE(taut_socket_route, 40);
AT(taut_socket_route, prefix, 0);
AT(taut_socket_route, name, 8);
AT(taut_socket_route, open, 16);
AT(taut_socket_route, frame, 24);
AT(taut_socket_route, close, 32);

/* taut/event.h */
SIZE(taut_delta, 40);
AT(taut_delta, how, 0);
AT(taut_delta, reserved, 4);
AT(taut_delta, who, 8);
AT(taut_delta, topic, 24);
SIZE(taut_event, 56);
AT(taut_event, size, 0);
AT(taut_event, flags, 4);
AT(taut_event, topics, 8);
AT(taut_event, deltas, 16);
AT(taut_event, ntopics, 24);
AT(taut_event, ndeltas, 28);
AT(taut_event, skip, 32);
AT(taut_event, body, 40);
SIZE(taut_logged, 64);
AT(taut_logged, seq, 0);
AT(taut_logged, at_us, 8);
AT(taut_logged, body, 16);
AT(taut_logged, topics, 32);
AT(taut_logged, deltas, 48);
SIZE(taut_events, 48);
AT(taut_events, size, 0);
AT(taut_events, gap, 4);
AT(taut_events, workspace, 8);
AT(taut_events, first, 24);
AT(taut_events, events, 32);
SIZE(taut_subscription, 40);
AT(taut_subscription, size, 0);
AT(taut_subscription, flags, 4);
AT(taut_subscription, name, 8);
AT(taut_subscription, max_events, 16);
AT(taut_subscription, reserved, 20);
AT(taut_subscription, on_events, 24);
AT(taut_subscription, arg, 32);

/* taut/hook.h */
SIZE(taut_observed, 56);
AT(taut_observed, size, 0);
AT(taut_observed, reserved, 4);
AT(taut_observed, point, 8);
AT(taut_observed, workspace, 16);
AT(taut_observed, body, 32);
AT(taut_observed, seq, 48);
SIZE(taut_hook, 80);
AT(taut_hook, point, 0);
AT(taut_hook, name, 8);
AT(taut_hook, kind, 16);
AT(taut_hook, stage, 20);
AT(taut_hook, priority, 24);
AT(taut_hook, on_error, 28);
AT(taut_hook, budget_ms, 32);
AT(taut_hook, reserved, 36);
AT(taut_hook, before, 40);
AT(taut_hook, after, 48);
AT(taut_hook, filter, 56);
AT(taut_hook, observe, 64);
AT(taut_hook, provide, 72);

/* taut/host.h */
SIZE(taut_server_info, 88);
AT(taut_server_info, size, 0);
AT(taut_server_info, rate_limits, 4);
AT(taut_server_info, version, 8);
AT(taut_server_info, public_url, 24);
AT(taut_server_info, socket_url, 40);
AT(taut_server_info, admin_url, 56);
AT(taut_server_info, data, 72);
SIZE(taut_host, 520);
AT(taut_host, size, 0);
AT(taut_host, reserved, 4);
AT(taut_host, log, 8);
AT(taut_host, alloc, 16);
AT(taut_host, realloc, 24);
AT(taut_host, free, 32);
AT(taut_host, now_us, 40);
AT(taut_host, mono_us, 48);
AT(taut_host, random, 56);
AT(taut_host, measure, 64);
AT(taut_host, post, 72);
AT(taut_host, ops_complete, 80);
AT(taut_host, durable, 88);
AT(taut_host, info, 96);
AT(taut_host, health, 104);
AT(taut_host, op_new, 112);
AT(taut_host, op_cancel, 120);
AT(taut_host, op_on_cancel, 128);
AT(taut_host, timer_start, 136);
AT(taut_host, timer_stop, 144);
AT(taut_host, poll_start, 152);
AT(taut_host, poll_stop, 160);
AT(taut_host, work, 168);
AT(taut_host, svc_provide, 176);
AT(taut_host, svc_get, 184);
AT(taut_host, subscribe, 192);
AT(taut_host, subscription_seek, 200);
AT(taut_host, unsubscribe, 208);
AT(taut_host, hooked, 216);
AT(taut_host, filter, 224);
AT(taut_host, observe, 232);
AT(taut_host, provide, 240);
AT(taut_host, arg, 248);
AT(taut_host, scratch, 256);
AT(taut_host, stamp_us, 264);
AT(taut_host, get, 272);
AT(taut_host, scan, 280);
AT(taut_host, await, 288);
AT(taut_host, json, 296);
AT(taut_host, answer, 304);
AT(taut_host, next_cursor, 312);
AT(taut_host, warn, 320);
AT(taut_host, fail_with, 328);
AT(taut_host, done, 336);
AT(taut_host, at_end, 344);
AT(taut_host, reply, 352);
AT(taut_host, accept, 360);
AT(taut_host, reject, 368);
AT(taut_host, commit, 376);
AT(taut_host, progress, 384);
AT(taut_host, task, 392);
AT(taut_host, batch, 400);
AT(taut_host, batch_workspace, 408);
AT(taut_host, background, 416);
AT(taut_host, expect, 424);
AT(taut_host, insert, 432);
AT(taut_host, update, 440);
AT(taut_host, remove, 448);
AT(taut_host, claim, 456);
AT(taut_host, append, 464);
AT(taut_host, set_cursor, 472);
AT(taut_host, trim, 480);
AT(taut_host, publish, 488);
AT(taut_host, send, 496);
AT(taut_host, close, 504);
AT(taut_host, route, 512);

/* taut/json.h */
SIZE(taut_json, 48);
AT(taut_json, ptr, 0);
AT(taut_json, len, 8);
AT(taut_json, cap, 16);
AT(taut_json, grow, 24);
AT(taut_json, owner, 32);
AT(taut_json, comma, 40);
AT(taut_json, failed, 44);

/* taut/method.h */
SIZE(taut_method, 48);
AT(taut_method, name, 0);
AT(taut_method, args, 8);
AT(taut_method, scopes, 24);
AT(taut_method, rate, 32);
AT(taut_method, flags, 36);
AT(taut_method, run, 40);

/* taut/module.h */
SIZE(taut_metric, 40);
AT(taut_metric, name, 0);
AT(taut_metric, kind, 8);
AT(taut_metric, reserved, 12);
AT(taut_metric, help, 16);
AT(taut_metric, unit, 24);
AT(taut_metric, labels, 32);
SIZE(taut_module, 272);
AT(taut_module, size, 0);
AT(taut_module, abi_major, 4);
AT(taut_module, abi_minor, 6);
AT(taut_module, name, 8);
AT(taut_module, version, 16);
AT(taut_module, license, 24);
AT(taut_module, summary, 32);
AT(taut_module, provides, 40);
AT(taut_module, needs, 56);
AT(taut_module, wants, 72);
AT(taut_module, options, 88);
AT(taut_module, config_size, 104);
AT(taut_module, flags, 108);
AT(taut_module, tables, 112);
AT(taut_module, methods, 128);
AT(taut_module, routes, 144);
AT(taut_module, sockets, 160);
AT(taut_module, commands, 176);
AT(taut_module, hooks, 192);
AT(taut_module, metrics, 208);
AT(taut_module, check, 224);
AT(taut_module, init, 232);
AT(taut_module, start, 240);
AT(taut_module, stop, 248);
AT(taut_module, fini, 256);
AT(taut_module, reconfigure, 264);

/* taut/msg.h */
SIZE(taut_channel, 144);
AT(taut_channel, size, 0);
AT(taut_channel, kind, 4);
AT(taut_channel, id, 8);
AT(taut_channel, name, 24);
AT(taut_channel, creator, 40);
AT(taut_channel, topic, 56);
AT(taut_channel, purpose, 72);
AT(taut_channel, is_archived, 88);
AT(taut_channel, is_general, 92);
AT(taut_channel, is_member, 96);
AT(taut_channel, reserved, 100);
AT(taut_channel, created, 104);
AT(taut_channel, last_ts, 112);
AT(taut_channel, since_seq, 120);
AT(taut_channel, peer, 128);
SIZE(taut_draft, 160);
AT(taut_draft, size, 0);
AT(taut_draft, edits, 4);
AT(taut_draft, channel, 8);
AT(taut_draft, user, 16);
AT(taut_draft, bot, 32);
AT(taut_draft, thread_ts, 48);
AT(taut_draft, ts, 64);
AT(taut_draft, text, 80);
AT(taut_draft, blocks, 96);
AT(taut_draft, attachments, 112);
AT(taut_draft, metadata, 128);
AT(taut_draft, set, 144);
AT(taut_draft, owner, 152);

/* taut/op.h */
SIZE(taut_completion, 32);
AT(taut_completion, op, 0);
AT(taut_completion, status, 8);
AT(taut_completion, reserved, 12);
AT(taut_completion, result, 16);
AT(taut_completion, destroy, 24);

/* taut/option.h */
SIZE(taut_opt, 104);
AT(taut_opt, name, 0);
AT(taut_opt, type, 8);
AT(taut_opt, offset, 12);
AT(taut_opt, dflt, 16);
AT(taut_opt, min, 24);
AT(taut_opt, max, 32);
AT(taut_opt, choices, 40);
AT(taut_opt, flags, 48);
AT(taut_opt, item, 52);
AT(taut_opt, help, 56);
AT(taut_opt, unit, 64);
AT(taut_opt, options, 72);
AT(taut_opt, item_size, 88);
AT(taut_opt, max_items, 92);
AT(taut_opt, reserved, 96);
SIZE(taut_opt_pair, 48);
AT(taut_opt_pair, key, 0);
AT(taut_opt_pair, text, 16);
AT(taut_opt_pair, number, 32);
AT(taut_opt_pair, real, 40);
SIZE(taut_reconfigure, 40);
AT(taut_reconfigure, size, 0);
AT(taut_reconfigure, phase, 4);
AT(taut_reconfigure, config, 8);
AT(taut_reconfigure, current, 16);
AT(taut_reconfigure, ctx, 24);
AT(taut_reconfigure, error, 32);

/* taut/route.h */
SIZE(taut_route, 40);
AT(taut_route, method, 0);
AT(taut_route, path, 8);
AT(taut_route, flags, 16);
AT(taut_route, reserved, 20);
AT(taut_route, run, 24);
AT(taut_route, max_body, 32);
SIZE(taut_body, 24);
AT(taut_body, size, 0);
AT(taut_body, fd, 4);
AT(taut_body, length, 8);
AT(taut_body, bytes, 16);
SIZE(taut_part, 64);
AT(taut_part, size, 0);
AT(taut_part, is_file, 4);
AT(taut_part, name, 8);
AT(taut_part, filename, 24);
AT(taut_part, content_type, 40);
AT(taut_part, body, 56);
SIZE(taut_file, 24);
AT(taut_file, size, 0);
AT(taut_file, fd, 4);
AT(taut_file, offset, 8);
AT(taut_file, length, 16);
SIZE(taut_route_host, 56);
AT(taut_route_host, size, 0);
AT(taut_route_host, reserved, 4);
AT(taut_route_host, verb, 8);
AT(taut_route_host, header, 16);
AT(taut_route_host, body, 24);
AT(taut_route_host, part, 32);
AT(taut_route_host, put_header, 40);
AT(taut_route_host, reply_file, 48);

/* taut/service.h */
SIZE(taut_svc, 32);
AT(taut_svc, size, 0);
AT(taut_svc, up, 4);
AT(taut_svc, vtable, 8);
AT(taut_svc, self, 16);
AT(taut_svc, generation, 24);

/* taut/table.h */
SIZE(taut_val, 16);
AT(taut_val, type, 0);
AT(taut_val, len, 4);
AT(taut_val, u, 8);
SIZE(taut_col, 16);
AT(taut_col, name, 0);
AT(taut_col, type, 8);
AT(taut_col, flags, 12);
SIZE(taut_index, 40);
AT(taut_index, name, 0);
AT(taut_index, flags, 8);
AT(taut_index, ncols, 12);
AT(taut_index, cols, 16);
SIZE(taut_table, 48);
AT(taut_table, size, 0);
AT(taut_table, key_cols, 4);
AT(taut_table, name, 8);
AT(taut_table, cols, 16);
AT(taut_table, index, 32);
SIZE(taut_row, 24);
AT(taut_row, ncols, 0);
AT(taut_row, reserved, 4);
AT(taut_row, as_of, 8);
AT(taut_row, vals, 16);
SIZE(taut_rows, 48);
AT(taut_rows, size, 0);
AT(taut_rows, n, 4);
AT(taut_rows, more, 8);
AT(taut_rows, reserved, 12);
AT(taut_rows, count, 16);
AT(taut_rows, as_of, 24);
AT(taut_rows, seq, 32);
AT(taut_rows, rows, 40);
SIZE(taut_scan, 88);
AT(taut_scan, size, 0);
AT(taut_scan, index, 4);
AT(taut_scan, nprefix, 8);
AT(taut_scan, reserved, 12);
AT(taut_scan, prefix, 16);
AT(taut_scan, lo, 24);
AT(taut_scan, hi, 40);
AT(taut_scan, lo_open, 56);
AT(taut_scan, hi_open, 57);
AT(taut_scan, descending, 58);
AT(taut_scan, count_only, 59);
AT(taut_scan, limit, 60);
AT(taut_scan, offset, 64);
AT(taut_scan, workspace, 72);
SIZE(taut_set, 24);
AT(taut_set, col, 0);
AT(taut_set, how, 4);
AT(taut_set, val, 8);

/* taut/types.h */
SIZE(taut_str, 16);
AT(taut_str, ptr, 0);
AT(taut_str, len, 8);
SIZE(taut_mod, 40);
AT(taut_mod, size, 0);
AT(taut_mod, reserved, 4);
AT(taut_mod, host, 8);
AT(taut_mod, config, 16);
AT(taut_mod, state, 24);
AT(taut_mod, name, 32);
SIZE(taut_kv, 24);
AT(taut_kv, key, 0);
AT(taut_kv, value, 8);

/* taut/svc/auth.h */
SIZE(taut_auth_v1, 16);
AT(taut_auth_v1, size, 0);
AT(taut_auth_v1, reserved, 4);
AT(taut_auth_v1, resolve, 8);

/* taut/svc/conversation.h */
SIZE(taut_new_message, 144);
AT(taut_new_message, size, 0);
AT(taut_new_message, reply_broadcast, 4);
AT(taut_new_message, channel, 8);
AT(taut_new_message, text, 24);
AT(taut_new_message, thread_ts, 40);
AT(taut_new_message, client_msg_id, 56);
AT(taut_new_message, blocks, 72);
AT(taut_new_message, attachments, 88);
AT(taut_new_message, metadata, 104);
AT(taut_new_message, subtype, 120);
AT(taut_new_message, skip, 136);
SIZE(taut_posted, 72);
AT(taut_posted, size, 0);
AT(taut_posted, repeated, 4);
AT(taut_posted, channel, 8);
AT(taut_posted, ts, 24);
AT(taut_posted, text, 40);
AT(taut_posted, message, 56);
SIZE(taut_conversation_v1, 80);
AT(taut_conversation_v1, size, 0);
AT(taut_conversation_v1, reserved, 4);
AT(taut_conversation_v1, channel, 8);
AT(taut_conversation_v1, may, 16);
AT(taut_conversation_v1, post, 24);
AT(taut_conversation_v1, topics, 32);
AT(taut_conversation_v1, channel_by_name, 40);
AT(taut_conversation_v1, channel_import, 48);
AT(taut_conversation_v1, member_import, 56);
AT(taut_conversation_v1, message_import, 64);
AT(taut_conversation_v1, channel_touch, 72);

/* taut/svc/directory.h */
SIZE(taut_workspace, 56);
AT(taut_workspace, size, 0);
AT(taut_workspace, revoked, 4);
AT(taut_workspace, id, 8);
AT(taut_workspace, name, 24);
AT(taut_workspace, domain, 40);
SIZE(taut_user, 112);
AT(taut_user, size, 0);
AT(taut_user, flags, 4);
AT(taut_user, id, 8);
AT(taut_user, name, 24);
AT(taut_user, real_name, 40);
AT(taut_user, email, 56);
AT(taut_user, tz, 72);
AT(taut_user, bot, 88);
AT(taut_user, updated, 104);
SIZE(taut_bot, 80);
AT(taut_bot, size, 0);
AT(taut_bot, deleted, 4);
AT(taut_bot, id, 8);
AT(taut_bot, user, 24);
AT(taut_bot, app, 40);
AT(taut_bot, name, 56);
AT(taut_bot, updated, 72);
SIZE(taut_user_create, 32);
AT(taut_user_create, size, 0);
AT(taut_user_create, quiet, 4);
AT(taut_user_create, workspace, 8);
AT(taut_user_create, user, 24);
SIZE(taut_directory_v1, 96);
AT(taut_directory_v1, size, 0);
AT(taut_directory_v1, reserved, 4);
AT(taut_directory_v1, workspace, 8);
AT(taut_directory_v1, user, 16);
AT(taut_directory_v1, bot, 24);
AT(taut_directory_v1, workspaces, 32);
AT(taut_directory_v1, user_by_name, 40);
AT(taut_directory_v1, workspace_create, 48);
AT(taut_directory_v1, user_create, 56);
AT(taut_directory_v1, bot_create, 64);
AT(taut_directory_v1, token_create, 72);
AT(taut_directory_v1, token_check, 80);
AT(taut_directory_v1, token_live, 88);

/* taut/svc/storage.h */
SIZE(taut_table_ref, 24);
AT(taut_table_ref, id, 0);
AT(taut_table_ref, reserved, 4);
AT(taut_table_ref, sql_name, 8);
AT(taut_table_ref, table, 16);
SIZE(taut_cond, 40);
AT(taut_cond, table, 0);
AT(taut_cond, how, 4);
AT(taut_cond, key, 8);
AT(taut_cond, nkey, 16);
AT(taut_cond, col, 20);
AT(taut_cond, val, 24);
SIZE(taut_write, 32);
AT(taut_write, table, 0);
AT(taut_write, kind, 4);
AT(taut_write, vals, 8);
AT(taut_write, sets, 16);
AT(taut_write, nvals, 24);
AT(taut_write, nsets, 28);
SIZE(taut_event_rec, 72);
AT(taut_event_rec, seq, 0);
AT(taut_event_rec, at_us, 8);
AT(taut_event_rec, skip, 16);
AT(taut_event_rec, topics, 24);
AT(taut_event_rec, deltas, 40);
AT(taut_event_rec, body, 56);
SIZE(taut_cursor, 24);
AT(taut_cursor, name, 0);
AT(taut_cursor, seq, 16);
SIZE(taut_batch_view, 128);
AT(taut_batch_view, size, 0);
AT(taut_batch_view, cls, 4);
AT(taut_batch_view, workspace, 8);
AT(taut_batch_view, conds, 24);
AT(taut_batch_view, writes, 40);
AT(taut_batch_view, events, 56);
AT(taut_batch_view, claim_key, 72);
AT(taut_batch_view, claim_value, 88);
AT(taut_batch_view, cursors, 104);
AT(taut_batch_view, trim, 120);
SIZE(taut_commit_result, 64);
AT(taut_commit_result, size, 0);
AT(taut_commit_result, reserved, 4);
AT(taut_commit_result, lsn, 8);
AT(taut_commit_result, first_seq, 16);
AT(taut_commit_result, claim_seq, 24);
AT(taut_commit_result, claim_value, 32);
AT(taut_commit_result, why, 48);
SIZE(taut_durable, 24);
AT(taut_durable, batch, 0);
AT(taut_durable, lsn, 8);
AT(taut_durable, first_seq, 16);
SIZE(taut_get_req, 16);
AT(taut_get_req, table, 0);
AT(taut_get_req, nkey, 4);
AT(taut_get_req, key, 8);
SIZE(taut_get_result, 24);
AT(taut_get_result, size, 0);
AT(taut_get_result, n, 4);
AT(taut_get_result, as_of, 8);
AT(taut_get_result, rows, 16);
SIZE(taut_event_rows, 32);
AT(taut_event_rows, size, 0);
AT(taut_event_rows, n, 4);
AT(taut_event_rows, first, 8);
AT(taut_event_rows, last, 16);
AT(taut_event_rows, events, 24);
SIZE(taut_log_head, 32);
AT(taut_log_head, workspace, 0);
AT(taut_log_head, first, 16);
AT(taut_log_head, last, 24);
SIZE(taut_log_heads, 16);
AT(taut_log_heads, size, 0);
AT(taut_log_heads, n, 4);
AT(taut_log_heads, heads, 8);
SIZE(taut_cursors, 16);
AT(taut_cursors, size, 0);
AT(taut_cursors, n, 4);
AT(taut_cursors, cursors, 8);
SIZE(taut_open_result, 16);
AT(taut_open_result, size, 0);
AT(taut_open_result, reserved, 4);
AT(taut_open_result, lsn, 8);
SIZE(taut_storage_v1, 96);
AT(taut_storage_v1, size, 0);
AT(taut_storage_v1, reserved, 4);
AT(taut_storage_v1, open, 8);
AT(taut_storage_v1, commit, 16);
AT(taut_storage_v1, get, 24);
AT(taut_storage_v1, scan, 32);
AT(taut_storage_v1, events, 40);
AT(taut_storage_v1, close, 48);
AT(taut_storage_v1, logs, 56);
AT(taut_storage_v1, cursors, 64);
AT(taut_storage_v1, backup, 72);
AT(taut_storage_v1, restore, 80);
AT(taut_storage_v1, copied, 88);
#endif
